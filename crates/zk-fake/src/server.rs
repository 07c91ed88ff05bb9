//! One server of several.

use std::{io, net::SocketAddr};

use tokio::io::DuplexStream;

use crate::fake::FakeZooKeeper;

/// One server of a [`FakeZooKeeper`], for faults that concern it alone.
///
/// The servers share one tree and its sessions; each has its own port, connections and watches, as in a real
/// ensemble. Nobody is elected: a write is applied at all servers at once, except where one
/// [lags](Self::lag).
#[derive(Clone, Copy, Debug)]
pub struct FakeServer<'a> {
    pub(crate) fake: &'a FakeZooKeeper,
    pub(crate) number: usize,
}

impl FakeServer<'_> {
    /// Returns its number, from 0.
    #[must_use]
    pub const fn number(self) -> usize {
        self.number
    }

    /// Returns the address it listens on.
    #[must_use]
    pub fn addr(self) -> SocketAddr {
        self.fake.endpoints[self.number].addr
    }

    /// Connects in memory and returns the client's end, which is closed at once if the server does not run.
    #[must_use]
    pub fn connect(self) -> DuplexStream {
        self.fake.connect_to(self.number)
    }

    /// Cuts all links to this server. Sessions live on; what was answered but not sent is lost.
    pub fn drop_connections(self) {
        self.fake.shared.with(|state, _| state.cut_links_to(self.number));
    }

    /// Falls silent, while the others go on: connections are accepted, but nothing is read or answered.
    /// Sessions on it expire in time unless they move.
    pub fn pause(self) {
        self.fake.shared.pause_server(self.number, true);
    }

    /// Goes on after [`pause`](Self::pause).
    pub fn resume(self) {
        self.fake.shared.pause_server(self.number, false);
    }

    /// Learns of no transaction from now on. Its clients read what is old, hear no events, and get no answer
    /// to writes, to `sync` and to the start of a session; whoever has seen more is turned away. What the fake's
    /// own handle shows is the present all the same.
    pub fn lag(self) {
        self.fake.shared.with(|state, _| state.ensemble.lag(self.number));
    }

    /// Learns all it missed since [`lag`](Self::lag): its clients are told of the changes one by one, and get
    /// their answers. If it missed more than 100,000 transactions it hangs up on them instead.
    pub fn catch_up(self) {
        self.fake.shared.with(|state, _| state.ensemble.catch_up(self.number));
    }

    /// Stops the server: links are cut, connections refused. If no more than half of the servers are left the
    /// quorum is lost: see [`FakeZooKeeper::lose_quorum`].
    ///
    /// # Errors
    ///
    /// If the port cannot be kept; the server has stopped nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped the server has stopped, but its port may still accept, and hang up.
    pub async fn stop(self) -> io::Result<()> {
        self.fake.shared.with(|state, now| {
            state.cut_links_to(self.number);
            state.ensemble.set_running(now, self.number, false);
        });
        self.fake.endpoints[self.number].close().await
    }

    /// Starts the server again, on the same port and with everything that happened meanwhile.
    ///
    /// # Errors
    ///
    /// If somebody else has got the port.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped nothing has changed, but that in-memory links may be accepted again.
    pub async fn start(self) -> io::Result<()> {
        self.fake.shared.with(|state, now| state.ensemble.set_running(now, self.number, true));
        self.fake.endpoints[self.number].open(&self.fake.shared).await
    }

    /// Returns whether it runs.
    #[must_use]
    pub fn is_running(self) -> bool {
        self.fake.shared.look(|state| state.ensemble.is_running(self.number))
    }
}

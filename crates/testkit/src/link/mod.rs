//! A link between a client and a server that counts what passes and fails on command.

mod faults;
mod frames;
mod journal;
mod relay;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use faults::Faults;
use journal::Journal;

pub use journal::{Frame, Traffic};

/// Which way something goes through a [`Link`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a link has two ends")]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// A TCP proxy on loopback in front of one server.
///
/// It forwards bytes as they come and knows nothing of their meaning but the framing: a frame is four bytes of
/// length, big-endian, and that many bytes. Bytes that are no frames (a four-letter word, say) are forwarded and
/// counted as bytes.
///
/// Faults apply to every connection of the link, and each says whether also to later ones. Dropping the link cuts
/// it for good.
#[derive(Debug)]
pub struct Link {
    addr: SocketAddr,
    faults: watch::Sender<Faults>,
    journal: Arc<Journal>,
    listener: JoinHandle<()>,
}

impl Link {
    /// Opens a link to `target` on a free loopback port. `target` need not listen yet.
    ///
    /// # Errors
    ///
    /// If no port can be listened on.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future opens nothing.
    pub async fn to(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let faults = watch::Sender::new(Faults::default());
        let journal = Arc::new(Journal::default());
        let listener = tokio::spawn(listen(listener, target, faults.clone(), Arc::clone(&journal)));
        Ok(Self { addr, faults, journal, listener })
    }

    /// The address for the client.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address as a client is told it, `127.0.0.1:port`.
    #[must_use]
    pub fn connect_string(&self) -> String {
        self.addr.to_string()
    }

    /// Drops both ends of every connection, with whatever is under way. New connections are served.
    pub fn cut(&self) {
        self.faults.send_modify(Faults::cut);
    }

    /// Cuts, and from now on closes every new connection at once, as a balancer does that has no server behind it.
    /// [`accept`](Self::accept) ends it.
    pub fn refuse(&self) {
        self.faults.send_modify(|faults| {
            faults.refusing = true;
            faults.cut();
        });
    }

    /// Serves new connections again after [`refuse`](Self::refuse).
    pub fn accept(&self) {
        self.faults.send_modify(|faults| faults.refusing = false);
    }

    /// Delivers everything in `direction` this much later, also on later connections. Order and throughput stay.
    /// [`Duration::ZERO`] ends it for what arrives from then on.
    pub fn delay(&self, direction: Direction, delay: Duration) {
        self.faults.send_modify(|faults| faults.way_mut(direction).delay = delay);
    }

    /// Holds back everything in `direction`, also on later connections, until [`release`](Self::release). The
    /// connections stay open: neither end is told.
    pub fn hold(&self, direction: Direction) {
        self.faults.send_modify(|faults| faults.way_mut(direction).held = true);
    }

    /// Delivers what was held back in `direction`, and no longer holds.
    pub fn release(&self, direction: Direction) {
        self.faults.send_modify(|faults| faults.way_mut(direction).held = false);
    }

    /// Ends `direction` of the present connections: its receiver reads the end of the stream after what has arrived
    /// here already, and what the sender still sends is lost. The other direction goes on.
    pub fn half_close(&self, direction: Direction) {
        self.faults.send_modify(|faults| faults.way_mut(direction).closed += 1);
    }

    /// Cuts instead of delivering the `nth` frame in `direction` from now on, counted from 1 over all connections.
    ///
    /// To let a request be carried out and its reply be lost, cut before the reply. One such cut waits at a time:
    /// a second call replaces the first.
    pub fn cut_before(&self, direction: Direction, nth: u64) {
        self.journal.arm(direction, nth);
    }

    /// What passed in `direction` since the link was opened or last [cleared](Self::clear). Frames to the server
    /// count when they arrive here, frames to the client when they are delivered.
    #[must_use]
    pub fn traffic(&self, direction: Direction) -> Traffic {
        self.journal.traffic(direction)
    }

    /// The frames that passed, in order, oldest first: the last 65,536 of them.
    #[must_use]
    pub fn frames(&self) -> Vec<Frame> {
        self.journal.frames()
    }

    /// How often the client sent something and had an answer before it sent more.
    ///
    /// Per connection, a burst begins when a client's frame follows a server's frame (or is the first), and counts
    /// once a server's frame follows it. So pipelined requests are one round trip. The link does not know which
    /// frame answers which: keep pings and notifications out of what is counted. A [delay](Self::delay) makes the
    /// count sharp, because then a client that does not wait is always ahead of the reply.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.journal.round_trips()
    }

    /// How many connections were made through the link.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.journal.connections()
    }

    /// Waits until `condition` holds of the link. It is tried after every frame and connection.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn wait_for(&self, condition: impl Fn(&Self) -> bool) {
        let mut changed = self.journal.changes();
        loop {
            // What happens after this line wakes the wait below.
            changed.mark_unchanged();
            if condition(self) {
                return;
            }
            changed.changed().await.expect("the journal lives as long as the link");
        }
    }

    /// Forgets the counts and frames so far, but not the number of connections. A reply that is still under way
    /// completes no round trip.
    pub fn clear(&self) {
        self.journal.clear();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Owns the connections: they end with it.
async fn listen(
    listener: TcpListener,
    target: SocketAddr,
    faults: watch::Sender<Faults>,
    journal: Arc<Journal>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                if faults.borrow().refusing {
                    continue;
                }
                let id = journal.connected();
                // Subscribed here: a cut made after this connection was counted ends it too.
                let line = relay::Line::new(id, faults.clone(), Arc::clone(&journal));
                connections.spawn(async move {
                    if let Ok(server) = TcpStream::connect(target).await {
                        line.run(client, server).await;
                    }
                });
            }
        }
    }
}

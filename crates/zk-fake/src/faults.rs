//! What can go wrong on purpose.

use std::{io, time::Duration};

use quorate_zk_proto::{ErrorCode, OpCode, SessionId, ZnodePath};

use crate::{
    clock::millis,
    ensemble::{Cut, Direction, Fate},
    fake::FakeZooKeeper,
};

impl FakeZooKeeper {
    /// Refuses connections from now on, at all servers. Those that are up stay up; see
    /// [`drop_connections`](Self::drop_connections).
    ///
    /// # Errors
    ///
    /// If a port cannot be kept; connections to it are refused nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped connections are refused a little later.
    pub async fn stop_listening(&self) -> io::Result<()> {
        for endpoint in &self.endpoints {
            endpoint.close().await?;
        }
        Ok(())
    }

    /// Accepts connections again, on the same ports.
    ///
    /// # Errors
    ///
    /// If somebody else has got a port meanwhile.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, some of the ports may accept already.
    pub async fn listen_again(&self) -> io::Result<()> {
        for endpoint in &self.endpoints {
            endpoint.open(&self.shared).await?;
        }
        Ok(())
    }

    /// Cuts all links. Sessions live on, and new connections are accepted; what was answered but not sent
    /// is lost.
    pub fn drop_connections(&self) {
        self.shared.with(|state, _| state.cut_links());
    }

    /// Ends a session as if it had timed out: its ephemeral znodes are deleted, its connection is closed.
    /// Returns whether there was such a session.
    pub fn expire_session(&self, session: SessionId) -> bool {
        self.shared.with(|state, now| state.ensemble.end_session(now, session))
    }

    /// Ends all sessions as if they had timed out.
    pub fn expire_all(&self) {
        self.shared.with(|state, now| {
            let sessions: Vec<_> = state.ensemble.sessions().map(|(id, _)| id).collect();
            for session in sessions {
                state.ensemble.end_session(now, session);
            }
        });
    }

    /// Falls silent: connections are accepted, but nothing is read, answered or expired. Packets that were
    /// under way may still get through.
    pub fn pause(&self) {
        self.shared.pause();
    }

    /// Goes on after [`pause`](Self::pause). No session expires for the time of the pause.
    pub fn resume(&self) {
        self.shared.resume();
    }

    /// Becomes an ensemble restored from nothing: no znodes but the server's own, no sessions, no history.
    /// All links are cut; clients that have seen a transaction are refused, by closing without an answer.
    pub fn wipe(&self) {
        self.shared.with(|state, _| {
            state.cut_links();
            state.ensemble.wipe();
        });
    }

    /// Separates the servers from each other, so that none of them may write.
    ///
    /// All connections are closed. Clients that do not ask for a read-only server are then turned away, by
    /// closing without an answer, as are sessions of the ensemble: they live on, and none expires. Others get a
    /// session that ends with [`regain_quorum`](Self::regain_quorum). Writes and `sync` are answered by
    /// [`ErrorCode::NotReadOnly`], and the word `isro` by `ro`. This is a server with `readonlymode.enabled`
    /// and `localSessionsEnabled`.
    pub fn lose_quorum(&self) {
        self.shared.with(|state, now| state.ensemble.part(now, true));
    }

    /// Joins the servers again: connections are closed, sessions have their whole timeout again, zxids go on in
    /// the next epoch, and no server lags.
    pub fn regain_quorum(&self) {
        self.shared.with(|state, now| state.ensemble.part(now, false));
    }

    /// Returns whether the servers may write.
    #[must_use]
    pub fn has_quorum(&self) -> bool {
        self.shared.look(|state| state.ensemble.has_quorum())
    }

    /// Sends nothing more over the connections that are up, and ends that direction. What clients send is
    /// still taken and applied.
    pub fn half_close_connections(&self) {
        self.shared.with(|state, _| state.ensemble.half_close_all());
    }

    /// Closes the next `count` connections at their first frame, without an answer.
    pub fn close_handshakes(&self, count: u64) {
        self.shared.with(|state, _| state.ensemble.faults().handshakes_to_close = count);
    }

    /// Lets `count` more packets of all clients pass, then cuts the connection of the next one and loses
    /// that packet. It happens once; arming a cut again replaces one that has not happened yet.
    ///
    /// With [`Direction::Requests`] the request at the cut is not applied; with [`Direction::Replies`] it was.
    /// The handshake and pings do not count. Counting up from 0 until [`is_cut_armed`](Self::is_cut_armed)
    /// stays true walks through every packet of whatever a client does.
    pub fn cut_after_packets(&self, direction: Direction, count: u64) {
        self.arm(Cut::packets(direction, count));
    }

    /// Lets `count` more bytes of requests pass, then cuts the connection at the next byte. What follows does
    /// not arrive, so the request of that byte is not applied. Otherwise like
    /// [`cut_after_packets`](Self::cut_after_packets).
    pub fn cut_after_request_bytes(&self, count: u64) {
        self.arm(Cut::packet_bytes(Direction::Requests, count));
    }

    /// Lets `count` more bytes of replies and notifications pass, then cuts the connection of the next byte.
    /// Otherwise like [`cut_after_packets`](Self::cut_after_packets).
    pub fn cut_after_reply_bytes(&self, count: u64) {
        self.arm(Cut::packet_bytes(Direction::Replies, count));
    }

    /// Lets `count` more bytes pass in one direction, the handshake and pings included, then cuts the
    /// connection of the next byte. Otherwise like [`cut_after_packets`](Self::cut_after_packets).
    ///
    /// Where time is paused, or shorter than the interval of pings, this walks through every position of a
    /// whole conversation.
    pub fn cut_after_link_bytes(&self, direction: Direction, count: u64) {
        self.arm(Cut::link_bytes(direction, count));
    }

    /// Returns whether a cut is armed that has not happened yet.
    #[must_use]
    pub fn is_cut_armed(&self) -> bool {
        self.shared.look(|state| state.ensemble.faults().cut.is_some())
    }

    /// Takes back a cut that has not happened yet.
    pub fn disarm_cut(&self) {
        self.shared.with(|state, _| state.ensemble.faults().cut = None);
    }

    /// Answers the next request of that kind with an error, without applying it: an overloaded server
    /// ([`ErrorCode::ThrottledOp`]), a quota ([`ErrorCode::QuotaExceeded`]), or no leader. It happens once; calling again replaces what
    /// has not happened yet.
    pub fn refuse_next(&self, op: OpCode, code: ErrorCode) {
        self.shared.with(|state, _| state.ensemble.faults().refused = Some((op, code)));
    }

    /// Loses the reply to the next request of that kind, which is applied. The connection stays, and what
    /// comes after is answered. It happens once; calling again replaces what has not happened yet.
    pub fn lose_next_reply(&self, op: OpCode) {
        self.shared.with(|state, _| state.ensemble.faults().fate = Some((op, Fate::Lost)));
    }

    /// Sends the reply to the next request of that kind so much later, and after it what would have followed
    /// it. The request itself is applied at once. It happens once; calling again, or
    /// [`lose_next_reply`](Self::lose_next_reply), replaces what has not happened yet.
    pub fn delay_next_reply(&self, op: OpCode, by: Duration) {
        self.shared.with(|state, _| state.ensemble.faults().fate = Some((op, Fate::Late(millis(by)))));
    }

    /// Deletes containers that had children and have none, and znodes whose time to live is over; returns
    /// their paths. A real server does so once a minute, this one only here.
    pub fn reap_containers(&self) -> Vec<ZnodePath> {
        self.shared.with(|state, now| state.ensemble.reap(now))
    }

    fn arm(&self, cut: Cut) {
        self.shared.with(|state, _| state.ensemble.faults().cut = Some(cut));
    }
}

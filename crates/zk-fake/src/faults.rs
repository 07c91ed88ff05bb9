//! What can go wrong on purpose.

use std::io;

use quorate_zk_proto::{ErrorCode, OpCode, SessionId, ZnodePath};

use crate::{
    ensemble::{Cut, Direction},
    fake::FakeZooKeeper,
    listener::{Port, listen, reserve},
};

impl FakeZooKeeper {
    /// Refuses connections from now on. Those that are up stay up; see
    /// [`drop_connections`](Self::drop_connections).
    ///
    /// # Errors
    ///
    /// If the port cannot be kept; connections are refused nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped connections are refused a little later.
    pub async fn stop_listening(&self) -> io::Result<()> {
        let mut port = self.port.lock().await;
        if let Some(Port::Listening(task)) = port.as_mut() {
            task.abort();
            // It can only have been aborted.
            let _ = task.await;
            *port = None;
            *port = Some(Port::Closed(reserve(self.addr)?));
        }
        Ok(())
    }

    /// Accepts connections again, on the same port.
    ///
    /// # Errors
    ///
    /// If somebody else has got the port meanwhile.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped nothing has changed.
    pub async fn listen_again(&self) -> io::Result<()> {
        let mut port = self.port.lock().await;
        let socket = match port.take() {
            Some(Port::Closed(socket)) => socket,
            None => reserve(self.addr)?,
            listening => {
                *port = listening;
                return Ok(());
            }
        };
        *port = Some(listen(&self.shared, socket)?);
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

    /// Lets `count` more packets of all clients pass, then cuts the connection of the next one and loses
    /// that packet. It happens once; arming again replaces a cut that has not happened yet.
    ///
    /// With [`Direction::Requests`] the request at the cut is not applied; with [`Direction::Replies`] it was.
    /// The handshake and pings do not count. Counting up from 0 until [`is_cut_armed`](Self::is_cut_armed)
    /// stays true walks through every packet of whatever a client does.
    pub fn cut_after_packets(&self, direction: Direction, count: u64) {
        self.shared.with(|state, _| state.ensemble.arm(Cut::packets(direction, count)));
    }

    /// Lets `count` more bytes of replies and notifications pass, then cuts the connection of the next byte.
    /// Otherwise like [`cut_after_packets`](Self::cut_after_packets).
    pub fn cut_after_reply_bytes(&self, count: u64) {
        self.shared.with(|state, _| state.ensemble.arm(Cut::ReplyBytes(count)));
    }

    /// Returns whether a cut is armed that has not happened yet.
    #[must_use]
    pub fn is_cut_armed(&self) -> bool {
        self.shared.look(|state| state.ensemble.is_armed())
    }

    /// Takes back a cut that has not happened yet.
    pub fn disarm_cut(&self) {
        self.shared.with(|state, _| state.ensemble.disarm());
    }

    /// Answers the next request of that kind with an error, without applying it: an overloaded server
    /// ([`ErrorCode::ThrottledOp`]), or one that lost its leader. It happens once; calling again replaces what
    /// has not happened yet.
    pub fn refuse_next(&self, op: OpCode, code: ErrorCode) {
        self.shared.with(|state, _| state.ensemble.refuse_next(op, code));
    }

    /// Deletes containers that had children and have none, and znodes whose time to live is over; returns
    /// their paths. A real server does so once a minute, this one only here.
    pub fn reap_containers(&self) -> Vec<ZnodePath> {
        self.shared.with(|state, now| state.ensemble.reap(now))
    }
}

//! One connection, as the server sees it.

use bytes::BytesMut;
use quorate_zk_proto::{Id, SessionId};

/// Names a connection; never given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(pub(super) u64);

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing was said yet.
    New,
    /// A session is on it.
    Up(SessionId),
    /// Its session went on elsewhere.
    Moved(SessionId),
    /// To be closed once what was answered is sent.
    Closing,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) phase: Phase,
    /// Who the client has proved to be.
    pub(crate) identities: Vec<Id>,
    /// What waits to be sent.
    pub(crate) out: BytesMut,
}

impl Connection {
    pub(crate) fn new() -> Self {
        // Every client is known by its address.
        Self { phase: Phase::New, identities: vec![Id::new("ip", "127.0.0.1")], out: BytesMut::new() }
    }

    pub(crate) const fn session(&self) -> Option<SessionId> {
        match self.phase {
            Phase::Up(session) | Phase::Moved(session) => Some(session),
            Phase::New | Phase::Closing => None,
        }
    }
}

//! One connection, as the server sees it.

use bytes::BytesMut;
use quorate_zk_proto::{DigestMd5Server, Id, SessionId};

use super::{Millis, faults::Fate, outbox::Applied};

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
    /// The server it is to.
    pub(super) server: usize,
    pub(super) phase: Phase,
    /// Who the client has proved to be.
    pub(super) identities: Vec<Id>,
    /// The SASL exchange under way.
    pub(super) sasl: Option<DigestMd5Server>,
    /// What waits to be sent.
    pub(super) out: BytesMut,
    /// What waits longer.
    pub(super) late: Option<Late>,
    /// What waits for a lagging server. Nothing more is read until then.
    pub(super) held: Option<Applied>,
    /// What happens to the reply that is next.
    pub(super) fate: Option<Fate>,
    /// How much of the input at hand was counted already.
    pub(super) counted: usize,
    /// Nothing is sent any more, though requests are taken.
    pub(super) half_closed: bool,
}

/// Bytes that are sent later.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) by: Millis,
    /// Not known before somebody asks for them.
    pub(super) until: Option<Millis>,
    pub(super) out: BytesMut,
}

impl Connection {
    pub(super) fn new(server: usize) -> Self {
        Self {
            server,
            phase: Phase::New,
            // Every client is known by its address.
            identities: vec![Id::ip("127.0.0.1")],
            sasl: None,
            out: BytesMut::new(),
            late: None,
            held: None,
            fate: None,
            counted: 0,
            half_closed: false,
        }
    }

    pub(super) const fn session(&self) -> Option<SessionId> {
        match self.phase {
            Phase::Up(session) | Phase::Moved(session) => Some(session),
            Phase::New | Phase::Closing => None,
        }
    }

    /// Returns how much waits to be sent.
    pub(super) fn backlog(&self) -> usize {
        self.out.len() + self.late.as_ref().map_or(0, |late| late.out.len())
    }
}

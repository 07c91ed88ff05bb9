//! What a session tells its driver.

use bytes::Bytes;

use crate::{
    id::Zxid,
    op::{EventType, ReplyBody},
    path::ZnodePath,
    session::{Failure, SessionState},
};

/// Names a request from its submission to its reply. Later requests have greater tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64);

/// Something that happened, in the order it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver handles every event")]
pub enum SessionEvent {
    /// A request came to its end. There is exactly one for every ticket that was not cancelled.
    Reply {
        /// Which request.
        ticket: Ticket,
        /// How it ended.
        result: Result<Reply, Failure>,
    },
    /// A watched znode changed. Told before any reply that could show the change; one notification may
    /// serve several watchers.
    Notification(WatchedEvent),
    /// The server's next token in a SASL exchange, to be answered by
    /// [`Session::handle_sasl`](crate::Session::handle_sasl). The first of each connection is empty and no
    /// server's: the client speaks first. Only told if [`SessionOptions::sasl`](crate::SessionOptions::sasl)
    /// asked for it.
    SaslChallenge(Bytes),
    /// The session entered another state.
    State(SessionState),
    /// All watches were armed again after a reconnect. Nothing is replayed for persistent watches:
    /// whoever holds one must read again. Replies told after this are of reads that the watches cover.
    WatchesRearmed,
    /// All watches are gone, since the session expired or the server refused to arm them again. Whoever
    /// holds one must set it again and read again.
    WatchesDropped,
    /// The server has applied everything up to here, and told every change that it watches for us.
    Progress(Zxid),
}

/// A good reply. That of a multi may still tell of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The last transaction the server had applied when it answered; for a write, the write's own.
    pub zxid: Zxid,
    /// The answer.
    pub body: ReplyBody,
}

impl Reply {
    /// Puts a reply together, for whoever answers in the place of a server.
    #[must_use]
    pub const fn new(zxid: Zxid, body: ReplyBody) -> Self {
        Self { zxid, body }
    }
}

/// A change of a watched znode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchedEvent {
    /// What happened.
    pub event_type: EventType,
    /// Where.
    pub path: ZnodePath,
    /// The transaction, where the server tells it: from 3.9 on, and not for what was missed while away.
    pub zxid: Option<Zxid>,
}

impl WatchedEvent {
    /// Makes an event that a client tells itself.
    #[must_use]
    pub const fn new(event_type: EventType, path: ZnodePath) -> Self {
        Self { event_type, path, zxid: None }
    }
}

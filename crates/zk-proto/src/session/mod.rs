//! Everything a session does, without I/O. Time and bytes come in, bytes and events come out.
//!
//! `link.rs` has the transitions between states, `input.rs` takes frames apart, `output.rs` encodes.

mod auths;
mod event;
mod failure;
mod input;
mod link;
mod options;
mod output;
mod pending;
mod sasl;
mod state;
mod timer;
mod watches;

use std::{collections::VecDeque, time::Instant};

use bytes::BytesMut;

use self::{
    auths::Auths,
    input::Rearming,
    output::Queued,
    pending::Pending,
    sasl::Proving,
    state::{Closing, Identity},
    timer::Timers,
    watches::Watches,
};
pub use self::{
    event::{Reply, SessionEvent, Ticket, WatchedEvent},
    failure::{Failure, FailureKind, Outcome, ProtocolError, QueueFull},
    options::SessionOptions,
    sasl::SaslAnswer,
    state::{DisconnectReason, SessionState},
};
use crate::{
    id::{Secret, SessionId, Xid, Zxid},
    op::{Request, WatcherType},
    path::ZnodePath,
};

/// Most bytes that a buffer keeps for later; what a large reply or burst took beyond that is given back.
const BUFFER_BYTES_KEPT_MAX: usize = 1024 * 1024;

/// Most events that the queue keeps room for when it is empty.
const EVENTS_KEPT_MAX: usize = 4096;

/// The client's end of a ZooKeeper session, over as many connections as it takes.
///
/// A driver owns the socket and the clock. It tells the session what happened with the `handle_*` methods,
/// and after each of them
/// - writes what [`poll_transmit`](Self::poll_transmit) yields to the socket,
/// - hands on what [`poll_event`](Self::poll_event) yields, until it yields nothing,
/// - closes the socket if [`state`](Self::state) is no longer [`linked`](SessionState::is_linked),
/// - calls [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout).
///
/// The same inputs at the same times give the same outputs. Requests take effect in the order they were
/// handed in. When a connection is lost, requests under way fail and tell whether they may have been
/// applied; requests that were not encoded yet are kept and sent on the next connection.
#[derive(Debug)]
pub struct Session {
    options: SessionOptions,
    state: SessionState,
    closing: Closing,
    identity: Option<Identity>,
    /// Belongs to the client rather than to one session: it guards against servers that are behind.
    last_zxid: Zxid,
    /// Goes on across connections: servers tell commits apart by session and xid alone.
    next_xid: Xid,
    next_ticket: u64,
    auths: Auths,
    queue: VecDeque<Queued>,
    pending: Pending,
    watches: Watches,
    rearming: Rearming,
    /// Only while connecting.
    proving: Option<Proving>,
    timers: Timers,
    outgoing: BytesMut,
    /// Whether the buffer that the driver has now is larger than is worth keeping.
    handed_out_huge: bool,
    events: VecDeque<SessionEvent>,
}

impl Session {
    /// Starts without a connection, and without a session at any server unless the options name one.
    #[must_use]
    pub fn new(mut options: SessionOptions) -> Self {
        let (identity, last_zxid) = match options.resumed.take() {
            Some((session_id, password, last_zxid)) if !session_id.is_none() => {
                (Some(Identity { session_id, password, known_to_ensemble: true }), last_zxid)
            }
            _ => (None, Zxid::ZERO),
        };
        Self {
            state: SessionState::Disconnected { reason: DisconnectReason::NotYetConnected },
            closing: Closing::No,
            identity,
            last_zxid,
            next_xid: Xid::FIRST,
            next_ticket: 0,
            auths: Auths::default(),
            queue: VecDeque::new(),
            pending: Pending::default(),
            watches: Watches::default(),
            rearming: Rearming::default(),
            proving: None,
            timers: Timers::new(options.timeout),
            outgoing: BytesMut::new(),
            handed_out_huge: false,
            events: VecDeque::new(),
            options,
        }
    }

    /// Takes note of a fresh socket and starts the handshake.
    ///
    /// Once the server has accepted the session these follow, in this order: credentials, watches, and the
    /// requests that were waiting. Ignored after the session's end; a socket from before counts as lost.
    pub fn handle_connected(&mut self, now: Instant) {
        self.start_link(now);
    }

    /// Takes whole frames off bytes received, and leaves the rest in `input`. Call it after every read.
    ///
    /// The rest moves to a new buffer if this one grew huge. A ping that is due is queued too, so that a driver
    /// that never runs out of input need not come to [`handle_timeout`](Self::handle_timeout) for it.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] if the server broke the protocol. The session is then disconnected already, as by
    /// [`handle_disconnected`](Self::handle_disconnected); close the socket.
    pub fn handle_input(&mut self, now: Instant, input: &mut BytesMut) -> Result<(), ProtocolError> {
        self.take_input(now, input)
    }

    /// Takes a request. It is encoded at once if the session is connected and less than the allowed number
    /// are in flight, else when that is so.
    ///
    /// Credentials ([`Request::Auth`]) are kept for every later connection, and answered once accepted by
    /// a server. After the session's end the request fails, by an event like every other.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] if as many as allowed are waiting to be encoded; see [`has_room`](Self::has_room).
    pub fn handle_request(&mut self, now: Instant, request: Request) -> Result<Ticket, QueueFull> {
        self.take_request(now, request)
    }

    /// Withdraws a request that was not encoded yet. Returns whether it could be; then nothing will be sent
    /// and no event told. Credentials cannot be withdrawn.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        let found = self.queue.binary_search_by_key(&ticket, |queued| queued.ticket);
        found.is_ok_and(|index| self.queue.remove(index).is_some())
    }

    /// Answers the last [`SaslChallenge`](SessionEvent::SaslChallenge). The session is up once both ends are
    /// content.
    ///
    /// Ignored unless a challenge of this connection is waiting for its answer. A server may also refuse by
    /// closing the connection, which cannot be told from a lost one.
    ///
    /// # Examples
    ///
    /// ```
    /// use quorate_zk_proto::{DigestMd5Client, SaslAnswer, SaslStep, Session, SessionEvent};
    ///
    /// fn on_event(now: std::time::Instant, session: &mut Session, client: &mut DigestMd5Client, event: SessionEvent) {
    ///     if let SessionEvent::SaslChallenge(challenge) = event {
    ///         let answer = match client.step(&challenge) {
    ///             Ok(SaslStep::Respond(token)) => SaslAnswer::Token(token),
    ///             Ok(SaslStep::Done) => SaslAnswer::Done,
    ///             Err(_) => SaslAnswer::Failed,
    ///         };
    ///         session.handle_sasl(now, answer);
    ///     }
    /// }
    /// ```
    pub fn handle_sasl(&mut self, now: Instant, answer: SaslAnswer) {
        self.take_sasl_answer(now, answer);
    }

    /// Takes note that the socket is gone. What was in flight fails.
    pub fn handle_disconnected(&mut self, now: Instant) {
        let reason = match self.state {
            SessionState::Connecting => DisconnectReason::HandshakeLost,
            _ => DisconnectReason::ConnectionLost,
        };
        self.end_link(reason);
        self.expire_if_due(now);
    }

    /// Does what is due: pings, gives up a silent connection, expires a session that is out of reach.
    ///
    /// Hand in first what has arrived, lest a late driver be taken for a silent server.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.take_timeout(now);
    }

    /// Ends the session after the requests handed in so far, and refuses later ones.
    ///
    /// The state is [`Closed`](SessionState::Closed) when the server has answered or the connection is
    /// lost, at once if there is none. The server then still keeps the session until its timeout.
    pub fn handle_close(&mut self, now: Instant) {
        self.take_close(now, Closing::Asked);
    }

    /// Leaves the session to somebody else after the requests handed in so far, and refuses later ones.
    ///
    /// Nothing is sent: the server keeps the session, its ephemeral znodes too, until its timeout or until
    /// another client resumes it with these [`credentials`](Self::credentials), which remain. The state is
    /// [`Closed`](SessionState::Closed) when all requests are answered or the connection is lost, at once if
    /// there is none.
    pub fn handle_detach(&mut self, now: Instant) {
        self.take_close(now, Closing::Detaching);
    }

    /// Moves bytes to be sent to the end of `out`. Returns whether there were any.
    ///
    /// An empty `out` is exchanged, not copied to; keep it and hand it in again, so that its memory goes on
    /// being used. What grew huge once is given back.
    pub fn poll_transmit(&mut self, out: &mut BytesMut) -> bool {
        if self.handed_out_huge && out.is_empty() {
            (*out, self.handed_out_huge) = (BytesMut::new(), false);
        }
        if self.outgoing.is_empty() {
            return false;
        }
        if out.is_empty() {
            // The larger allocation goes on being used, by turns on either side, unless it is huge.
            self.handed_out_huge = self.outgoing.capacity() > BUFFER_BYTES_KEPT_MAX;
            std::mem::swap(out, &mut self.outgoing);
        } else {
            out.extend_from_slice(&self.outgoing);
            self.outgoing.clear();
        }
        true
    }

    /// Takes the next event.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        let event = self.events.pop_front();
        if event.is_none() && self.events.capacity() > EVENTS_KEPT_MAX {
            self.events = VecDeque::new();
        }
        event
    }

    /// Forgets which transactions were seen, so that servers which lack them are accepted.
    ///
    /// For ensembles that were wiped or restored, which would refuse this client for ever. Whoever has
    /// read from the old one must be told.
    pub fn forget_history(&mut self) {
        self.last_zxid = Zxid::ZERO;
    }

    /// Stops arming watches again, without asking the server to remove them.
    ///
    /// A one-shot watch that a forgotten persistent one told for is armed by itself at the next chance, and
    /// told what it missed.
    pub fn forget_watches(&mut self, path: &ZnodePath, kind: WatcherType) {
        self.watches.forget(path, kind, self.last_zxid);
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) wants to be called; `None` if never.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.next_deadline()
    }

    /// Returns the state.
    #[must_use]
    pub const fn state(&self) -> SessionState {
        self.state
    }

    /// Returns the id of the current session, connected or not.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        self.identity.as_ref().map(|identity| identity.session_id)
    }

    /// Returns what another client needs to go on with the session, besides
    /// [`last_zxid`](Self::last_zxid). `None` if there is no session, or none that the ensemble knows.
    #[must_use]
    pub fn credentials(&self) -> Option<(SessionId, Secret)> {
        let identity = self.identity.as_ref().filter(|identity| identity.known_to_ensemble)?;
        Some((identity.session_id, identity.password.clone()))
    }

    /// Returns the newest transaction that a reply has told of.
    #[must_use]
    pub const fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    /// Returns how many watches are armed: one for each kind of each path.
    #[must_use]
    pub const fn watch_count(&self) -> usize {
        self.watches.count()
    }

    /// Returns whether a one-shot watch on a path has been set and has not fired.
    #[must_use]
    pub fn has_one_shot(&self, path: &ZnodePath) -> bool {
        self.watches.has_one_shot(path)
    }

    /// Returns whether [`handle_request`](Self::handle_request) will take another request.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.len() < self.options.queued_max || self.can_encode()
    }

    /// Returns how many requests wait for their replies.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.pending.len()
    }

    /// Returns how many requests wait to be encoded.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }
}

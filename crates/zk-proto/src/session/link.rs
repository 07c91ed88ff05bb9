//! The transitions between states.

use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::{
    id::{Secret, SessionId},
    op::ConnectResponse,
    session::{
        DisconnectReason, Failure, FailureKind, Session, SessionEvent, SessionState,
        pending::Awaited,
        state::{Closing, Identity},
    },
};

/// The password of a session that does not exist yet.
const NO_PASSWORD: [u8; 16] = [0; 16];

/// What a server has agreed to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted {
    session_id: SessionId,
    timeout: Duration,
    read_only: bool,
    reused: bool,
}

impl Session {
    pub(super) fn start_link(&mut self, now: Instant) {
        if self.state.is_final() {
            return;
        }
        if self.state.is_linked() {
            self.handle_disconnected(now);
        }
        self.expire_if_due(now);
        if self.state.is_final() {
            return;
        }
        self.enter(SessionState::Connecting);
        self.timers.handshake_started(now, self.options.handshake_limit());
        self.send_connect_request();
    }

    /// Only the connect request is sent ahead of this answer. Sending more would save a round trip, but
    /// requests would then run in a session that may turn out to be another one.
    pub(super) fn finish_handshake(&mut self, now: Instant, response: &ConnectResponse) {
        let (asked, _) = self.resumable();
        if response.timeout_millis <= 0 || response.session_id.is_none() {
            if asked.is_none() {
                self.end_link(DisconnectReason::SessionRefused);
            } else {
                self.expire();
            }
            return;
        }
        // ClickHouse Keeper answers with a new session where the old one should have been resumed.
        if !asked.is_none() && asked != response.session_id {
            self.expire();
            return;
        }
        self.grant(now, response, !asked.is_none());
    }

    fn grant(&mut self, now: Instant, response: &ConnectResponse, reused: bool) {
        let session_id = response.session_id;
        let read_only = response.read_only.unwrap_or(false);
        let timeout = Duration::from_millis(u64::from(response.timeout_millis.unsigned_abs()));
        self.identity = Some(Identity {
            session_id,
            password: response.password.clone(),
            known_to_ensemble: reused || !read_only,
        });
        self.timers.session_granted(now, timeout);
        let granted = Granted { session_id, timeout, read_only, reused };
        if self.options.sasl {
            self.start_proving(granted);
        } else {
            self.start_session(now, granted);
        }
    }

    pub(super) fn start_session(&mut self, now: Instant, granted: Granted) {
        let Granted { session_id, timeout, read_only, reused } = granted;
        self.timers.session_started(now);
        self.enter(SessionState::Connected { session_id, timeout, read_only, reused });
        self.send_auths(now);
        self.send_watches(now);
        self.drain_queue(now);
    }

    /// Returns the session to ask for: none if the one at hand is unknown to the ensemble.
    pub(super) fn resumable(&self) -> (SessionId, Secret) {
        match &self.identity {
            Some(identity) if identity.known_to_ensemble => (identity.session_id, identity.password.clone()),
            _ => (SessionId::NONE, Secret::new(&NO_PASSWORD[..])),
        }
    }

    /// Leaves a connection, whoever ended it.
    pub(super) fn end_link(&mut self, reason: DisconnectReason) {
        if !self.state.is_linked() {
            return;
        }
        if self.closing != Closing::No {
            self.finish(SessionState::Closed);
            return;
        }
        self.enter(SessionState::Disconnected { reason });
        self.drop_link(&FailureKind::ConnectionLost);
    }

    /// Ends a session that the server no longer has. The next connection starts another.
    pub(super) fn expire(&mut self) {
        self.identity = None;
        if self.closing != Closing::No {
            self.finish(SessionState::Closed);
            return;
        }
        self.enter(SessionState::Expired);
        self.drop_session(&FailureKind::SessionExpired);
    }

    pub(super) fn expire_if_due(&mut self, now: Instant) {
        let due = self.timers.expiry_deadline().is_some_and(|deadline| now >= deadline);
        if due && !self.state.is_connected() && !self.state.is_final() {
            self.expire();
        }
    }

    /// Enters a final state.
    pub(super) fn finish(&mut self, state: SessionState) {
        self.enter(state);
        let kind = self.final_failure();
        self.drop_session(&kind);
        let tickets: Vec<_> = self.auths.drain_tickets().collect();
        for ticket in tickets {
            self.fail(ticket, Failure::not_sent(kind.clone()));
        }
    }

    pub(super) const fn final_failure(&self) -> FailureKind {
        match self.state {
            SessionState::AuthFailed => FailureKind::AuthFailed,
            _ => FailureKind::Closed,
        }
    }

    /// Starts to close or detach. What was asked first counts.
    pub(super) fn take_close(&mut self, now: Instant, closing: Closing) {
        if self.state.is_final() || self.closing != Closing::No {
            return;
        }
        self.closing = closing;
        if self.state.is_linked() {
            self.drain_queue(now);
        } else {
            self.finish(SessionState::Closed);
        }
    }

    pub(super) fn take_timeout(&mut self, now: Instant) {
        let due = |deadline: Option<Instant>| deadline.is_some_and(|deadline| now >= deadline);
        match self.state {
            SessionState::Connected { .. } => {
                if due(self.timers.silence_deadline()) {
                    self.end_link(DisconnectReason::Silent);
                } else {
                    self.send_ping_if_due(now);
                    self.send_repairs(now);
                }
            }
            SessionState::Connecting if due(self.timers.handshake_deadline()) => {
                self.end_link(DisconnectReason::HandshakeTimedOut);
            }
            _ => {}
        }
        self.expire_if_due(now);
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let timers = &self.timers;
        let (first, second) = match self.state {
            SessionState::Connected { .. } => (timers.silence_deadline(), timers.ping_due()),
            SessionState::Connecting => (timers.handshake_deadline(), timers.expiry_deadline()),
            SessionState::Disconnected { .. } | SessionState::Expired => (timers.expiry_deadline(), None),
            SessionState::AuthFailed | SessionState::Closed => (None, None),
        };
        first.into_iter().chain(second).min()
    }

    fn enter(&mut self, state: SessionState) {
        self.state = state;
        self.events.push_back(SessionEvent::State(state));
    }

    fn drop_link(&mut self, kind: &FailureKind) {
        self.outgoing = BytesMut::new();
        self.timers.link_ended();
        self.auths.link_ended();
        self.watches.link_ended();
        self.rearming = Default::default();
        self.proving = None;
        let pending: Vec<_> = self.pending.drain().collect();
        for awaited in pending {
            if let Awaited::Request { ticket, is_write, .. } = awaited {
                self.fail(ticket, Failure::unanswered(kind.clone(), is_write));
            }
        }
    }

    fn drop_session(&mut self, kind: &FailureKind) {
        self.drop_link(kind);
        if self.closing != Closing::Detaching || self.state != SessionState::Closed {
            self.identity = None;
        }
        self.timers.session_ended();
        self.drop_watches();
        while let Some(queued) = self.queue.pop_front() {
            self.fail(queued.ticket, Failure::not_sent(kind.clone()));
        }
    }
}

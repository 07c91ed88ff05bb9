//! From events of the session to those who wait for them.

use std::{net::SocketAddr, time::Instant};

use quorate_zk_proto::{
    ErrorCode, Failure, FailureKind, Reply, SessionEvent, SessionState, Ticket, WatchMode, WatcherType,
    ZnodePath,
};
use tokio::sync::oneshot;

use super::{Driver, phase::Phase};
use crate::{error::Subject, response::Answer, session_token::SessionToken, state::ClientState};

/// What a reply will be about.
pub(super) enum InFlight {
    Request { subject: Subject, answer: oneshot::Sender<Answer> },
    Watch { path: ZnodePath, mode: WatchMode, generation: u64 },
    Unwatch,
}

impl Driver {
    /// Hands on what happened, in the order it happened. Returns whether anything had.
    pub(super) fn hand_on_events(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(event) = self.session.poll_event() {
            any = true;
            match event {
                SessionEvent::Reply { ticket, result } => self.on_reply(ticket, result),
                SessionEvent::Notification(event) => self.registry.dispatch(&event),
                SessionEvent::State(state) => self.on_state(now, state),
                SessionEvent::WatchesRearmed => self.registry.rearmed(),
                SessionEvent::WatchesDropped => self.registry.dropped(),
                SessionEvent::Progress(_) => {}
            }
        }
        any
    }

    /// Replies come nearly always in the order of the requests.
    fn on_reply(&mut self, ticket: Ticket, result: Result<Reply, Failure>) {
        let Ok(index) = self.in_flight.binary_search_by_key(&ticket, |entry| entry.0) else { return };
        let Some((_, in_flight)) = self.in_flight.remove(index) else { return };
        match in_flight {
            InFlight::Request { subject, answer } => {
                // Nobody listening means that nobody wants to know any more.
                drop(answer.send(result.map_err(|failure| subject.answered(failure))));
            }
            InFlight::Watch { path, mode, generation } => {
                self.on_watch_reply(&path, mode, generation, result)
            }
            InFlight::Unwatch => {}
        }
    }

    fn on_watch_reply(
        &mut self,
        path: &ZnodePath,
        mode: WatchMode,
        generation: u64,
        result: Result<Reply, Failure>,
    ) {
        match result {
            Ok(_) => {
                let is_wanted = self.registry.armed(path, generation, mode);
                if !is_wanted {
                    self.session.forget_watches(path, WatcherType::Any);
                } else if mode == WatchMode::PersistentRecursive {
                    // To arm both kinds again would double the events on servers from 3.9 on.
                    self.session.forget_watches(path, WatcherType::Persistent);
                }
            }
            Err(failure) if is_passing(&failure.kind) => self.registry.unanswered(path, generation),
            Err(failure) => {
                let error = Subject::watch(path).answered(failure);
                tracing::warn!(%path, %error, "watch refused");
                self.registry.refused(path, generation, &error);
            }
        }
    }

    fn on_state(&mut self, now: Instant, state: SessionState) {
        let shown = match state {
            SessionState::Connecting => ClientState::Connecting { history: self.history },
            SessionState::Connected { session_id, timeout, read_only, .. } => {
                self.on_session(now);
                if self.life.as_ref().is_none_or(|life| life.id() != session_id) {
                    // A session that only a read-only server knew ends without an expiry.
                    self.end_life();
                    let (token, life) = SessionToken::new(session_id, timeout);
                    self.life = Some(life);
                    self.token.send_replace(Some(token));
                }
                let Some(server) = self.server() else { return };
                self.inbox.lacking.connected(server);
                tracing::info!(%session_id, ?timeout, %server, "session established");
                ClientState::Connected { session_id, timeout, read_only, server, history: self.history }
            }
            SessionState::Disconnected { reason } => {
                tracing::debug!(?reason, "disconnected");
                self.note_end(reason);
                ClientState::Disconnected { reason: reason.into(), history: self.history }
            }
            SessionState::Expired => {
                tracing::warn!("session expired");
                self.end_life();
                self.expire_line();
                ClientState::Expired { history: self.history }
            }
            SessionState::AuthFailed => {
                self.end_life();
                ClientState::AuthFailed { history: self.history }
            }
            SessionState::Closed => {
                self.end_life();
                ClientState::Closed { history: self.history }
            }
        };
        self.state.send_replace(shown);
    }

    fn on_session(&mut self, now: Instant) {
        if let Phase::Linked(linked) = &mut self.phase {
            linked.up_since = Some(now);
        }
        self.refused_since = None;
        if std::mem::take(&mut self.has_forgotten) {
            self.history += 1;
        }
    }

    /// The token turns before anybody is told anything else.
    pub(super) fn end_life(&mut self) {
        self.life = None;
        self.token.send_replace(None);
    }

    fn server(&self) -> Option<SocketAddr> {
        match &self.phase {
            Phase::Linked(linked) => Some(linked.link.peer()),
            Phase::Resting { .. } | Phase::Dialing(_) => None,
        }
    }
}

/// Returns whether a watch that was not armed may be next time.
const fn is_passing(kind: &FailureKind) -> bool {
    match kind {
        FailureKind::ConnectionLost | FailureKind::SessionExpired => true,
        FailureKind::Server(code) => matches!(
            code,
            ErrorCode::ConnectionLoss
                | ErrorCode::SessionExpired
                | ErrorCode::SessionMoved
                | ErrorCode::OperationTimeout
                | ErrorCode::RequestTimeout
                | ErrorCode::ThrottledOp
        ),
        _ => false,
    }
}

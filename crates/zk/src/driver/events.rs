//! From events of the session to those who wait for them.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use quorate_zk_proto::{
    ErrorCode, Failure, OpCode, Reply, SaslAnswer, SessionEvent, SessionState, Ticket, WatchMode,
    WatcherType, ZnodePath,
};

use super::{Driver, phase::Phase};
use crate::{
    backoff::Backoff,
    error::{Subject, is_passing},
    inbox::Unwatched,
    registry::{Half, Target},
    session_token::SessionToken,
    slot::SlotRef,
    state::ClientState,
};

/// How long no watches are asked for after a server that was too busy to arm one.
const STEPS_PAUSE: Duration = Duration::from_secs(1);

/// What a reply will be about.
pub(super) enum InFlight {
    Request { slot: SlotRef, op: OpCode, sent: Instant, setting: Option<Box<Setting>> },
    Watch { path: ZnodePath, mode: WatchMode, generation: u64 },
    Unwatch,
    Config,
}

/// A one-shot watch that a request is setting.
pub(super) struct Setting {
    pub(super) path: ZnodePath,
    pub(super) half: Half,
    pub(super) target: Target,
}

impl InFlight {
    /// Ends the future of a request that nobody will answer.
    pub(super) fn abandon(self) {
        if let Self::Request { slot, .. } = self {
            slot.abandon();
        }
    }
}

impl Driver {
    /// Hands on what happened, in the order it happened. Returns whether anything had.
    pub(super) fn hand_on_events(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(event) = self.session.poll_event() {
            any = true;
            match event {
                SessionEvent::Reply { ticket, result } => self.on_reply(now, ticket, result),
                SessionEvent::Notification(event) => {
                    self.note_path(&event.path);
                    self.registry.dispatch(&event);
                }
                SessionEvent::State(state) => self.on_state(now, state),
                SessionEvent::WatchesRearmed => self.registry.rearmed(),
                // At the end they end, and are not lost.
                SessionEvent::WatchesDropped if self.session.state().is_final() => {}
                SessionEvent::WatchesDropped => self.registry.dropped(),
                SessionEvent::SaslChallenge(token) => {
                    // The session only asks if it was told to, which it is for a user alone.
                    let answer = self.sasl.as_mut().map_or(SaslAnswer::Failed, |sasl| sasl.answer(&token));
                    self.session.handle_sasl(now, answer);
                }
                SessionEvent::Progress(_) => {}
            }
        }
        any
    }

    /// Replies come nearly always in the order of the requests.
    fn on_reply(&mut self, now: Instant, ticket: Ticket, result: Result<Reply, Failure>) {
        let Some(in_flight) = self.take_in_flight(ticket) else { return };
        match in_flight {
            InFlight::Request { slot, op, sent, setting } => {
                let latency = now.saturating_duration_since(sent);
                tracing::trace!(
                    ?op,
                    ?latency,
                    failure = result.as_ref().err().map(tracing::field::display),
                    "reply"
                );
                if let Some(metrics) = &mut self.metrics {
                    metrics.on_reply(op, latency, result.as_ref().err());
                }
                if let Some(setting) = setting {
                    self.on_setting(*setting, op, &result);
                }
                slot.answer(result);
            }
            InFlight::Watch { path, mode, generation } => {
                self.on_watch_reply(now, &path, mode, generation, result)
            }
            InFlight::Unwatch => self.note_if_lacking(OpCode::RemoveWatches, &result),
            InFlight::Config => self.on_config(result),
        }
    }

    fn take_in_flight(&mut self, ticket: Ticket) -> Option<InFlight> {
        if self.in_flight.front().is_some_and(|entry| entry.0 == ticket) {
            return self.in_flight.pop_front().map(|entry| entry.1);
        }
        let index = self.in_flight.binary_search_by_key(&ticket, |entry| entry.0).ok()?;
        self.in_flight.remove(index).map(|entry| entry.1)
    }

    /// A watch is set by every read that succeeds, and by `exists` also where there is no znode.
    fn on_setting(&mut self, setting: Setting, op: OpCode, result: &Result<Reply, Failure>) {
        let is_set = match result {
            Ok(_) => true,
            Err(failure) => op == OpCode::Exists && failure.server_code() == Some(ErrorCode::NoNode),
        };
        let Setting { path, half, target } = setting;
        if !is_set {
            self.registry.recheck(&path);
            return;
        }
        let is_gone = target.is_gone();
        self.registry.arm_one_shot(path.clone(), half, target);
        if is_gone {
            // Its watcher was dropped before there was anything to take back.
            self.unwatch(Unwatched::OneShot(path));
        }
    }

    fn on_watch_reply(
        &mut self,
        now: Instant,
        path: &ZnodePath,
        mode: WatchMode,
        generation: u64,
        result: Result<Reply, Failure>,
    ) {
        self.note_if_lacking(OpCode::AddWatch, &result);
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
            Err(failure) if is_passing(&failure.kind) => {
                if failure.server_code().is_some() {
                    self.steps_after = Some(now + STEPS_PAUSE);
                }
                self.registry.unanswered(path, generation);
            }
            Err(failure) => {
                let error = Subject::watch(path).answered(failure);
                tracing::warn!(%path, %error, "watch refused");
                self.registry.refused(path, generation, &error);
            }
        }
    }

    /// Takes note of an operation that the server does not know, since it hangs up when it is asked for it.
    fn note_if_lacking(&self, op: OpCode, result: &Result<Reply, Failure>) {
        if result.as_ref().is_err_and(|failure| failure.server_code() == Some(ErrorCode::Unimplemented)) {
            self.inbox.lacking.note_lacking(op);
        }
    }

    fn on_state(&mut self, now: Instant, state: SessionState) {
        let shown = match state {
            SessionState::Connecting => ClientState::Connecting { history: self.history },
            SessionState::Connected { session_id, timeout, read_only, .. } => {
                self.on_session(now, read_only);
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
                if let Some(metrics) = &self.metrics {
                    metrics.on_expired();
                }
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
        self.show(shown);
    }

    /// Shows a state to everybody.
    pub(super) fn show(&self, state: ClientState) {
        self.registry.session().push(crate::SessionEvent::State(state.clone()));
        self.state.send_replace(state);
    }

    fn on_session(&mut self, now: Instant, read_only: bool) {
        self.want_config();
        let seek = read_only.then(|| self.seek_read_write());
        if !read_only {
            self.seek_pauses = Backoff::seeking();
        }
        if let Phase::Linked(linked) = &mut self.phase {
            linked.up_since = Some(now);
            linked.seek = seek;
        }
        if let Some(metrics) = &self.metrics {
            metrics.on_connected();
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

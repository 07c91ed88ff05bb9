//! Finding a server, and leaving it.

use std::time::{Duration, Instant};

use quorate_zk_proto::{DisconnectReason as LinkEnd, SessionState, Zxid};

use super::{
    Driver,
    phase::{Linked, Phase},
};
use crate::{
    hosts::Round,
    state::{ClientState, DisconnectReason},
    transport::{Dialed, dial},
};

/// How long a connection must have been good for the next attempts to start without waiting.
const GOOD_MIN: Duration = Duration::from_secs(1);

impl Driver {
    pub(super) fn start_round(&mut self) {
        self.dial(Round::new(&self.settings.hosts));
    }

    pub(super) fn on_dialed(&mut self, now: Instant, dialed: Dialed) {
        let Dialed { round, link } = dialed;
        if let Some(link) = link {
            tracing::debug!(server = %link.peer(), "connected");
            self.input.clear();
            self.output.clear();
            self.phase = Phase::Linked(Linked { link, round, up_since: None });
            self.session.handle_connected(now);
        } else {
            self.end_round(now, round);
        }
    }

    /// Closes the socket of a connection that the session has given up, and looks for the next server.
    pub(super) fn leave_link(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Linked(_)) {
            return;
        }
        let linked = match std::mem::replace(&mut self.phase, Phase::Resting { until: now }) {
            Phase::Linked(linked) => linked,
            other => {
                self.phase = other;
                return;
            }
        };
        self.input.clear();
        self.output.clear();
        match linked.up_since {
            Some(since) => {
                if now.saturating_duration_since(since) >= GOOD_MIN {
                    self.backoff.reset();
                }
                self.rest(now);
            }
            // An expiry is an answer too: this ensemble has forgotten us, and will take us as somebody new.
            None if self.session.state() == SessionState::Expired => self.rest(now),
            None => self.dial(linked.round),
        }
    }

    /// Takes note of how a handshake failed. A server that closes without a word may be behind what we have seen.
    pub(super) fn note_end(&mut self, end: LinkEnd) {
        if let Phase::Linked(Linked { link, round, up_since: None }) = &mut self.phase {
            if end == LinkEnd::HandshakeLost {
                round.note_refusal();
            } else {
                round.note_failure(&link.peer(), &DisconnectReason::from(end));
            }
        }
    }

    fn end_round(&mut self, now: Instant, round: Round) {
        if round.is_refused_by_all() && self.session.last_zxid() > Zxid::ZERO {
            let since = *self.refused_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= self.settings.session_timeout * 2 {
                self.forget_history();
            }
        } else {
            self.refused_since = None;
        }
        if let Some(detail) = round.into_failure() {
            tracing::debug!(detail, "no server reached");
            let reason = DisconnectReason::Unreachable { detail };
            self.show(ClientState::Disconnected { reason, history: self.history });
        }
        self.rest(now);
    }

    /// Servers refuse clients that have seen more than they have. If all do, for so long that no leader can be
    /// ahead of them, the history that we have seen is gone.
    fn forget_history(&mut self) {
        tracing::warn!(last_zxid = %self.session.last_zxid(), "every server is behind: ensemble wiped or restored?");
        self.session.forget_history();
        self.refused_since = None;
        self.has_forgotten = true;
    }

    fn rest(&mut self, now: Instant) {
        let wait = self.backoff.wait();
        if wait.is_zero() {
            self.start_round();
        } else {
            self.phase = Phase::Resting { until: now + wait };
        }
    }

    fn dial(&mut self, round: Round) {
        self.phase = Phase::Dialing(Box::pin(dial(round, self.settings.connect_timeout)));
    }
}

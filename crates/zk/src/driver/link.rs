//! Finding a server, and leaving it.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use quorate_zk_proto::{DisconnectReason as LinkEnd, SessionState, Zxid};

use super::{
    Driver,
    phase::{Linked, Phase, Seek},
};
use crate::{
    hosts::{Round, Target},
    state::{ClientState, DisconnectReason},
    tls::TlsFailure,
    transport::{Dialed, seek_read_write},
};

/// How long a connection must have been good for the next attempts to start without waiting.
const GOOD_MIN: Duration = Duration::from_secs(1);

impl Driver {
    pub(super) fn start_round(&mut self) {
        let lost = self.lost_server.take();
        self.dial(self.settings.hosts.round_avoiding(lost));
    }

    pub(super) fn on_dialed(&mut self, now: Instant, dialed: Dialed) {
        let Dialed { round, link } = dialed;
        if let Some(link) = link {
            tracing::debug!(server = %link.peer(), "connected");
            self.input.clear();
            self.output.clear();
            self.phase =
                Phase::Linked(Linked { link, round, up_since: None, is_insecure: false, seek: None });
            if let Some(sasl) = &mut self.sasl {
                sasl.restart();
            }
            self.session.handle_connected(now);
        } else {
            self.end_round(now, *round);
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
                self.lost_server = Some(linked.link.peer());
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

    /// Leaves a server that only reads for one that writes.
    pub(super) fn move_to(&mut self, now: Instant, target: Target) {
        tracing::info!(%target, "a server with a quorum is back");
        // Should it not have us, the next search is slower to start.
        let _ = self.seek_pauses.wait();
        self.session.handle_disconnected(now);
        self.input.clear();
        self.output.clear();
        self.dial(self.settings.hosts.round_from(target));
    }

    /// Starts to look for a server that writes, for as long as this connection lasts.
    pub(super) fn seek_read_write(&self) -> Seek {
        let (connector, hosts) = (Arc::clone(&self.settings.connector), self.settings.hosts.clone());
        Box::pin(seek_read_write(connector, hosts, self.seek_pauses))
    }

    /// Takes note of how a handshake failed. A server that closes without a word may be behind what we have seen.
    pub(super) fn note_end(&mut self, end: LinkEnd) {
        if let Phase::Linked(Linked { link, round, up_since: None, is_insecure: false, .. }) = &mut self.phase
        {
            if end == LinkEnd::HandshakeLost {
                round.note_refusal();
            } else {
                round.note_failure(&link.peer(), &DisconnectReason::from(end));
            }
        }
    }

    /// Takes note of a connection that broke. A server may refuse our certificate after the handshake of TLS.
    pub(super) fn note_broken(&mut self, error: &io::Error) {
        tracing::debug!(%error, "connection lost");
        if let Phase::Linked(Linked { link, round, up_since: None, is_insecure, .. }) = &mut self.phase
            && let Some(failure) = TlsFailure::of(error)
        {
            *is_insecure = true;
            round.note_tls_failure(&link.peer(), &failure);
        }
    }

    fn end_round(&mut self, now: Instant, round: Round) {
        if round.is_refused_by_all() && self.session.last_zxid() > Zxid::ZERO {
            let since = *self.refused_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= self.settings.session_timeout.saturating_mul(2) {
                self.forget_history();
            }
        } else {
            self.refused_since = None;
        }
        if let Some(reason) = round.into_failure() {
            tracing::debug!(%reason, "no server reached");
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

    fn dial(&mut self, round: Box<Round>) {
        self.phase = Phase::Dialing(Box::pin(Arc::clone(&self.settings.connector).dial(round)));
    }
}

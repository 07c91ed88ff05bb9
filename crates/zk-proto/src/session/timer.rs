//! The deadlines of a session, as times told from outside.

use std::time::{Duration, Instant};

/// Longest time without a request before a ping, so that a long session timeout does not mean late
/// discovery of a dead server.
const PING_INTERVAL_MAX: Duration = Duration::from_secs(10);

/// When things were last heard and sent, and what follows from it.
#[derive(Debug)]
pub(super) struct Timers {
    session_timeout: Duration,
    handshake_deadline: Option<Instant>,
    heard: Option<Instant>,
    sent: Option<Instant>,
    ping_outstanding: bool,
}

impl Timers {
    pub(super) const fn new(session_timeout: Duration) -> Self {
        Self { session_timeout, handshake_deadline: None, heard: None, sent: None, ping_outstanding: false }
    }

    pub(super) fn handshake_started(&mut self, now: Instant, limit: Duration) {
        self.handshake_deadline = Some(now + limit);
        self.sent = Some(now);
        self.ping_outstanding = false;
    }

    /// The server has granted a session; the handshake may go on.
    pub(super) const fn session_granted(&mut self, now: Instant, session_timeout: Duration) {
        self.session_timeout = session_timeout;
        self.heard = Some(now);
    }

    pub(super) const fn session_started(&mut self, now: Instant) {
        self.handshake_deadline = None;
        self.heard = Some(now);
        self.sent = Some(now);
    }

    pub(super) fn link_ended(&mut self) {
        self.handshake_deadline = None;
        self.ping_outstanding = false;
    }

    /// There is no session any more that could expire.
    pub(super) fn session_ended(&mut self) {
        self.link_ended();
        self.heard = None;
    }

    pub(super) const fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
    }

    pub(super) const fn sent(&mut self, now: Instant) {
        self.sent = Some(now);
    }

    pub(super) const fn ping_sent(&mut self, now: Instant) {
        self.sent = Some(now);
        self.ping_outstanding = true;
    }

    pub(super) const fn ping_answered(&mut self) {
        self.ping_outstanding = false;
    }

    /// When a server that has not finished the handshake is given up.
    pub(super) const fn handshake_deadline(&self) -> Option<Instant> {
        self.handshake_deadline
    }

    /// When to ping: a third of the timeout after the last request, unless a ping is under way.
    pub(super) fn ping_due(&self) -> Option<Instant> {
        if self.ping_outstanding {
            return None;
        }
        self.sent.map(|sent| sent + (self.session_timeout / 3).min(PING_INTERVAL_MAX))
    }

    /// When a silent connection is given up: early enough to reach another server before the session ends.
    pub(super) fn silence_deadline(&self) -> Option<Instant> {
        self.heard.map(|heard| heard + self.session_timeout * 2 / 3)
    }

    /// When a session that is out of reach counts as expired: the server will have given it up by then.
    pub(super) fn expiry_deadline(&self) -> Option<Instant> {
        self.heard.map(|heard| heard + self.session_timeout * 4 / 3)
    }
}

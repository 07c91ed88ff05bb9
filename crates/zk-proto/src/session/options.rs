//! What a session is told once.

use std::time::Duration;

use crate::{
    frame::{FRAME_BYTES_MAX, REQUEST_BYTES_MAX},
    id::{Secret, SessionId, Zxid},
};

/// The protocol counts timeouts in milliseconds, in an `i32`.
const TIMEOUT_MAX: Duration = Duration::from_millis(i32::MAX as u64);

/// What fits into a request fits into the session's own packets too, with bytes to spare below 2 GiB.
const REQUEST_BYTES_LIMIT: usize = 1 << 30;

/// The settings of a [`Session`](crate::Session).
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionOptions {
    pub(super) timeout: Duration,
    pub(super) handshake_timeout: Option<Duration>,
    pub(super) read_only_allowed: bool,
    pub(super) frame_bytes_max: usize,
    pub(super) request_bytes_max: usize,
    pub(super) in_flight_max: usize,
    pub(super) queued_max: usize,
    pub(super) sasl: bool,
    pub(super) resumed: Option<(SessionId, Secret, Zxid)>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            handshake_timeout: None,
            read_only_allowed: false,
            frame_bytes_max: FRAME_BYTES_MAX,
            request_bytes_max: REQUEST_BYTES_MAX,
            in_flight_max: 1024,
            queued_max: 1024,
            sasl: false,
            resumed: None,
        }
    }
}

impl SessionOptions {
    /// Sets the session timeout to ask for; the server may grant another. 15 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(Duration::from_millis(1), TIMEOUT_MAX);
        self
    }

    /// Sets how long a connected server may take to answer the handshake. A third of the session timeout
    /// by default.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = Some(timeout.min(TIMEOUT_MAX));
        self
    }

    /// Sets whether a server that only reads will do. Not by default.
    pub const fn read_only_allowed(mut self, allowed: bool) -> Self {
        self.read_only_allowed = allowed;
        self
    }

    /// Sets the largest frame accepted from a server. 64 MiB by default.
    pub const fn frame_bytes_max(mut self, bytes_max: usize) -> Self {
        self.frame_bytes_max = bytes_max;
        self
    }

    /// Sets the largest request to send. 1,048,575 bytes by default, as on the server, which closes the
    /// connection on a larger one. At most 1 GiB.
    pub fn request_bytes_max(mut self, bytes_max: usize) -> Self {
        self.request_bytes_max = bytes_max.min(REQUEST_BYTES_LIMIT);
        self
    }

    /// Sets how many requests may wait for replies; at least one. 1,024 by default.
    pub fn in_flight_max(mut self, count_max: usize) -> Self {
        self.in_flight_max = count_max.max(1);
        self
    }

    /// Sets how many requests may wait to be encoded. 1,024 by default.
    pub const fn queued_max(mut self, count_max: usize) -> Self {
        self.queued_max = count_max;
        self
    }

    /// Makes every handshake include a SASL exchange: see
    /// [`SessionEvent::SaslChallenge`](crate::SessionEvent::SaslChallenge). Nothing else is sent before it has
    /// ended well.
    pub const fn sasl(mut self) -> Self {
        self.sasl = true;
        self
    }

    /// Goes on with a session that another client has left by
    /// [`Session::handle_detach`](crate::Session::handle_detach), or lost. The first connection asks for it;
    /// if the server no longer has it, it counts as expired.
    ///
    /// `last_zxid` is the newest transaction that the other client has seen, so that this one does not read
    /// from a server that is behind it. Watches are not handed over.
    pub fn resume(mut self, session_id: SessionId, password: Secret, last_zxid: Zxid) -> Self {
        self.resumed = Some((session_id, password, last_zxid));
        self
    }

    pub(super) fn handshake_limit(&self) -> Duration {
        self.handshake_timeout.unwrap_or(self.timeout / 3)
    }

    pub(super) fn timeout_millis(&self) -> i32 {
        i32::try_from(self.timeout.as_millis()).unwrap_or(i32::MAX)
    }
}

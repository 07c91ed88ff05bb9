//! How requests and connections fail.

use std::{error, fmt};

use thiserror::Error;

use crate::{
    codec::DecodeError,
    error_code::ErrorCode,
    frame::FrameError,
    id::{Xid, Zxid},
};

/// What is known about the effect of a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a third answer between yes and no is all there can be")]
pub enum Outcome {
    /// It was never sent.
    NotSent,
    /// It was not applied and never will be.
    Failed,
    /// It may have been applied, or may still be.
    Unknown,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FailureKind {
    /// The server answered with an error.
    #[error("server answered {0}")]
    Server(ErrorCode),
    /// The connection was lost before the reply.
    #[error("connection lost")]
    ConnectionLost,
    /// The session expired.
    #[error("session expired")]
    SessionExpired,
    /// The server refused credentials of this session, which is over.
    #[error("authentication failed")]
    AuthFailed,
    /// The session was closed by its owner.
    #[error("session closed")]
    Closed,
    /// The request is larger than the server accepts.
    #[error("request of {bytes} bytes is over the limit of {bytes_max}")]
    TooLarge {
        /// Size of the request.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The server answered with something that is no answer to this request.
    #[error("malformed reply")]
    Malformed(#[source] DecodeError),
}

/// The end of a request that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// Whether it was applied.
    pub outcome: Outcome,
    /// Why it failed.
    pub kind: FailureKind,
    /// The last transaction the server had applied when it answered, if it answered.
    pub zxid: Option<Zxid>,
}

/// The server broke the protocol; the connection must be closed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A frame has an unacceptable length.
    #[error("unacceptable frame")]
    Frame(#[from] FrameError),
    /// A header, a handshake or a notification cannot be decoded.
    #[error("malformed frame")]
    Decode(#[from] DecodeError),
    /// A reply to a request that was not sent.
    #[error("reply to unknown request {xid}")]
    UnexpectedXid {
        /// The number it came with.
        xid: Xid,
    },
}

/// A request was not taken, since as many as allowed are waiting already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{count_max} requests are waiting already")]
#[non_exhaustive]
pub struct QueueFull {
    /// The limit.
    pub count_max: usize,
}

impl Failure {
    /// The failure of a request that was not sent and will not be.
    #[must_use]
    pub const fn not_sent(kind: FailureKind) -> Self {
        Self { outcome: Outcome::NotSent, kind, zxid: None }
    }

    /// The failure of a request whose reply never came.
    pub(super) const fn unanswered(kind: FailureKind, is_write: bool) -> Self {
        let outcome = if is_write { Outcome::Unknown } else { Outcome::Failed };
        Self { outcome, kind, zxid: None }
    }

    /// The failure of a request that was answered by an error.
    pub(super) fn answered(code: ErrorCode, is_write: bool, zxid: Zxid) -> Self {
        let failed = !is_write || code.proves_not_applied();
        let outcome = if failed { Outcome::Failed } else { Outcome::Unknown };
        Self { outcome, kind: FailureKind::Server(code), zxid: zxid.known() }
    }

    /// Returns whether the request may have been applied.
    #[must_use]
    pub const fn maybe_applied(&self) -> bool {
        matches!(self.outcome, Outcome::Unknown)
    }

    /// Returns the server's error, if the server answered with one.
    #[must_use]
    pub const fn server_code(&self) -> Option<ErrorCode> {
        match self.kind {
            FailureKind::Server(code) => Some(code),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl error::Error for Failure {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        error::Error::source(&self.kind)
    }
}

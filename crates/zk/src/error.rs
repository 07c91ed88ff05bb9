//! How requests fail, and how a client cannot be made.

use std::fmt;

use quorate_zk_proto::{
    DecodeError, ErrorCode, Failure, FailureKind, OpCode, Outcome, PathError, Request, ZnodePath, Zxid,
};
use thiserror::Error;

use crate::tls::TlsConfigError;

/// Why a client cannot be made from its options.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no host to connect to.
    #[error("no host given")]
    NoHosts,
    /// A host is not of the form `name`, `name:port` or `[address]:port`.
    #[error("{host:?} is not a host with a port")]
    InvalidHost {
        /// The host as given.
        host: String,
    },
    /// What follows the hosts of a connect string is not a path.
    #[error("{chroot:?} is not a chroot")]
    InvalidChroot {
        /// The chroot as given.
        chroot: String,
        /// Why not.
        #[source]
        error: PathError,
    },
    /// A user of scheme `digest` has a colon in the name, and would be taken for another one.
    #[error("{user:?} is not a user, since a colon ends the name")]
    InvalidUser {
        /// The user as given.
        user: String,
    },
    /// There are more identities than a session can have.
    #[error("a session has at most {count_max} identities")]
    TooManyIdentities {
        /// The most there can be.
        count_max: usize,
    },
    /// TLS cannot be set up as asked.
    #[error(transparent)]
    Tls(#[from] TlsConfigError),
    /// Connections are to be secured by TLS and also opened by a dialer.
    #[error("TLS is not for connections that a dialer opens")]
    TlsWithDialer,
    /// There is no tokio runtime to run the session in.
    #[error("called outside a tokio runtime")]
    NoRuntime,
}

/// Why a client did not connect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// It cannot be made from what was given.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There will be no session.
    #[error(transparent)]
    Session(#[from] RequestError),
}

/// What a request was about, kept for its error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) op: OpCode,
    pub(crate) path: Option<ZnodePath>,
    pub(crate) is_write: bool,
}

impl Subject {
    pub(crate) fn of(request: &Request) -> Self {
        Self { op: request.op(), path: request.path().cloned(), is_write: request.is_write() }
    }

    pub(crate) fn watch(path: &ZnodePath) -> Self {
        Self { op: OpCode::AddWatch, path: Some(path.clone()), is_write: false }
    }

    pub(crate) fn not_sent(self, kind: FailureKind) -> RequestError {
        self.failed(Outcome::NotSent, kind)
    }

    /// The error of a request whose driver is gone, so that nobody knows whether it was sent.
    pub(crate) fn abandoned(self) -> RequestError {
        let outcome = if self.is_write { Outcome::Unknown } else { Outcome::Failed };
        self.failed(outcome, FailureKind::Closed)
    }

    /// The error of a request whose reply cannot be made sense of.
    pub(crate) fn unreadable(self, kind: FailureKind) -> RequestError {
        RequestError { kind: Some(kind), ..self.abandoned() }
    }

    pub(crate) fn answered(self, failure: Failure) -> RequestError {
        let zxid = failure.zxid;
        RequestError { zxid, ..self.failed(failure.outcome, failure.kind) }
    }

    /// The error of a request that its caller waits for no longer.
    pub(crate) fn overdue(self, is_withdrawn: bool) -> RequestError {
        let outcome = match (is_withdrawn, self.is_write) {
            (true, _) => Outcome::NotSent,
            (false, true) => Outcome::Unknown,
            (false, false) => Outcome::Failed,
        };
        RequestError { outcome, kind: None, op: Some(self.op), path: self.path, zxid: None }
    }

    pub(crate) fn failed(self, outcome: Outcome, kind: FailureKind) -> RequestError {
        RequestError { outcome, kind: Some(kind), op: Some(self.op), path: self.path, zxid: None }
    }
}

/// A request that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestError {
    outcome: Outcome,
    /// `None` if the caller's deadline passed.
    kind: Option<FailureKind>,
    op: Option<OpCode>,
    path: Option<ZnodePath>,
    zxid: Option<Zxid>,
}

impl RequestError {
    /// The error of waiting for a session that will never be.
    pub(crate) const fn without_session(kind: FailureKind) -> Self {
        Self { outcome: Outcome::NotSent, kind: Some(kind), op: None, path: None, zxid: None }
    }

    /// The error of a reply with the body of another operation, which the session never makes of any frame.
    pub(crate) const fn of_another_kind() -> Self {
        let kind = Some(FailureKind::Malformed(DecodeError::UnknownCode { field: "ReplyBody", code: 0 }));
        Self { outcome: Outcome::Unknown, kind, op: None, path: None, zxid: None }
    }

    /// The error of a multi that was refused because the session is over.
    pub(crate) const fn of_expired_multi(zxid: Zxid) -> Self {
        let kind = Some(FailureKind::Server(ErrorCode::SessionExpired));
        Self { outcome: Outcome::Failed, kind, op: Some(OpCode::Multi), path: None, zxid: Some(zxid) }
    }

    /// The same request failed for good, since its caller waits no longer for it to be made again.
    pub(crate) fn overdue(self) -> Self {
        Self { kind: None, ..self }
    }

    /// The same request failed because its session is over, whatever was seen of it first.
    pub(crate) fn in_ended_session(self) -> Self {
        Self { kind: Some(FailureKind::SessionExpired), ..self }
    }

    /// Replaces the path, by the one the caller knows.
    pub(crate) fn about(self, path: ZnodePath) -> Self {
        Self { path: Some(path), ..self }
    }

    /// Says that nothing was applied, whatever became of the request: for those whose effect would be none, or
    /// would do no harm.
    #[must_use]
    pub fn failed(self) -> Self {
        let outcome = if self.outcome == Outcome::Unknown { Outcome::Failed } else { self.outcome };
        Self { outcome, ..self }
    }

    /// Returns what is known about the effect of the request.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns why it failed; `None` if its [deadline](crate::Operation::deadline) passed.
    #[must_use]
    pub const fn kind(&self) -> Option<&FailureKind> {
        self.kind.as_ref()
    }

    /// Returns the operation; `None` if it was waiting for a session.
    #[must_use]
    pub const fn op(&self) -> Option<OpCode> {
        self.op
    }

    /// Returns the path it was about, where there is exactly one.
    #[must_use]
    pub const fn path(&self) -> Option<&ZnodePath> {
        self.path.as_ref()
    }

    /// Returns the server's error, if the server answered with one.
    #[must_use]
    pub const fn code(&self) -> Option<ErrorCode> {
        match self.kind {
            Some(FailureKind::Server(code)) => Some(code),
            _ => None,
        }
    }

    /// Returns the last transaction the server had applied when it answered, if it answered.
    #[must_use]
    pub const fn zxid(&self) -> Option<Zxid> {
        self.zxid
    }

    /// Returns whether the request may have been applied, or may still be.
    #[must_use]
    pub const fn maybe_applied(&self) -> bool {
        matches!(self.outcome, Outcome::Unknown)
    }

    /// Returns whether the session was found expired.
    #[must_use]
    pub const fn is_session_expired(&self) -> bool {
        matches!(
            self.kind,
            Some(FailureKind::SessionExpired | FailureKind::Server(ErrorCode::SessionExpired))
        )
    }

    /// Returns whether the connection was lost before the reply.
    #[must_use]
    pub const fn is_connection_lost(&self) -> bool {
        matches!(self.kind, Some(FailureKind::ConnectionLost))
    }

    /// Returns whether the client is closed.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.kind, Some(FailureKind::Closed))
    }

    /// Returns whether the server refused credentials of this client, which is over.
    #[must_use]
    pub const fn is_auth_failed(&self) -> bool {
        matches!(self.kind, Some(FailureKind::AuthFailed | FailureKind::Server(ErrorCode::AuthFailed)))
    }

    /// Returns whether the request is larger than the server accepts.
    #[must_use]
    pub const fn is_too_large(&self) -> bool {
        matches!(self.kind, Some(FailureKind::TooLarge { .. }))
    }

    /// Returns whether the caller's deadline passed before the reply.
    #[must_use]
    pub const fn is_deadline_exceeded(&self) -> bool {
        self.kind.is_none()
    }

    /// Returns whether the server does not know the operation, or has it switched off.
    #[must_use]
    pub const fn is_unsupported(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::Unimplemented))
    }

    /// Returns whether the server was too busy, and did nothing.
    #[must_use]
    pub const fn is_throttled(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::ThrottledOp))
    }

    /// Returns whether the server has no quorum and only reads.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::NotReadOnly))
    }

    /// Returns whether the same request may succeed when it is made again, and would not be applied twice.
    ///
    /// So it failed in passing: the connection was lost, the session expired, or the server was busy or without a
    /// leader. And it is a read, or a write that was surely not applied.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        !self.maybe_applied()
            && match &self.kind {
                Some(kind) => is_passing(kind),
                None => false,
            }
    }
}

/// Returns whether the same request may succeed next time, by why it failed.
pub(crate) const fn is_passing(kind: &FailureKind) -> bool {
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

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.op {
            Some(op) => write!(f, "{op:?}")?,
            None => f.write_str("session")?,
        }
        if let Some(path) = &self.path {
            write!(f, " {path}")?;
        }
        match &self.kind {
            Some(kind) => write!(f, ": {kind}")?,
            None => f.write_str(": deadline exceeded")?,
        }
        match self.outcome {
            Outcome::NotSent => f.write_str(" (not sent)"),
            Outcome::Unknown => f.write_str(" (may have been applied)"),
            Outcome::Failed => Ok(()),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.as_ref().and_then(std::error::Error::source)
    }
}

//! Where a client stands, as everybody may watch it.

use std::{fmt, net::SocketAddr, time::Duration};

use quorate_zk_proto::{DisconnectReason as LinkEnd, SessionId};
use thiserror::Error;

/// The state of a client. A watch of it shows the latest and may skip some.
///
/// Every state carries the client's *history*: how often the ensemble was found wiped or restored. Each time, what
/// was read before may be newer than what is there now; it is raised before anything of the new ensemble is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientState {
    /// Looking for a server for the first time, or shaking hands with one.
    Connecting {
        /// How often the ensemble was found wiped or restored.
        history: u64,
    },
    /// The session is up.
    Connected {
        /// Its id.
        session_id: SessionId,
        /// The timeout that the server granted.
        timeout: Duration,
        /// Whether the server only reads.
        read_only: bool,
        /// The server.
        server: SocketAddr,
        /// How often the ensemble was found wiped or restored.
        history: u64,
    },
    /// There is no connection, and another is being sought. The session, if there is one, lives on for now.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
        /// How often the ensemble was found wiped or restored.
        history: u64,
    },
    /// The session is over, and its ephemeral znodes are gone. A new one is being started.
    Expired {
        /// How often the ensemble was found wiped or restored.
        history: u64,
    },
    /// The server refused credentials. Final.
    AuthFailed {
        /// How often the ensemble was found wiped or restored.
        history: u64,
    },
    /// The client was closed. Final.
    Closed {
        /// How often the ensemble was found wiped or restored.
        history: u64,
    },
}

impl ClientState {
    /// Returns whether requests reach a server.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. })
    }

    /// Returns whether no other state can follow.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::AuthFailed { .. } | Self::Closed { .. })
    }

    /// Returns the id of the session that is up; `None` while there is no connection.
    #[must_use]
    pub const fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::Connected { session_id, .. } => Some(*session_id),
            _ => None,
        }
    }

    /// Returns how often the ensemble was found wiped or restored.
    #[must_use]
    pub const fn history(&self) -> u64 {
        match self {
            Self::Connecting { history }
            | Self::Connected { history, .. }
            | Self::Disconnected { history, .. }
            | Self::Expired { history }
            | Self::AuthFailed { history }
            | Self::Closed { history } => *history,
        }
    }
}

impl fmt::Display for ClientState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { .. } => f.write_str("connecting"),
            Self::Connected { server, read_only: false, .. } => write!(f, "connected to {server}"),
            Self::Connected { server, .. } => write!(f, "connected to {server}, which only reads"),
            Self::Disconnected { reason, .. } => write!(f, "disconnected: {reason}"),
            Self::Expired { .. } => f.write_str("session expired"),
            Self::AuthFailed { .. } => f.write_str("authentication failed"),
            Self::Closed { .. } => f.write_str("closed"),
        }
    }
}

/// Why a client has no connection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// No address of any host could be connected to.
    #[error("no server reached: {detail}")]
    Unreachable {
        /// The last attempt and its error.
        detail: String,
    },
    /// A server was reached, but not in a secure way. Waiting seldom helps.
    #[error("TLS failed: {detail}")]
    TlsFailed {
        /// The server and its error.
        detail: String,
    },
    /// The connection was lost.
    #[error("connection lost")]
    ConnectionLost,
    /// The servers closed the connection during the handshake, as they do when they have no quorum, are full,
    /// or are behind what this client has seen; and those that want TLS of a client without it.
    #[error("connection closed during the handshake")]
    HandshakeLost,
    /// The server took too long for the handshake.
    #[error("handshake timed out")]
    HandshakeTimedOut,
    /// The server refused to start a session.
    #[error("session refused")]
    SessionRefused,
    /// Nothing was heard for two thirds of the session timeout.
    #[error("server silent")]
    Silent,
    /// The server broke the protocol.
    #[error("protocol error")]
    ProtocolError,
}

impl From<LinkEnd> for DisconnectReason {
    fn from(end: LinkEnd) -> Self {
        match end {
            LinkEnd::HandshakeLost => Self::HandshakeLost,
            LinkEnd::HandshakeTimedOut => Self::HandshakeTimedOut,
            LinkEnd::SessionRefused => Self::SessionRefused,
            LinkEnd::Silent => Self::Silent,
            LinkEnd::ProtocolError => Self::ProtocolError,
            _ => Self::ConnectionLost,
        }
    }
}

//! Where a session stands.

use std::time::Duration;

use crate::id::{Secret, SessionId};

/// The state of a session. The transitions are in `session/link.rs`.
///
/// A driver keeps a socket exactly while the state is `Connecting` or `Connected`
/// ([`is_linked`](Self::is_linked)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver handles every state")]
pub enum SessionState {
    /// There is no connection. The session, if there is one, lives on at the server for now.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
    },
    /// A socket is connected and the handshake under way, a SASL exchange included.
    Connecting,
    /// The session is up.
    Connected {
        /// Its id.
        session_id: SessionId,
        /// The timeout that the server granted.
        timeout: Duration,
        /// Whether the server only reads.
        read_only: bool,
        /// Whether this is the session from before; if not, it is a new one.
        reused: bool,
    },
    /// The session is over, and its ephemeral znodes and watches are gone. The next connection starts a
    /// new one.
    Expired,
    /// The server refused credentials, or a SASL exchange failed. Final.
    AuthFailed,
    /// The owner closed or detached the session. Final.
    Closed,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// There was none yet.
    NotYetConnected,
    /// The driver lost it.
    ConnectionLost,
    /// The driver lost it during the handshake. A server closes when it is behind what this client has
    /// seen, when it only reads, or when it is full: another one may do. This is never an expiry.
    HandshakeLost,
    /// The server took too long for the handshake.
    HandshakeTimedOut,
    /// The server refused to start a new session.
    SessionRefused,
    /// Nothing was heard for two thirds of the session timeout.
    Silent,
    /// The server broke the protocol.
    ProtocolError,
}

impl SessionState {
    /// Returns whether a socket belongs to this state.
    #[must_use]
    pub const fn is_linked(self) -> bool {
        matches!(self, Self::Connecting | Self::Connected { .. })
    }

    /// Returns whether requests reach the server.
    #[must_use]
    pub const fn is_connected(self) -> bool {
        matches!(self, Self::Connected { .. })
    }

    /// Returns whether no other state can follow.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::AuthFailed | Self::Closed)
    }
}

/// A session as its server knows it.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) session_id: SessionId,
    pub(super) password: Secret,
    /// A session that only servers outside the quorum have seen does not exist for the ensemble.
    pub(super) known_to_ensemble: bool,
}

/// How far the owner's wish to close has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    No,
    /// Waits for the requests before it to be encoded.
    Asked,
    /// Waits for its reply.
    Sent,
    /// Waits for every reply, and then leaves the session to somebody else.
    Detaching,
}

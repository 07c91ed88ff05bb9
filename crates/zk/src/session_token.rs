//! One session, and whether it is over.

use std::time::Duration;

use quorate_zk_proto::{Secret, SessionId, Zxid};
use tokio::sync::watch;

/// A handle on one session of a client. Cheap to clone; it does not keep the session alive.
///
/// It counts as expired before any reply, notification or state of a later session is told. So whoever finds it
/// alive after a reply knows that the reply is this session's, or an earlier one's.
#[derive(Clone, Debug)]
pub struct SessionToken {
    id: SessionId,
    timeout: Duration,
    expired: watch::Receiver<bool>,
}

impl SessionToken {
    /// Makes the token of a session, and what ends it.
    pub(crate) fn new(id: SessionId, timeout: Duration) -> (Self, SessionLife) {
        let (sender, expired) = watch::channel(false);
        (Self { id, timeout, expired }, SessionLife { id, expired: sender })
    }

    /// Returns the session's id, which its ephemeral znodes carry as their owner.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// Returns the timeout that the server granted.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns a watch that turns `true` once the session has expired or was closed.
    #[must_use]
    pub fn expired(&self) -> watch::Receiver<bool> {
        self.expired.clone()
    }

    /// Returns whether the session has expired or was closed.
    #[must_use]
    pub fn has_expired(&self) -> bool {
        *self.expired.borrow()
    }
}

/// The driver's end of a [`SessionToken`]. Dropping it ends the session for everybody.
#[derive(Debug)]
pub(crate) struct SessionLife {
    id: SessionId,
    expired: watch::Sender<bool>,
}

impl SessionLife {
    pub(crate) const fn id(&self) -> SessionId {
        self.id
    }
}

impl Drop for SessionLife {
    fn drop(&mut self) {
        self.expired.send_replace(true);
    }
}

/// A session on its way from one client to another, perhaps in another process.
///
/// Whoever has it owns the session: keep the password as safe as what the session may do. The session must be
/// resumed ([`ClientOptions::resume`](crate::ClientOptions::resume)) within its timeout, or it expires. Watches do
/// not go along.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionHandover {
    /// Its id.
    pub id: SessionId,
    /// Its password.
    pub password: Secret,
    /// The newest transaction that was seen in it: no server that is behind it will do.
    pub last_zxid: Zxid,
}

impl SessionHandover {
    /// Puts a session together again that was handed over as numbers and bytes.
    #[must_use]
    pub const fn new(id: SessionId, password: Secret, last_zxid: Zxid) -> Self {
        Self { id, password, last_zxid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_expires_with_its_session() {
        let (token, life) = SessionToken::new(SessionId::new(7), Duration::from_secs(4));
        assert!(!token.has_expired());
        drop(life);
        assert!(token.has_expired());
        assert!(*token.expired().borrow());
    }
}

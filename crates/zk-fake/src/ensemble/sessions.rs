//! The sessions: their ids, passwords, timeouts and deadlines.

use std::collections::BTreeMap;

use bytes::{BufMut, BytesMut};
use quorate_zk_proto::{Secret, SessionId};

use super::{ConnectionId, Millis};

/// The first id, with a server's number in its highest byte as real ones have.
const FIRST: i64 = 0x0100_0000_0000_0001;

/// The first id of a server without a quorum.
const FIRST_READ_ONLY: i64 = 0x0200_0000_0000_0001;

/// Mixed into passwords, so that they cannot be taken for ids.
const SALT: i64 = 0x5155_4f52_4154_4521;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) timeout: Millis,
    pub(crate) deadline: Millis,
    /// The connection that owns it now.
    pub(crate) connection: Option<ConnectionId>,
}

/// A password that does not belong to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongPassword;

/// All live sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    live: BTreeMap<SessionId, Session>,
    next_id: i64,
}

impl Sessions {
    pub(crate) const fn new() -> Self {
        Self { live: BTreeMap::new(), next_id: FIRST }
    }

    /// Makes room for the sessions of servers that only read.
    pub(crate) const fn read_only() -> Self {
        Self { live: BTreeMap::new(), next_id: FIRST_READ_ONLY }
    }

    /// Starts a session and returns its id; ids are never given out twice.
    pub(crate) fn start(&mut self, now: Millis, timeout: Millis, connection: ConnectionId) -> SessionId {
        let id = SessionId::new(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let session =
            Session { timeout, deadline: now.saturating_add(timeout), connection: Some(connection) };
        self.live.insert(id, session);
        id
    }

    /// Hands a session to another connection. Returns the one it had, or `None` if there is no such session
    /// or the password is wrong.
    pub(crate) fn reopen(
        &mut self,
        now: Millis,
        id: SessionId,
        password: &Secret,
        timeout: Millis,
        connection: ConnectionId,
    ) -> Option<Option<ConnectionId>> {
        let session = self.live.get_mut(&id).filter(|_| *password == password_of(id))?;
        session.timeout = timeout;
        session.deadline = now.saturating_add(timeout);
        Some(session.connection.replace(connection))
    }

    /// Takes over a session that another server started, which only its password proves. Returns the connection
    /// it had here.
    pub(crate) fn adopt(
        &mut self,
        now: Millis,
        id: SessionId,
        password: &Secret,
        timeout: Millis,
        connection: ConnectionId,
    ) -> Result<Option<ConnectionId>, WrongPassword> {
        if *password != password_of(id) {
            return Err(WrongPassword);
        }
        let deadline = now.saturating_add(timeout);
        let older = self.live.insert(id, Session { timeout, deadline, connection: Some(connection) });
        Ok(older.and_then(|older| older.connection))
    }

    /// Returns whether there is such a session.
    pub(crate) fn contains(&self, id: SessionId) -> bool {
        self.live.contains_key(&id)
    }

    /// Gives every session its whole timeout again.
    pub(crate) fn renew(&mut self, now: Millis) {
        for session in self.live.values_mut() {
            session.deadline = now.saturating_add(session.timeout);
        }
    }

    /// Takes note that a session was heard of.
    pub(crate) fn touch(&mut self, now: Millis, id: SessionId) {
        if let Some(session) = self.live.get_mut(&id) {
            session.deadline = now.saturating_add(session.timeout);
        }
    }

    /// Takes note that a connection is gone; the session lives on until its deadline.
    pub(crate) fn disconnect(&mut self, id: SessionId, connection: ConnectionId) {
        if let Some(session) = self.live.get_mut(&id) {
            session.connection = session.connection.filter(|&owner| owner != connection);
        }
    }

    pub(crate) fn remove(&mut self, id: SessionId) -> Option<Session> {
        self.live.remove(&id)
    }

    pub(crate) fn clear(&mut self) {
        self.live.clear();
    }

    /// Gives every session so much more time.
    pub(crate) fn postpone(&mut self, by: Millis) {
        for session in self.live.values_mut() {
            session.deadline = session.deadline.saturating_add(by);
        }
    }

    pub(crate) fn expired(&self, now: Millis) -> Vec<SessionId> {
        let due = self.live.iter().filter(|(_, session)| session.deadline <= now);
        due.map(|(&id, _)| id).collect()
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.live.values().map(|session| session.deadline).min()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.live.iter().map(|(&id, session)| (id, session))
    }
}

/// Returns the password of a session; as on a server it follows from the id.
pub(crate) fn password_of(id: SessionId) -> Secret {
    let mut password = BytesMut::with_capacity(16);
    password.put_i64(id.get() ^ SALT);
    password.put_i64(id.get().wrapping_mul(SALT));
    Secret::new(password.freeze())
}

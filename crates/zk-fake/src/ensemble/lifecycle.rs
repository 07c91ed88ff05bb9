//! How connections and sessions come and go.

use quorate_zk_proto::{ANY_VERSION, SessionId};

use super::{
    ConnectionId, Ensemble, Millis,
    acl::superuser,
    connection::{Connection, Phase},
    sessions::Sessions,
};

impl Ensemble {
    /// Takes note of a fresh connection to a server.
    pub(crate) fn handle_connected(&mut self, server: usize) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.journal.counters.connections += 1;
        self.connections.insert(id, Connection::new(server));
        id
    }

    /// Takes note that a connection is gone. Its watches go with it; its session lives on.
    pub(crate) fn handle_disconnected(&mut self, id: ConnectionId) {
        self.close(id);
        self.connections.remove(&id);
        self.dirty.remove(&id);
    }

    /// Expires sessions that were silent for too long. Nobody does while there is no quorum, but for the
    /// sessions that began then.
    pub(crate) fn handle_timeout(&mut self, now: Millis) {
        for session in self.present_sessions().expired(now) {
            self.end_session(now, session);
        }
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub(crate) fn poll_timeout(&mut self) -> Option<Millis> {
        self.present_sessions().next_deadline()
    }

    /// Gives every session as much more time as the servers were silent.
    pub(crate) fn handle_resumed(&mut self, silent: Millis) {
        self.present_sessions().postpone(silent);
    }

    /// Returns the sessions that connections are now on.
    pub(super) fn present_sessions(&mut self) -> &mut Sessions {
        if self.has_quorum() { &mut self.sessions } else { &mut self.read_only_sessions }
    }

    /// Ends a session: its ephemeral znodes and its connections go. Returns whether there was one.
    pub(crate) fn end_session(&mut self, now: Millis, session: SessionId) -> bool {
        self.end_session_except(now, session, None)
    }

    /// Ends a session, but leaves a connection open for the answer.
    pub(super) fn end_session_except(
        &mut self,
        now: Millis,
        session: SessionId,
        open: Option<ConnectionId>,
    ) -> bool {
        let ended = self.read_only_sessions.remove(session).is_some() | self.delete_ephemerals(now, session);
        if ended {
            self.close_where(|id, connection| connection.session() == Some(session) && Some(id) != open);
        }
        ended
    }

    fn delete_ephemerals(&mut self, now: Millis, session: SessionId) -> bool {
        if self.sessions.remove(session).is_none() {
            return false;
        }
        let doomed = self.tree.ephemerals(session);
        // One transaction for all; none of them can have children, so none of the deletions can fail.
        let _ = self.transact(now, &[superuser()], |tree, txn| {
            doomed.iter().try_for_each(|path| tree.delete(txn, path, ANY_VERSION))
        });
        true
    }

    /// Returns whether a connection is to be closed.
    pub(crate) fn is_closing(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_none_or(|connection| connection.phase == Phase::Closing)
    }

    /// Closes a connection once what was answered is sent. It hears of nothing from now on.
    pub(super) fn close(&mut self, id: ConnectionId) {
        self.watches_at(id).drop_connection(id);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let session = connection.session();
        connection.phase = Phase::Closing;
        connection.held = None;
        self.dirty.insert(id);
        if let Some(session) = session {
            self.sessions.disconnect(session, id);
            self.read_only_sessions.disconnect(session, id);
        }
    }

    /// Closes all connections to a server once what was answered is sent.
    pub(super) fn close_all(&mut self, server: usize) {
        self.close_where(|_, connection| connection.server == server);
    }

    /// Closes connections, without sending what was answered.
    pub(crate) fn cut(&mut self, id: ConnectionId) {
        self.close(id);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.out.clear();
            connection.late = None;
        }
    }

    /// Closes all connections, without sending what was answered.
    pub(crate) fn cut_all(&mut self) {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        ids.into_iter().for_each(|id| self.cut(id));
    }

    /// Sends nothing more over the connections that are up, but goes on reading them.
    pub(crate) fn half_close_all(&mut self) {
        for (&id, connection) in &mut self.connections {
            connection.half_closed = true;
            self.dirty.insert(id);
        }
    }

    fn close_where(&mut self, doomed: impl Fn(ConnectionId, &Connection) -> bool) {
        let ids = self.connections.iter().filter(|&(&id, connection)| doomed(id, connection));
        for id in ids.map(|(&id, _)| id).collect::<Vec<_>>() {
            self.close(id);
        }
    }
}

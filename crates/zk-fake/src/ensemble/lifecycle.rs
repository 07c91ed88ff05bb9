//! How connections and sessions come and go.

use quorate_zk_proto::{ANY_VERSION, SessionId};

use super::{
    ConnectionId, Ensemble, Millis,
    acl::superuser,
    connection::{Connection, Phase},
};

impl Ensemble {
    /// Takes note of a fresh connection.
    pub(crate) fn handle_connected(&mut self) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.journal.counters.connections += 1;
        self.connections.insert(id, Connection::new());
        id
    }

    /// Takes note that a connection is gone. Its watches go with it; its session lives on.
    pub(crate) fn handle_disconnected(&mut self, id: ConnectionId) {
        self.close(id);
        self.connections.remove(&id);
        self.dirty.remove(&id);
    }

    /// Expires sessions that were silent for too long.
    pub(crate) fn handle_timeout(&mut self, now: Millis) {
        for session in self.sessions.expired(now) {
            self.end_session(now, session);
        }
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Millis> {
        self.sessions.next_deadline()
    }

    /// Gives every session as much more time as the server was silent.
    pub(crate) fn handle_resumed(&mut self, silent: Millis) {
        self.sessions.postpone(silent);
    }

    /// Ends a session: its ephemeral znodes and its connection go. Returns whether there was one.
    pub(crate) fn end_session(&mut self, now: Millis, session: SessionId) -> bool {
        let Some(ended) = self.delete_ephemerals(now, session) else { return false };
        if let Some(id) = ended {
            self.close(id);
        }
        true
    }

    /// Ends a session, but leaves its connection open for the answer, and returns it.
    pub(super) fn delete_ephemerals(
        &mut self,
        now: Millis,
        session: SessionId,
    ) -> Option<Option<ConnectionId>> {
        let ended = self.sessions.remove(session)?;
        let doomed = self.tree.ephemerals(session);
        // One transaction for all; none of them can have children, so none of the deletions can fail.
        let _ = self.transact(now, &[superuser()], |tree, txn| {
            doomed.iter().try_for_each(|path| tree.delete(txn, path, ANY_VERSION))
        });
        Some(ended.connection)
    }

    /// Closes a connection once what was answered is sent. It hears of nothing from now on.
    pub(super) fn close(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if let Some(session) = connection.session() {
            self.sessions.disconnect(session, id);
        }
        connection.phase = Phase::Closing;
        self.watches.drop_connection(id);
        self.dirty.insert(id);
    }

    /// Closes all connections, without sending what was answered.
    pub(crate) fn cut_all(&mut self) {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            self.close(id);
        }
        for connection in self.connections.values_mut() {
            connection.out.clear();
        }
    }
}

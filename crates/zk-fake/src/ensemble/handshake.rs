//! The first frame of a connection: starting a session, or going on with one.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::{Codec, ConnectRequest, ConnectResponse, Reader, Secret, SessionId, put_frame};

use super::{
    ConnectionId, Ensemble, Millis,
    connection::Phase,
    sessions::{WrongPassword, password_of},
};

const PASSWORD_BYTES: usize = 16;

/// What is answered.
#[derive(Clone, Copy, Debug)]
struct Granted {
    session: SessionId,
    timeout: Millis,
    read_only: bool,
}

impl Ensemble {
    /// Answers a connect request, or closes without an answer if the client has seen more than the server.
    pub(super) fn take_connect(&mut self, now: Millis, id: ConnectionId, frame: Bytes) {
        let Ok(request) = ConnectRequest::decode(&mut Reader::new(frame)) else { return self.close(id) };
        if self.faults.closes_handshake() || request.last_zxid_seen > self.zxid_at(id) {
            return self.close(id);
        }
        let tick = self.config.tick;
        let timeout = Millis::from(request.timeout_millis).clamp(2 * tick, 20 * tick);
        if !self.has_quorum() {
            return self.take_read_only_connect(now, id, &request, timeout);
        }
        let new = request.session_id.is_none() || !self.config.sessions_resume;
        let session = if new {
            self.start_session(now, id, timeout)
        } else {
            self.reopen_session(now, id, &request, timeout)
        };
        let granted = session.map(|session| Granted { session, timeout, read_only: false });
        self.finish_connect(id, &request, granted, new);
    }

    /// Servers without a quorum talk only to those who asked for it, and leave the ensemble's sessions alone.
    fn take_read_only_connect(
        &mut self,
        now: Millis,
        id: ConnectionId,
        request: &ConnectRequest,
        timeout: Millis,
    ) {
        if request.read_only != Some(true) || self.sessions.contains(request.session_id) {
            return self.close(id);
        }
        let sessions = &mut self.read_only_sessions;
        let session = if request.session_id.is_none() {
            Some(sessions.start(now, timeout, id))
        } else {
            match sessions.adopt(now, request.session_id, &request.password, timeout, id) {
                Ok(older) => {
                    older.into_iter().for_each(|older| self.leave(older, id, request.session_id));
                    Some(request.session_id)
                }
                Err(WrongPassword) => None,
            }
        };
        let granted = session.map(|session| Granted { session, timeout, read_only: true });
        self.finish_connect(id, request, granted, false);
    }

    /// A new session is a transaction.
    fn start_session(&mut self, now: Millis, id: ConnectionId, timeout: Millis) -> Option<SessionId> {
        let session = self.sessions.start(now, timeout, id);
        self.transact(now, &[], |_, _| Ok(session)).ok()
    }

    fn reopen_session(
        &mut self,
        now: Millis,
        id: ConnectionId,
        request: &ConnectRequest,
        timeout: Millis,
    ) -> Option<SessionId> {
        let session = request.session_id;
        let before = self.sessions.reopen(now, session, &request.password, timeout, id)?;
        if let Some(older) = before {
            self.leave(older, id, session);
        }
        Some(session)
    }

    /// A session that comes back to the server it is on closes its older connection there.
    fn leave(&mut self, older: ConnectionId, newer: ConnectionId, session: SessionId) {
        let moves = self.config.sessions_move || self.server_of(older) != self.server_of(newer);
        match self.connections.get_mut(&older) {
            Some(connection) if moves => connection.phase = Phase::Moved(session),
            _ => self.close(older),
        }
    }

    fn finish_connect(
        &mut self,
        id: ConnectionId,
        request: &ConnectRequest,
        granted: Option<Granted>,
        is_transaction: bool,
    ) {
        let refused = Granted { session: SessionId::NONE, timeout: 0, read_only: !self.has_quorum() };
        let Granted { session, timeout, read_only } = granted.unwrap_or(refused);
        let password = match granted {
            Some(_) => password_of(session),
            None => Secret::new(Bytes::from_static(&[0; PASSWORD_BYTES])),
        };
        let response = ConnectResponse {
            protocol_version: 0,
            timeout_millis: i32::try_from(timeout).unwrap_or(i32::MAX),
            session_id: session,
            password,
            read_only: request.read_only.map(|_| read_only),
        };
        let mut packet = BytesMut::new();
        if put_frame(&mut packet, i32::MAX as usize, |out| response.encode(out)).is_err() {
            return self.close(id);
        }
        match self.connections.get_mut(&id) {
            Some(connection) if granted.is_some() => connection.phase = Phase::Up(session),
            _ => {}
        }
        if is_transaction {
            self.deliver_applied(id, packet, false);
        } else {
            self.deliver(id, &packet, false);
        }
        if granted.is_none() {
            self.close(id);
        }
    }
}

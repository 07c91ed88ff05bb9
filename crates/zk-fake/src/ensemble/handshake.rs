//! The first frame of a connection: starting a session, or going on with one.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::{Codec, ConnectRequest, ConnectResponse, Reader, Secret, SessionId, put_frame};

use super::{ConnectionId, Ensemble, Millis, connection::Phase, sessions::password_of};

const PASSWORD_BYTES: usize = 16;

impl Ensemble {
    /// Answers a connect request, or closes without an answer if the client has seen more than there is.
    pub(super) fn take_connect(&mut self, now: Millis, id: ConnectionId, frame: Bytes) {
        let Ok(request) = ConnectRequest::decode(&mut Reader::new(frame)) else { return self.close(id) };
        if request.last_zxid_seen > self.zxid {
            return self.close(id);
        }
        let tick = self.config.tick;
        let timeout = Millis::from(request.timeout_millis).clamp(2 * tick, 20 * tick);
        let session = if request.session_id.is_none() {
            self.start_session(now, id, timeout)
        } else {
            self.reopen_session(now, id, &request, timeout)
        };
        match session {
            Some(session) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.phase = Phase::Up(session);
                }
                self.answer_connect(id, &request, timeout, session, password_of(session));
            }
            None => {
                let nothing = Secret::new(Bytes::from_static(&[0; PASSWORD_BYTES]));
                self.answer_connect(id, &request, 0, SessionId::NONE, nothing);
                self.close(id);
            }
        }
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
            self.leave(older, session);
        }
        Some(session)
    }

    /// A session that comes back to the server it is on closes its older connection there.
    fn leave(&mut self, older: ConnectionId, session: SessionId) {
        match self.connections.get_mut(&older) {
            Some(connection) if self.config.sessions_move => connection.phase = Phase::Moved(session),
            _ => self.close(older),
        }
    }

    fn answer_connect(
        &mut self,
        id: ConnectionId,
        request: &ConnectRequest,
        timeout: Millis,
        session_id: SessionId,
        password: Secret,
    ) {
        let response = ConnectResponse {
            protocol_version: 0,
            timeout_millis: i32::try_from(timeout).unwrap_or(i32::MAX),
            session_id,
            password,
            read_only: request.read_only.map(|_| false),
        };
        let mut packet = BytesMut::new();
        match put_frame(&mut packet, i32::MAX as usize, |out| response.encode(out)) {
            Ok(()) => self.put(id, &packet),
            Err(_) => self.close(id),
        }
    }
}

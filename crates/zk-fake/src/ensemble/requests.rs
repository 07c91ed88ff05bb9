//! Taking input apart, and sending each request where it belongs.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::{
    Codec, DecodeError, ErrorCode, OpCode, Reader, ReplyBody, Request, RequestHeader, ServerRequest,
    SessionId, Xid, take_frame,
};

use super::{ConnectionId, Ensemble, LoggedRequest, Millis, connection::Phase, four_letter, outbox::NO_ZXID};
use quorate_zk_proto::ServerVersion;

/// What stands before every frame.
const LENGTH_BYTES: usize = 4;

impl Ensemble {
    /// Takes whole frames off bytes received, answers them, and leaves the rest in `input`.
    pub(crate) fn handle_input(&mut self, now: Millis, id: ConnectionId, input: &mut BytesMut) {
        let Some(connection) = self.connections.get(&id) else { return };
        let counted = connection.counted.min(input.len());
        let cut = self.faults.cuts_input(input.len() - counted);
        if let Some(passing) = cut {
            input.truncate(counted + passing);
        }
        let requests_before = self.journal.counters.requests;
        self.take_frames(now, id, input);
        if self.journal.counters.requests > requests_before {
            self.journal.counters.batches += 1;
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.counted = input.len();
        }
        if cut.is_some() {
            self.close(id);
        }
    }

    /// Stops before what has to wait for a lagging server.
    fn take_frames(&mut self, now: Millis, id: ConnectionId, input: &mut BytesMut) {
        while let Some(connection) = self.connections.get(&id).filter(|connection| connection.held.is_none())
        {
            let phase = connection.phase;
            if phase == Phase::Closing {
                break;
            }
            if phase == Phase::New
                && let Some(word) = four_letter::word(input)
            {
                let answer = self.four_letter_answer(connection.server, word);
                self.put(id, answer.as_bytes());
                self.close(id);
                break;
            }
            match take_frame(input, self.config.request_bytes_max) {
                Ok(Some(frame)) => self.take_frame(now, id, phase, frame),
                Ok(None) => break,
                Err(_) => self.close(id),
            }
        }
    }

    fn take_frame(&mut self, now: Millis, id: ConnectionId, phase: Phase, frame: Bytes) {
        match phase {
            Phase::New => self.take_connect(now, id, frame),
            Phase::Up(session) => {
                self.present_sessions().touch(now, session);
                self.take_request(now, id, session, frame);
            }
            Phase::Moved(session) => self.take_request(now, id, session, frame),
            Phase::Closing => {}
        }
    }

    fn take_request(&mut self, now: Millis, id: ConnectionId, session: SessionId, frame: Bytes) {
        let bytes = LENGTH_BYTES + frame.len();
        let mut reader = Reader::new(frame);
        let Ok(header) = RequestHeader::decode(&mut reader) else { return self.close(id) };
        let op = OpCode::from_code(header.op);
        if !self.admit(id, header.xid, op) {
            return;
        }
        if op == Some(OpCode::Ping) {
            self.journal.counters.pings += 1;
            return self.reply(id, Xid::PING, Ok(ReplyBody::Done));
        }
        if self.faults.loses_request(bytes) {
            return self.close(id);
        }
        let request = ServerRequest::decode(header, &mut reader);
        self.record(id, session, op, request.as_ref().ok());
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.fate = self.faults.fate_of(op);
        }
        if let Some(code) = self.faults.refusal(op) {
            return self.reply(id, header.xid, Err(code));
        }
        match request {
            _ if op.is_none_or(|op| self.config.version.lacks(op)) => self.refuse(id, header.xid),
            _ if !self.has_quorum() && op.is_some_and(needs_quorum) => {
                self.reply(id, header.xid, Err(ErrorCode::NotReadOnly));
            }
            Ok(request) => self.answer(now, id, session, header, request),
            Err(error) => {
                let code = not_understood(op, &error);
                if op.is_some_and(|op| self.is_counted(op, &error)) {
                    let _ = self.transact(now, &[], |_, _| Err::<(), _>(code));
                    self.reply_applied(id, header.xid, Err(code));
                } else {
                    self.reply(id, header.xid, Err(code));
                }
            }
        }
    }

    fn answer(
        &mut self,
        now: Millis,
        id: ConnectionId,
        session: SessionId,
        header: RequestHeader,
        request: ServerRequest,
    ) {
        let xid = header.xid;
        match request {
            ServerRequest::Operation(Request::Auth(auth)) => self.authenticate(id, xid, &auth),
            ServerRequest::Sasl(token) => self.take_sasl(id, xid, &token),
            ServerRequest::Operation(request) if request.is_write() => {
                if self.is_refused_as_moved(id, &request) {
                    return self.close(id);
                }
                let result = match request {
                    Request::Reconfig(change) => self.reconfigure(now, id, &change),
                    request => self.write(now, id, session, header.op, request),
                };
                self.reply_applied(id, xid, result);
            }
            ServerRequest::Operation(Request::Sync(sync)) => {
                self.reply_applied(id, xid, Ok(ReplyBody::Synced { path: sync.path.to_string() }));
            }
            ServerRequest::Operation(request) => {
                let result = self.read(id, session, request);
                self.reply(id, xid, result);
            }
            ServerRequest::SetWatches(watches) => {
                self.rearm(id, &watches);
                self.reply(id, xid, Ok(ReplyBody::Done));
            }
            ServerRequest::SetWatches2(watches) => {
                self.rearm_all(id, &watches);
                self.reply(id, xid, Ok(ReplyBody::Done));
            }
            ServerRequest::CloseSession => {
                self.end_session_except(now, session, Some(id));
                self.reply_applied(id, xid, Ok(ReplyBody::Done));
                self.close_applied(id);
            }
            _ => self.refuse(id, xid),
        }
    }

    /// A session that went on elsewhere is refused by closing. An empty multi is not checked for that.
    fn is_refused_as_moved(&self, id: ConnectionId, request: &Request) -> bool {
        let unchecked = matches!(request, Request::Multi(multi) if multi.ops.is_empty());
        let moved = self.connections.get(&id).is_some_and(|link| matches!(link.phase, Phase::Moved(_)));
        moved && !unchecked
    }

    /// Closes a connection once the answer that waits for its server is sent too.
    fn close_applied(&mut self, id: ConnectionId) {
        match self.connections.get_mut(&id).and_then(|connection| connection.held.as_mut()) {
            Some(held) => held.then_close = true,
            None => self.close(id),
        }
    }

    /// What is not known is answered, and the connection closed.
    fn refuse(&mut self, id: ConnectionId, xid: Xid) {
        self.reply_at(id, xid, NO_ZXID, Err(ErrorCode::Unimplemented));
        self.close(id);
    }

    /// Whether a request that cannot be decoded was given a zxid before that was noticed.
    fn is_counted(&self, op: OpCode, error: &DecodeError) -> bool {
        let early = self.config.version >= ServerVersion::V3_9 && op != OpCode::Multi;
        is_write_op(op) && !(early && not_understood(Some(op), error) == ErrorCode::MarshallingError)
    }

    fn record(
        &mut self,
        id: ConnectionId,
        session: SessionId,
        op: Option<OpCode>,
        request: Option<&ServerRequest>,
    ) {
        let path = match request {
            Some(ServerRequest::Operation(request)) => request.path().map(ToString::to_string),
            _ => None,
        };
        self.journal.record(LoggedRequest {
            server: self.server_of(id),
            session,
            op: op.unwrap_or(OpCode::Error),
            path,
        });
    }
}

/// What a server answers to a request that cannot be decoded. A path it does not allow is just not there for
/// those who read.
fn not_understood(op: Option<OpCode>, error: &DecodeError) -> ErrorCode {
    match (op, error) {
        (Some(OpCode::Multi | OpCode::MultiRead), _) => ErrorCode::MarshallingError,
        (Some(OpCode::Delete), DecodeError::Path(_)) => ErrorCode::NoNode,
        (
            Some(op),
            DecodeError::Path(_) | DecodeError::InvalidTtl { .. } | DecodeError::UnknownCode { .. },
        ) if is_write_op(op) => ErrorCode::BadArguments,
        (_, DecodeError::Path(_)) => ErrorCode::NoNode,
        _ => ErrorCode::MarshallingError,
    }
}

/// Also a sync is not for servers that only read.
const fn needs_quorum(op: OpCode) -> bool {
    is_write_op(op) || matches!(op, OpCode::Reconfig | OpCode::Sync)
}

const fn is_write_op(op: OpCode) -> bool {
    matches!(
        op,
        OpCode::Create
            | OpCode::Create2
            | OpCode::CreateContainer
            | OpCode::CreateTtl
            | OpCode::Delete
            | OpCode::SetData
            | OpCode::SetAcl
            | OpCode::Multi
    )
}

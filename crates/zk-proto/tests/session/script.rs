//! A session with a scripted server at the other end.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::*;

pub(crate) const SESSION: SessionId = SessionId::new(0x1234);
pub(crate) const TIMEOUT: Duration = Duration::from_secs(12);

/// Both ends and the time between them.
pub(crate) struct Script {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    /// What the session has sent and the server not read yet.
    sent: BytesMut,
}

pub(crate) fn path(text: &str) -> ZnodePath {
    ZnodePath::new(text).unwrap()
}

pub(crate) fn get(text: &str) -> Request {
    Request::GetData(GetData { path: path(text), watch: false })
}

pub(crate) fn set(text: &str) -> Request {
    Request::SetData(SetData { path: path(text), data: Some(Bytes::from_static(b"x")), version: ANY_VERSION })
}

pub(crate) fn data_reply() -> ReplyBody {
    ReplyBody::Data { data: Some(Bytes::from_static(b"x")), stat: Stat::default() }
}

pub(crate) fn granted(session_id: SessionId) -> ConnectResponse {
    ConnectResponse {
        protocol_version: 0,
        timeout_millis: i32::try_from(TIMEOUT.as_millis()).unwrap(),
        session_id,
        password: Secret::new(&[7; 16][..]),
        read_only: Some(false),
    }
}

pub(crate) fn refused() -> ConnectResponse {
    ConnectResponse {
        timeout_millis: 0,
        session_id: SessionId::NONE,
        password: Secret::new(&[0; 16][..]),
        ..granted(SESSION)
    }
}

pub(crate) fn watch_data(at: &str) -> Request {
    Request::GetData(GetData { path: path(at), watch: true })
}

pub(crate) fn watch_exists(at: &str) -> Request {
    Request::Exists(Exists { path: path(at), watch: true })
}

pub(crate) fn watch_children(at: &str) -> Request {
    Request::GetChildren(GetChildren { path: path(at), watch: true })
}

pub(crate) fn add_watch(at: &str, mode: WatchMode) -> Request {
    Request::AddWatch(AddWatch { path: path(at), mode })
}

pub(crate) fn children() -> ReplyBody {
    ReplyBody::Children { names: vec![], stat: None }
}

/// Sends a request and answers it.
pub(crate) fn done(script: &mut Script, request: Request, body: &ReplyBody) {
    script.request(request);
    let (xid, _) = script.read().unwrap();
    script.reply(xid, 40, body);
}

pub(crate) fn failed(script: &mut Script, request: Request, code: ErrorCode) {
    script.request(request);
    let (xid, _) = script.read().unwrap();
    script.reply_error(xid, 40, code);
}

impl Script {
    #[expect(clippy::disallowed_methods, reason = "a test needs some time to start from")]
    pub(crate) fn new(options: SessionOptions) -> Self {
        Self { session: Session::new(options.timeout(TIMEOUT)), now: Instant::now(), sent: BytesMut::new() }
    }

    /// A session that is up, with its events so far taken.
    pub(crate) fn connected() -> Self {
        Self::connected_with(SessionOptions::default())
    }

    pub(crate) fn connected_with(options: SessionOptions) -> Self {
        let mut script = Self::new(options);
        script.connect();
        script.grant(SESSION);
        script.events();
        script
    }

    /// Opens a socket and reads the handshake.
    pub(crate) fn connect(&mut self) -> ConnectRequest {
        self.sent.clear();
        self.session.handle_connected(self.now);
        let mut reader = Reader::new(self.frame().expect("a connect request"));
        let request = ConnectRequest::decode(&mut reader).unwrap();
        reader.finish().unwrap();
        request
    }

    pub(crate) fn grant(&mut self, session_id: SessionId) {
        self.answer_connect(&granted(session_id));
    }

    pub(crate) fn answer_connect(&mut self, response: &ConnectResponse) {
        let mut wire = BytesMut::new();
        put_frame(&mut wire, 1000, |out| response.encode(out)).unwrap();
        self.receive(wire).unwrap();
    }

    pub(crate) fn lose(&mut self) {
        self.session.handle_disconnected(self.now);
    }

    /// Loses the connection and resumes the session on another.
    pub(crate) fn reconnect(&mut self) {
        self.lose();
        self.connect();
        self.grant(SESSION);
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.session.handle_timeout(self.now);
    }

    pub(crate) fn request(&mut self, request: Request) -> Ticket {
        self.session.handle_request(self.now, request).unwrap()
    }

    /// The next request as the server reads it.
    pub(crate) fn read(&mut self) -> Option<(Xid, ServerRequest)> {
        let mut reader = Reader::new(self.frame()?);
        let header = RequestHeader::decode(&mut reader).unwrap();
        Some((header.xid, ServerRequest::decode(header, &mut reader).unwrap()))
    }

    pub(crate) fn reply(&mut self, xid: Xid, zxid: i64, body: &ReplyBody) {
        self.reply_header(xid, zxid, ErrorCode::Ok, body).unwrap();
    }

    pub(crate) fn reply_error(&mut self, xid: Xid, zxid: i64, err: ErrorCode) {
        self.reply_header(xid, zxid, err, &ReplyBody::Done).unwrap();
    }

    pub(crate) fn reply_header(
        &mut self,
        xid: Xid,
        zxid: i64,
        err: ErrorCode,
        body: &ReplyBody,
    ) -> Result<(), ProtocolError> {
        let mut wire = BytesMut::new();
        put_reply(&mut wire, ReplyHeader { xid, zxid: Zxid::new(zxid), err }, body).unwrap();
        self.receive(wire)
    }

    pub(crate) fn notify(&mut self, event_type: EventType, at: &str, zxid: i64) {
        let mut wire = BytesMut::new();
        let event = WatcherEvent { event_type, state: KeeperState::SyncConnected, path: path(at) };
        put_notification(&mut wire, Zxid::new(zxid), &event).unwrap();
        self.receive(wire).unwrap();
    }

    pub(crate) fn receive(&mut self, mut wire: BytesMut) -> Result<(), ProtocolError> {
        self.session.handle_input(self.now, &mut wire)
    }

    pub(crate) fn events(&mut self) -> Vec<SessionEvent> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    /// The failures among the events.
    pub(crate) fn failures(&mut self) -> Vec<(Ticket, Outcome, FailureKind)> {
        let failure = |event| match event {
            SessionEvent::Reply { ticket, result: Err(failure) } => {
                Some((ticket, failure.outcome, failure.kind))
            }
            _ => None,
        };
        self.events().into_iter().filter_map(failure).collect()
    }

    fn frame(&mut self) -> Option<Bytes> {
        self.session.poll_transmit(&mut self.sent);
        take_frame(&mut self.sent, FRAME_BYTES_MAX).unwrap()
    }
}

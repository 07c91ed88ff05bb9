//! A client that sends one frame at a time and keeps what came back, in order.

use std::collections::VecDeque;

use bytes::BytesMut;
use quorate_zk_fake::FakeZooKeeper;
use quorate_zk_proto::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

/// A reply or a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Reply(ReplyHeader, Option<ReplyBody>),
    Event(Zxid, EventType, String),
}

pub(crate) struct Client<S = DuplexStream> {
    stream: S,
    input: BytesMut,
    next_xid: i32,
    ops: VecDeque<OpCode>,
    events: Vec<(EventType, String)>,
    pub(crate) session: ConnectResponse,
}

pub(crate) fn path(text: &str) -> ZnodePath {
    ZnodePath::new(text).unwrap()
}

pub(crate) fn create(at: &str, mode: CreateMode) -> Create {
    Create { path: path(at), data: Some("data".into()), acl: vec![Acl::open()], mode }
}

pub(crate) fn set(at: &str, version: i32) -> SetData {
    SetData { path: path(at), data: Some("new".into()), version }
}

pub(crate) fn delete(at: &str) -> Request {
    Request::Delete(Delete { path: path(at), version: ANY_VERSION })
}

pub(crate) fn exists(at: &str, watch: bool) -> Request {
    Request::Exists(Exists { path: path(at), watch })
}

pub(crate) fn connect_request(timeout_millis: i32) -> ConnectRequest {
    ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid::ZERO,
        timeout_millis,
        session_id: SessionId::NONE,
        password: Secret::new(vec![0; 16]),
        read_only: Some(false),
    }
}

impl Client {
    /// Starts a session in memory.
    pub(crate) async fn new(server: &FakeZooKeeper) -> Self {
        Self::over(server.connect(), connect_request(30_000)).await.unwrap()
    }

    /// Goes on with this client's session on another link.
    pub(crate) async fn again(&self, server: &FakeZooKeeper) -> Self {
        Self::over(server.connect(), self.resume()).await.unwrap()
    }

    /// Returns what goes on with this client's session.
    pub(crate) fn resume(&self) -> ConnectRequest {
        ConnectRequest {
            session_id: self.session.session_id,
            password: self.session.password.clone(),
            ..connect_request(30_000)
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Shakes hands; `None` if the server closes without an answer.
    pub(crate) async fn over(stream: S, request: ConnectRequest) -> Option<Self> {
        let mut client = Self {
            stream,
            input: BytesMut::new(),
            next_xid: 1,
            ops: VecDeque::new(),
            events: Vec::new(),
            session: ConnectResponse {
                protocol_version: 0,
                timeout_millis: 0,
                session_id: SessionId::NONE,
                password: Secret::default(),
                read_only: None,
            },
        };
        client.send_frame(|out| request.encode(out)).await;
        let mut reader = Reader::new(client.frame().await?);
        client.session = ConnectResponse::decode(&mut reader).unwrap();
        Some(client)
    }

    /// Sends a request without waiting for its reply.
    pub(crate) async fn send(&mut self, request: &Request) {
        self.send_op(request.op().code(), |out| request.encode(out)).await;
    }

    pub(crate) async fn send_op(&mut self, op: i32, body: impl FnOnce(&mut BytesMut)) {
        let xid = match OpCode::from_code(op) {
            Some(OpCode::Ping) => Xid::PING,
            Some(OpCode::Auth) => Xid::AUTH,
            Some(OpCode::SetWatches | OpCode::SetWatches2) => Xid::SET_WATCHES,
            _ => {
                self.next_xid += 1;
                Xid::new(self.next_xid - 1)
            }
        };
        self.ops.push_back(OpCode::from_code(op).unwrap_or(OpCode::Error));
        self.send_frame(|out| {
            RequestHeader { xid, op }.encode(out);
            body(out);
        })
        .await;
    }

    /// Authenticates.
    pub(crate) async fn auth(&mut self, scheme: &str, credentials: &str) -> Result<ReplyBody, ErrorCode> {
        self.ask(Request::Auth(Auth::new(scheme, Secret::new(credentials.to_owned())))).await
    }

    pub(crate) async fn set_acl(&mut self, at: &str, acl: Vec<Acl>) -> Result<ReplyBody, ErrorCode> {
        self.ask(Request::SetAcl(SetAcl { path: path(at), acl, version: ANY_VERSION })).await
    }

    pub(crate) async fn acl(&mut self, at: &str) -> Result<Vec<Acl>, ErrorCode> {
        match self.ask(Request::GetAcl(GetAcl { path: path(at) })).await? {
            ReplyBody::Acl { acl, .. } => Ok(acl),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn data(&mut self, at: &str) -> Result<String, ErrorCode> {
        match self.ask(Request::GetData(GetData { path: path(at), watch: false })).await? {
            ReplyBody::Data { data, .. } => Ok(String::from_utf8(data.unwrap_or_default().into()).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    /// Asks, and returns the good answer or the error.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<ReplyBody, ErrorCode> {
        self.ask_for_header(request).await.1
    }

    pub(crate) async fn ask_for_header(
        &mut self,
        request: Request,
    ) -> (ReplyHeader, Result<ReplyBody, ErrorCode>) {
        self.send(&request).await;
        self.reply().await
    }

    /// Waits for the next reply, and keeps the events before it.
    pub(crate) async fn reply(&mut self) -> (ReplyHeader, Result<ReplyBody, ErrorCode>) {
        loop {
            match self.packet().await.expect("the server has closed the connection") {
                Packet::Event(_, event_type, path) => self.events.push((event_type, path)),
                Packet::Reply(header, body) => return (header, body.ok_or(header.err)),
            }
        }
    }

    /// Returns the events so far: a ping's reply stands behind them all.
    pub(crate) async fn events(&mut self) -> Vec<(EventType, String)> {
        self.ping().await;
        std::mem::take(&mut self.events)
    }

    pub(crate) async fn ping(&mut self) -> ReplyHeader {
        self.send_op(OpCode::Ping.code(), |_| ()).await;
        self.reply().await.0
    }

    pub(crate) async fn create(&mut self, at: &str, mode: CreateMode) -> Result<String, ErrorCode> {
        match self.ask(Request::Create(create(at, mode))).await? {
            ReplyBody::Created { path, .. } => Ok(path.to_string()),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn stat(&mut self, at: &str) -> Result<Stat, ErrorCode> {
        match self.ask(exists(at, false)).await? {
            ReplyBody::Stat(stat) => Ok(stat),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn multi(&mut self, ops: Vec<MultiOp>) -> Vec<MultiResult> {
        match self.ask(Request::Multi(Multi { ops })).await {
            Ok(ReplyBody::Multi(results)) => results,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn add_watch(&mut self, at: &str, mode: WatchMode) {
        let added = self.ask(Request::AddWatch(AddWatch { path: path(at), mode })).await;
        assert_eq!(added, Ok(ReplyBody::WatchAdded));
    }

    pub(crate) async fn remove_watches(
        &mut self,
        at: &str,
        kind: WatcherType,
    ) -> Result<ReplyBody, ErrorCode> {
        self.ask(Request::RemoveWatches(RemoveWatches { path: path(at), kind })).await
    }

    /// Returns what comes next; `None` at the end of the connection.
    pub(crate) async fn packet(&mut self) -> Option<Packet> {
        let mut reader = Reader::new(self.frame().await?);
        let header = ReplyHeader::decode(&mut reader).unwrap();
        if header.xid == Xid::NOTIFICATION {
            let event = WatcherEvent::decode(&mut reader).unwrap();
            assert_eq!((header.err, event.state), (ErrorCode::Ok, KeeperState::SyncConnected));
            return Some(Packet::Event(header.zxid, event.event_type, event.path.to_string()));
        }
        let op = self.ops.pop_front().expect("a reply without a request");
        let body = header.err.is_ok().then(|| ReplyBody::decode(op, &mut reader).unwrap());
        Some(Packet::Reply(header, body))
    }

    /// Returns whether the connection ends here, with nothing more to come.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.frame().await.is_none()
    }

    async fn send_frame(&mut self, fill: impl FnOnce(&mut BytesMut)) {
        let mut out = BytesMut::new();
        put_frame(&mut out, i32::MAX as usize, fill).unwrap();
        // If the server has closed, that shows when its answer is missing.
        let _ = self.stream.write_all(&out).await;
    }

    async fn frame(&mut self) -> Option<bytes::Bytes> {
        loop {
            if let Some(frame) = take_frame(&mut self.input, FRAME_BYTES_MAX).unwrap() {
                return Some(frame);
            }
            if self.stream.read_buf(&mut self.input).await.ok()? == 0 {
                return None;
            }
        }
    }
}

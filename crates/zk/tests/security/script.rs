//! Servers that do just one thing which the fake does not.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use quorate_zk::{ErrorCode, ReplyBody, Secret, SessionId, Zxid};
use quorate_zk_proto::{
    Codec, ConnectRequest, ConnectResponse, DigestMd5Server, FRAME_BYTES_MAX, Reader, ReplyHeader,
    RequestHeader, SaslToken, ServerRequest, Xid, put_frame, put_reply, take_frame,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A server that grants sessions; ended when dropped.
pub(crate) struct Script {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

/// What is special about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// It has lost its quorum.
    ReadOnly,
    /// It wants DIGEST-MD5, and knows `alice` with the password `wonder`.
    Sasl,
    /// The same, and it cannot prove that it knows the password.
    SaslImpostor,
}

impl Script {
    pub(crate) async fn start(part: Part) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(tokio::spawn(Scene::new(part).play(stream)));
            }
        });
        Self { addr, task }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn connect_string(&self) -> String {
        self.addr.to_string()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection.
struct Scene {
    part: Part,
    is_granted: bool,
    /// Whether the client has asked to begin.
    is_asked: bool,
    sasl: DigestMd5Server,
    out: BytesMut,
}

impl Scene {
    fn new(part: Part) -> Self {
        let sasl = DigestMd5Server::new("a nonce of the server");
        Self { part, is_granted: false, is_asked: false, sasl, out: BytesMut::new() }
    }

    /// Plays until the client leaves, or is asked to.
    async fn play(mut self, mut stream: TcpStream) {
        let mut input = BytesMut::new();
        while stream.read_buf(&mut input).await.is_ok_and(|count| count > 0) {
            if input.starts_with(b"isro") {
                // It reads until the end, so it does not mind how it comes.
                let _ = stream.write_all(b"ro").await;
                return;
            }
            let mut is_over = false;
            while let Some(frame) = take_frame(&mut input, FRAME_BYTES_MAX).unwrap() {
                is_over |= self.answer(frame);
            }
            if stream.write_all(&self.out).await.is_err() || is_over {
                return;
            }
            self.out.clear();
        }
    }

    fn answer(&mut self, frame: Bytes) -> bool {
        let mut reader = Reader::new(frame);
        if !self.is_granted {
            self.is_granted = true;
            self.grant(&ConnectRequest::decode(&mut reader).unwrap());
            return false;
        }
        let header = RequestHeader::decode(&mut reader).unwrap();
        let result = match ServerRequest::decode(header, &mut reader).unwrap() {
            ServerRequest::Sasl(token) => self.prove(&token),
            _ => Ok(ReplyBody::Done),
        };
        let (err, body) = result.map_or_else(|err| (err, ReplyBody::Done), |body| (ErrorCode::Ok, body));
        let zxid = if header.xid == Xid::PING { Zxid::new(0) } else { Zxid::new(1) };
        put_reply(&mut self.out, ReplyHeader { xid: header.xid, zxid, err }, &body).unwrap();
        err != ErrorCode::Ok
    }

    fn grant(&mut self, request: &ConnectRequest) {
        let response = ConnectResponse {
            protocol_version: 0,
            timeout_millis: request.timeout_millis,
            session_id: SessionId::new(7),
            password: Secret::new(&[7; 16][..]),
            read_only: Some(self.part == Part::ReadOnly),
        };
        put_frame(&mut self.out, FRAME_BYTES_MAX, |out| response.encode(out)).unwrap();
    }

    fn prove(&mut self, token: &SaslToken) -> Result<ReplyBody, ErrorCode> {
        if !std::mem::replace(&mut self.is_asked, true) {
            return Ok(ReplyBody::SaslToken(Some(self.sasl.challenge())));
        }
        let password_of = |user: &str| (user == "alice").then(|| Secret::new("wonder"));
        let checked = self.sasl.check(token.token.expose(), password_of);
        let (_, proof) = checked.map_err(|_| ErrorCode::AuthFailed)?;
        let lie = || Bytes::from_static(b"rspauth=0123456789abcdef0123456789abcdef");
        let proof = if self.part == Part::SaslImpostor { lie() } else { proof };
        Ok(ReplyBody::SaslToken(Some(proof)))
    }
}

//! Runs scenarios and writes down what a server answers, without what differs from run to run.

use std::net::SocketAddr;

use quorate_zk_proto::*;
use tokio::net::TcpStream;

use crate::client::{Client, Packet, connect_request};

/// Sessions at one server, and the transcript of what they were answered.
pub(crate) struct Script {
    addr: SocketAddr,
    clients: Vec<Client<TcpStream>>,
    sessions: Vec<SessionId>,
    lines: Vec<String>,
}

impl Script {
    pub(crate) const fn new(addr: SocketAddr) -> Self {
        Self { addr, clients: Vec::new(), sessions: Vec::new(), lines: Vec::new() }
    }

    pub(crate) fn transcript(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    /// Begins a scenario with so many fresh sessions.
    pub(crate) async fn scenario(&mut self, name: &str, sessions: usize) {
        self.lines.push(format!("\n# {name}"));
        self.clients.clear();
        for _ in 0..sessions {
            let client = self.connect(connect_request(30_000)).await.expect("a new session is accepted");
            self.sessions.push(client.session.session_id);
            self.clients.push(client);
        }
    }

    /// Ends the sessions of a scenario.
    pub(crate) async fn end(&mut self) {
        for index in 0..self.clients.len() {
            self.send_raw(index, OpCode::CloseSession.code(), &[]).await;
        }
        self.clients.clear();
    }

    pub(crate) async fn ask(&mut self, client: usize, request: Request) {
        let what = format!("{:?} {}", request.op(), request.path().map_or("", |path| path));
        self.clients[client].send(&request).await;
        self.answers(client, &what).await;
    }

    /// Sends an operation whose body is given in bytes.
    pub(crate) async fn send_raw(&mut self, client: usize, op: i32, body: &[u8]) {
        self.clients[client].send_op(op, |out| out.extend_from_slice(body)).await;
        self.answers(client, &format!("op {op} with {} bytes", body.len())).await;
    }

    /// Writes down what a session was told until now.
    pub(crate) async fn events(&mut self, client: usize) {
        self.send_raw(client, OpCode::Ping.code(), &[]).await;
    }

    /// Moves a session to a new connection.
    pub(crate) async fn reconnect(&mut self, client: usize) {
        let request = self.request_of(client);
        let again = self.connect(request).await.expect("a live session is accepted");
        self.clients[client] = again;
    }

    /// Shakes hands, and returns the client if the server answers.
    pub(crate) async fn connect(&mut self, request: ConnectRequest) -> Option<Client<TcpStream>> {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        let client = Client::over(stream, request).await;
        self.lines.push(match &client {
            None => "connect: closed".to_owned(),
            Some(client) => format!(
                "connect: {} ms, {}, password of {} bytes, read-only {:?}",
                client.session.timeout_millis,
                if client.session.session_id.is_none() { "no session" } else { "a session" },
                client.session.password.expose().len(),
                client.session.read_only,
            ),
        });
        client
    }

    /// Returns what goes on with a session.
    pub(crate) fn request_of(&self, client: usize) -> ConnectRequest {
        let session = &self.clients[client].session;
        let password = session.password.clone();
        ConnectRequest { session_id: session.session_id, password, ..connect_request(30_000) }
    }

    /// Leaves the latest sessions alone from now on, back to this one.
    pub(crate) fn forget(&mut self, client: usize) {
        self.clients.truncate(client);
    }

    /// Returns the last transaction that the server has applied.
    pub(crate) async fn last_zxid(&mut self, client: usize) -> Zxid {
        self.clients[client].ping().await.zxid
    }

    /// Writes down whether the connection ends here.
    pub(crate) async fn expect_end(&mut self, client: usize) {
        let packet = self.clients[client].packet().await;
        self.lines.push(format!("{client}: {}", packet.map_or("closed", |_| "still open")));
    }

    async fn answers(&mut self, client: usize, what: &str) {
        self.lines.push(format!("{client}: {what}"));
        loop {
            let line = match self.clients[client].packet().await {
                None => "    closed".to_owned(),
                Some(Packet::Event(zxid, event_type, path)) => {
                    self.lines.push(format!("    event {event_type:?} {path} at {}", zxid.get()));
                    continue;
                }
                Some(Packet::Reply(header, body)) => {
                    let body = body.map(|body| format!(" {:?}", self.plain(body))).unwrap_or_default();
                    format!("    xid {} zxid {} {:?}{body}", header.xid, header.zxid, header.err)
                }
            };
            return self.lines.push(line);
        }
    }

    fn plain(&self, mut body: ReplyBody) -> ReplyBody {
        match &mut body {
            ReplyBody::Stat(stat) | ReplyBody::Data { stat, .. } | ReplyBody::Acl { stat, .. } => {
                self.blur(stat);
            }
            ReplyBody::Created { stat: Some(stat), .. } => self.blur(stat),
            ReplyBody::Children { names, stat } => {
                names.sort();
                stat.iter_mut().for_each(|stat| self.blur(stat));
            }
            ReplyBody::Multi(results) => {
                for result in results {
                    match result {
                        MultiResult::Created { stat: Some(stat), .. } | MultiResult::DataSet(stat) => {
                            self.blur(stat);
                        }
                        _ => {}
                    }
                }
            }
            ReplyBody::MultiRead(results) => {
                for result in results {
                    match result {
                        MultiReadResult::Data { stat, .. } => self.blur(stat),
                        MultiReadResult::Children { names } => names.sort(),
                        MultiReadResult::Error(_) => {}
                    }
                }
            }
            ReplyBody::Ephemerals(paths) => paths.sort(),
            _ => {}
        }
        body
    }

    /// Times become 1 unless they are 0, sessions their number.
    fn blur(&self, stat: &mut Stat) {
        stat.ctime = stat.ctime.signum();
        stat.mtime = stat.mtime.signum();
        let owner = self.sessions.iter().position(|&session| session == stat.ephemeral_owner);
        if let Some(owner) = owner {
            stat.ephemeral_owner = SessionId::new(1 + i64::try_from(owner).unwrap());
        }
    }
}

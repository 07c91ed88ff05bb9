//! A session under a script of everything that can happen to it, the worst first.
//!
//! Whatever comes, nothing panics, every request handed in ends exactly once, queues stay within their limits,
//! and what is sent is what a server can read.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes, BytesMut};
use quorate_zk_proto::*;

const IN_FLIGHT_MAX: usize = 8;
const QUEUED_MAX: usize = 4;
const FRAME_BYTES_MAX: usize = 256;
const TIMEOUT: Duration = Duration::from_secs(12);
const PATHS: [&str; 5] = ["/", "/a", "/a/b", "/a/b/c", "/d"];

/// Interprets bytes as a script: each step is a byte that chooses what happens, and bytes that say how.
pub(crate) fn run(script: &[u8]) {
    let Some((&options, mut steps)) = script.split_first() else { return };
    let mut world = World::new(options);
    while !steps.is_empty() {
        world.step(&mut steps);
        world.check();
    }
    world.finish();
}

struct World {
    session: Session,
    now: Instant,
    input: BytesMut,
    output: BytesMut,
    /// The server's side: whether the handshake has been read, and numbers it has read and may answer.
    handshake_read: bool,
    received: Vec<Xid>,
    /// Requests without an end so far, and how many there ever were.
    open: BTreeSet<Ticket>,
    asked: usize,
    was_final: bool,
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "some time to start from")]
    fn new(choice: u8) -> Self {
        let mut options = SessionOptions::default()
            .timeout(TIMEOUT)
            .in_flight_max(IN_FLIGHT_MAX)
            .queued_max(QUEUED_MAX)
            .frame_bytes_max(FRAME_BYTES_MAX)
            .request_bytes_max(64)
            .read_only_allowed(choice & 1 != 0);
        if choice & 2 != 0 {
            options = options.sasl();
        }
        if choice & 4 != 0 {
            options = options.resume(SessionId::new(7), Secret::new(&[1; 16][..]), Zxid::new(3));
        }
        Self {
            session: Session::new(options),
            now: Instant::now(),
            input: BytesMut::new(),
            output: BytesMut::new(),
            handshake_read: false,
            received: Vec::new(),
            open: BTreeSet::new(),
            asked: 0,
            was_final: false,
        }
    }

    fn step(&mut self, steps: &mut &[u8]) {
        match byte(steps) % 20 {
            0 => self.connect(),
            1 => self.session.handle_disconnected(self.now),
            2 => self.receive_raw(steps),
            3 | 4 => self.receive_grant(steps),
            5..=8 => self.receive_reply(steps),
            9 | 10 => self.receive_event(steps),
            11..=14 => self.request(steps),
            15 => self.pass(steps),
            16 => self.cancel(steps),
            17 => self.answer_sasl(steps),
            18 => {
                let kind = WatcherType::from_code(i32::from(byte(steps) % 5) + 1).expect("from 1 to 5");
                self.session.forget_watches(&path(steps), kind);
            }
            _ => match byte(steps) % 16 {
                0 => self.session.handle_close(self.now),
                1 => self.session.handle_detach(self.now),
                2 => self.session.forget_history(),
                _ => {}
            },
        }
    }

    fn connect(&mut self) {
        self.session.handle_connected(self.now);
        (self.handshake_read, self.received) = (false, Vec::new());
        self.input.clear();
        self.output.clear();
    }

    fn pass(&mut self, steps: &mut &[u8]) {
        self.now += TIMEOUT * u32::from(byte(steps)) / 128;
        self.session.handle_timeout(self.now);
    }

    fn receive_raw(&mut self, steps: &mut &[u8]) {
        let count = usize::from(byte(steps));
        self.input.extend_from_slice(take(steps, count));
        self.receive();
    }

    fn receive_grant(&mut self, steps: &mut &[u8]) {
        let choice = byte(steps);
        let response = ConnectResponse {
            protocol_version: 0,
            timeout_millis: if choice & 1 == 0 { 12_000 } else { i32::from(choice) - 128 },
            session_id: SessionId::new(if choice & 2 == 0 { 7 } else { i64::from(choice) }),
            password: Secret::new(&[1; 16][..]),
            read_only: (choice & 4 == 0).then_some(choice & 8 != 0),
        };
        put_frame(&mut self.input, FRAME_BYTES_MAX, |out| response.encode(out)).expect("it is small");
        self.receive();
    }

    /// An answer to a request that was read, or a stray one, with a body that may fit.
    fn receive_reply(&mut self, steps: &mut &[u8]) {
        let choice = byte(steps);
        let index = usize::from(choice >> 4);
        let xid = match self.received.get(index) {
            Some(_) if choice & 1 == 0 => self.received.remove(index),
            Some(_) => self.received.remove(0),
            None => [Xid::PING, Xid::AUTH, Xid::SET_WATCHES, Xid::new(i32::from(choice))][index % 4],
        };
        let err = if choice & 2 == 0 { 0 } else { -i32::from(byte(steps)) };
        let header =
            ReplyHeader { xid, zxid: Zxid::new(i64::from(byte(steps))), err: ErrorCode::from_code(err) };
        let body = take(steps, usize::from(choice >> 2 & 3) * 32);
        let framed = put_frame(&mut self.input, FRAME_BYTES_MAX, |out| {
            header.encode(out);
            match choice & 12 {
                0 => ReplyBody::Data { data: None, stat: Stat::default() }.encode(out),
                4 => Stat::default().encode(out),
                _ => out.extend_from_slice(body),
            }
        });
        framed.expect("it is small");
        self.receive();
    }

    fn receive_event(&mut self, steps: &mut &[u8]) {
        let choice = byte(steps);
        let event_type = EventType::from_code(i32::from(choice % 7) + 1).expect("from 1 to 7");
        let zxid = Zxid::new(if choice & 128 == 0 { -1 } else { 50 });
        let event = WatcherEvent { event_type, state: KeeperState::SyncConnected, path: path(steps) };
        put_notification(&mut self.input, zxid, &event).expect("it is small");
        self.receive();
    }

    fn receive(&mut self) {
        let result = self.session.handle_input(self.now, &mut self.input);
        assert!(result.is_ok() || !self.session.state().is_linked());
        assert!(self.input.len() < FRAME_BYTES_MAX + 4, "whole frames are taken");
    }

    fn request(&mut self, steps: &mut &[u8]) {
        let (choice, path) = (byte(steps), path(steps));
        let watch = choice & 128 != 0;
        let mode = if watch { WatchMode::Persistent } else { WatchMode::PersistentRecursive };
        let data = Bytes::copy_from_slice(take(steps, usize::from(choice & 48)));
        let request = match choice % 10 {
            0 => Request::GetData(GetData { path, watch }),
            1 => Request::Exists(Exists { path, watch }),
            2 => Request::GetChildren(GetChildren { path, watch }),
            3 => Request::GetChildrenWithStat(GetChildren { path, watch }),
            4 | 5 => Request::AddWatch(AddWatch { path, mode }),
            6 => Request::RemoveWatches(RemoveWatches { path, kind: WatcherType::Any }),
            7 => Request::RemoveWatches(RemoveWatches { path, kind: WatcherType::PersistentRecursive }),
            8 => Request::SetData(SetData { path, data: Some(data), version: -1 }),
            _ => Request::Auth(Auth::new("digest", Secret::new(data))),
        };
        if let Ok(ticket) = self.session.handle_request(self.now, request) {
            assert!(self.open.insert(ticket), "tickets are used once");
            self.asked += 1;
        }
    }

    fn cancel(&mut self, steps: &mut &[u8]) {
        let Some(&ticket) = self.open.iter().nth(usize::from(byte(steps))) else { return };
        if self.session.cancel(ticket) {
            self.open.remove(&ticket);
        }
    }

    fn answer_sasl(&mut self, steps: &mut &[u8]) {
        let choice = byte(steps);
        let answer = match choice % 4 {
            0 => SaslAnswer::Done,
            1 if choice > 128 => SaslAnswer::Failed,
            _ => SaslAnswer::Token(Bytes::copy_from_slice(take(steps, usize::from(choice / 2)))),
        };
        self.session.handle_sasl(self.now, answer);
    }

    /// Takes all output and looks at it.
    fn check(&mut self) {
        while let Some(event) = self.session.poll_event() {
            if let SessionEvent::Reply { ticket, .. } = event {
                assert!(self.open.remove(&ticket), "a request ends once");
            }
        }
        let is_final = self.session.state().is_final();
        assert!(is_final || !self.was_final, "an end is an end");
        self.was_final = is_final;
        assert!(self.session.queued() <= QUEUED_MAX);
        assert!(self.session.watch_count() <= 5 * PATHS.len());
        assert!(!is_final || self.session.poll_timeout().is_none());
        self.session.poll_transmit(&mut self.output);
        if self.session.state().is_linked() {
            while let Some(frame) = take_frame(&mut self.output, 64 * 1024).expect("its length is right") {
                self.read(frame);
            }
            assert!(self.output.is_empty(), "frames are whole");
        }
        self.output.clear();
    }

    /// Reads a frame as a server does.
    fn read(&mut self, frame: Bytes) {
        let mut reader = Reader::new(frame);
        if !self.handshake_read {
            ConnectRequest::decode(&mut reader).expect("a connect request comes first");
            self.handshake_read = true;
            return reader.finish().expect("it ends with its record");
        }
        let header = RequestHeader::decode(&mut reader).expect("a header comes first");
        let request = ServerRequest::decode(header, &mut reader).expect("a server can read it");
        assert!(!matches!(request, ServerRequest::Unknown(_)));
        if self.received.len() < 64 {
            self.received.push(header.xid);
        }
    }

    /// Ends the session, and with it every request.
    fn finish(mut self) {
        self.session.handle_close(self.now);
        self.session.handle_disconnected(self.now);
        self.check();
        assert!(self.session.state().is_final());
        assert!(self.open.is_empty(), "{} of {} requests have no end", self.open.len(), self.asked);
        assert_eq!((self.session.in_flight(), self.session.queued(), self.session.watch_count()), (0, 0, 0));
    }
}

fn byte(steps: &mut &[u8]) -> u8 {
    if steps.is_empty() { 0 } else { steps.get_u8() }
}

fn take<'a>(steps: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = steps.split_at(count.min(steps.len()));
    *steps = rest;
    taken
}

fn path(steps: &mut &[u8]) -> ZnodePath {
    PATHS[usize::from(byte(steps)) % PATHS.len()].parse().expect("it is a path")
}

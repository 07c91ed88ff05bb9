//! Whatever a server sends, a session answers with an error or goes on; it never panics.

use bytes::{Bytes, BytesMut};
use proptest::{collection::vec, prelude::*};
use quorate_zk_proto::*;

use crate::script::*;

/// A session with every kind of request in flight and watches to fire.
fn busy() -> Script {
    let mut script = Script::connected();
    let watched = GetChildren { path: path("/a"), watch: true };
    script.request(Request::GetChildrenWithStat(watched));
    script.request(Request::Exists(Exists { path: path("/b"), watch: true }));
    script.request(get("/a"));
    script.request(set("/a"));
    script.request(Request::Multi(Multi::default()));
    script.request(Request::MultiRead(MultiRead::default()));
    script.request(Request::GetAcl(GetAcl { path: path("/a") }));
    script.request(Request::AddWatch(AddWatch { path: path("/p"), mode: WatchMode::Persistent }));
    script.request(Request::WhoAmI);
    script.request(Request::Auth(Auth::new("digest", Secret::new(&b"u:p"[..]))));
    script
}

/// Good answers to all that `busy` asks, with events among them.
fn good_stream() -> Vec<u8> {
    let stat = Stat::default();
    let bodies = [
        ReplyBody::Children { names: vec!["x".into(), "y".into()], stat: Some(stat) },
        ReplyBody::Stat(stat),
        ReplyBody::Data { data: Some(Bytes::from_static(b"data")), stat },
        ReplyBody::Stat(stat),
        ReplyBody::Multi(vec![MultiResult::Created { path: path("/a"), stat: Some(stat) }]),
        ReplyBody::MultiRead(vec![MultiReadResult::Error(ErrorCode::NoNode)]),
        ReplyBody::Acl { acl: vec![Acl::open()], stat },
        ReplyBody::WatchAdded,
        ReplyBody::Identities(vec![]),
    ];
    let mut wire = BytesMut::new();
    let header = |xid| ReplyHeader { xid, zxid: Zxid::new(9), err: ErrorCode::Ok };
    put_reply(&mut wire, header(Xid::AUTH), &ReplyBody::Done).unwrap();
    for (xid, body) in (1..).zip(bodies) {
        let event_type = EventType::NodeDataChanged;
        let event = WatcherEvent { event_type, state: KeeperState::SyncConnected, path: path("/b") };
        put_notification(&mut wire, Zxid::new(-1), &event).unwrap();
        put_reply(&mut wire, header(Xid::new(xid)), &body).unwrap();
        put_reply(&mut wire, header(Xid::PING), &ReplyBody::Done).unwrap();
    }
    wire.to_vec()
}

/// Feeds a stream in pieces, and whatever comes of it checks that every request ends exactly once.
fn feed(mut script: Script, stream: &[u8], piece: usize) -> Vec<SessionEvent> {
    let mut input = BytesMut::new();
    for bytes in stream.chunks(piece) {
        input.extend_from_slice(bytes);
        if script.session.handle_input(script.now, &mut input).is_err() {
            assert!(!script.session.state().is_linked());
        }
    }
    script.session.handle_close(script.now);
    script.lose();
    let events = script.events();
    let mut tickets: Vec<_> = events.iter().filter_map(replied).collect();
    tickets.sort();
    let count = tickets.len();
    tickets.dedup();
    assert_eq!(tickets.len(), count, "no request ends twice");
    assert_eq!(count, 10, "every request ends");
    events
}

fn replied(event: &SessionEvent) -> Option<Ticket> {
    match event {
        SessionEvent::Reply { ticket, .. } => Some(*ticket),
        _ => None,
    }
}

#[test]
fn a_good_stream_is_understood_in_pieces_of_any_size() {
    let whole = feed(busy(), &good_stream(), usize::MAX);
    assert!(whole.iter().all(|event| !matches!(event, SessionEvent::Reply { result: Err(_), .. })));
    for piece in 1..50 {
        assert_eq!(feed(busy(), &good_stream(), piece), whole);
    }
}

#[test]
fn a_frame_over_the_limit_ends_the_connection_before_it_arrives() {
    let mut script = Script::connected_with(SessionOptions::default().frame_bytes_max(100));
    let result = script.receive(BytesMut::from(&101_i32.to_be_bytes()[..]));
    assert!(matches!(
        result,
        Err(ProtocolError::Frame(FrameError::TooLarge(FrameTooLarge { bytes: 101, .. })))
    ));
    assert!(!script.session.state().is_linked());
}

proptest! {
    #[test]
    fn a_mutated_stream_never_panics(
        mutations in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        piece in 1_usize..200,
    ) {
        let mut stream = good_stream();
        for (index, byte) in mutations {
            let index = index.index(stream.len());
            stream[index] = byte;
        }
        let end = cut.index(stream.len()) + 1;
        feed(busy(), &stream[..end], piece);
    }

    #[test]
    fn random_frames_never_panic(frames in vec((-9_i32..12, any::<i64>(), -130_i32..1, vec(any::<u8>(), 0..60)), 0..30)) {
        let mut wire = BytesMut::new();
        for (xid, zxid, err, body) in frames {
            put_frame(&mut wire, 1000, |out| {
                let err = ErrorCode::from_code(if err % 2 == 0 { 0 } else { err });
                ReplyHeader { xid: Xid::new(xid), zxid: Zxid::new(zxid), err }.encode(out);
                out.extend_from_slice(&body);
            }).unwrap();
        }
        feed(busy(), &wire, 64);
    }

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        feed(busy(), &bytes, 7);
        let mut script = Script::new(SessionOptions::default());
        script.connect();
        let linked = script.receive(BytesMut::from(&bytes[..])).is_ok();
        prop_assert_eq!(linked || !script.session.state().is_linked(), true);
    }

    #[test]
    fn any_handshake_leads_to_a_state(timeout_millis in any::<i32>(), id in any::<i64>(), password in vec(any::<u8>(), 0..40)) {
        let mut script = Script::new(SessionOptions::default());
        script.connect();
        let password = Secret::new(password);
        let session_id = SessionId::new(id);
        script.answer_connect(&ConnectResponse { timeout_millis, session_id, password, ..granted(SESSION) });
        script.session.handle_timeout(script.now);
        prop_assert_eq!(script.session.state().is_connected(), timeout_millis > 0 && id != 0);
        script.lose();
    }
}

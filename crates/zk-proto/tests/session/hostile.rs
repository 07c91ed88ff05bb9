//! Whatever a server sends, a session answers with an error or goes on; it never panics.

use bytes::{Bytes, BytesMut};
use proptest::{collection::vec, prelude::*};
use quorate_zk_proto::*;

use crate::script::*;

/// Every kind of request, and credentials.
const REQUESTS: usize = 22;

/// Every kind of request, with a good answer to it.
fn conversation() -> Vec<(Request, ReplyBody)> {
    let stat = Stat::default();
    let (at, data) = (|| path("/a"), Some(Bytes::from_static(b"data")));
    let create = || Create { path: at(), data: None, acl: vec![Acl::open()], mode: CreateMode::Ephemeral };
    let removal = RemoveWatches { path: path("/q"), kind: WatcherType::Any };
    let question = CheckWatches { path: path("/q"), kind: WatcherType::Any };
    let change = Reconfig { joining: None, leaving: Some("3".into()), new_members: None, from_config: -1 };
    let names = vec!["x".to_owned(), "y".to_owned()];
    let answer = ReplyBody::Data { data: data.clone(), stat };
    let created = MultiResult::Created { path: at(), stat: Some(stat) };
    vec![
        (watch_children("/a"), ReplyBody::Children { names: names.clone(), stat: None }),
        (watch_exists("/b"), ReplyBody::Stat(stat)),
        (get("/a"), answer.clone()),
        (set("/a"), ReplyBody::Stat(stat)),
        (Request::Create(create()), ReplyBody::Created { path: at(), stat: None }),
        (Request::CreateWithStat(create()), ReplyBody::Created { path: at(), stat: Some(stat) }),
        (Request::Delete(Delete { path: at(), version: 0 }), ReplyBody::Done),
        (Request::Multi(Multi::default()), ReplyBody::Multi(vec![created, MultiResult::DataSet(stat)])),
        (
            Request::MultiRead(MultiRead::default()),
            ReplyBody::MultiRead(vec![MultiReadResult::Error(ErrorCode::NoNode)]),
        ),
        (Request::GetAcl(GetAcl { path: at() }), ReplyBody::Acl { acl: vec![Acl::open()], stat }),
        (Request::SetAcl(SetAcl { path: at(), acl: vec![Acl::read()], version: 0 }), ReplyBody::Stat(stat)),
        (
            Request::GetChildrenWithStat(GetChildren { path: at(), watch: false }),
            ReplyBody::Children { names: names.clone(), stat: Some(stat) },
        ),
        (Request::Sync(SyncRequest { path: at() }), ReplyBody::Synced { path: "/a".into() }),
        (add_watch("/p", WatchMode::Persistent), ReplyBody::WatchAdded),
        (watch_data("/p"), answer.clone()),
        (Request::RemoveWatches(removal), ReplyBody::Done),
        (Request::CheckWatches(question), ReplyBody::Done),
        (Request::Reconfig(change), answer),
        (Request::GetEphemerals(GetEphemerals { prefix: "/".into() }), ReplyBody::Ephemerals(names)),
        (Request::GetAllChildrenNumber(GetAllChildrenNumber { path: at() }), ReplyBody::AllChildrenNumber(7)),
        (
            Request::WhoAmI,
            ReplyBody::Identities(vec![ClientIdentity { scheme: "ip".into(), user: "::1".into() }]),
        ),
    ]
}

/// A session with every kind of request in flight and watches to fire.
fn busy() -> Script {
    let mut script = Script::connected();
    script.request(Request::Auth(Auth::new("digest", Secret::new(&b"u:p"[..]))));
    for (request, _) in conversation() {
        script.request(request);
    }
    script
}

/// Good answers to all that `busy` asks, with events among them.
fn good_stream() -> Vec<u8> {
    let mut wire = BytesMut::new();
    let header = |xid| ReplyHeader { xid, zxid: Zxid::new(9), err: ErrorCode::Ok };
    put_reply(&mut wire, header(Xid::AUTH), &ReplyBody::Done).unwrap();
    for (xid, (_, body)) in (1..).zip(conversation()) {
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
    assert_eq!(count, REQUESTS, "every request ends");
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

#[test]
fn a_stream_cut_at_any_byte_ends_every_request() {
    let stream = good_stream();
    for cut in 0..stream.len() {
        feed(busy(), &stream[..cut], usize::MAX);
    }
}

#[test]
fn a_stream_with_any_bit_turned_ends_every_request() {
    let mut stream = good_stream();
    for index in 0..stream.len() {
        for bit in 0..8 {
            stream[index] ^= 1 << bit;
            feed(busy(), &stream, usize::MAX);
            stream[index] ^= 1 << bit;
        }
    }
}

#[test]
fn a_stream_with_a_bad_length_anywhere_ends_every_request() {
    let stream = good_stream();
    for length in [-1, -2, 0, 1, i32::MAX, i32::MIN, 64 * 1024 * 1024] {
        for index in 0..stream.len() - 4 {
            let mut stream = stream.clone();
            stream[index..index + 4].copy_from_slice(&length.to_be_bytes());
            feed(busy(), &stream, usize::MAX);
        }
    }
}

#[test]
fn events_and_answers_that_nobody_asked_for_are_told_or_end_the_connection() {
    let mut script = Script::connected();
    for event_type in (1..8).filter_map(EventType::from_code) {
        script.notify(event_type, "/never/watched", 5);
    }
    assert_eq!(script.events().len(), 7, "they are the driver's to ignore");
    for xid in [Xid::AUTH, Xid::SET_WATCHES, Xid::new(0), Xid::new(1), Xid::new(-3), Xid::new(i32::MIN)] {
        let mut script = Script::connected();
        let stray = script.reply_header(xid, 1, ErrorCode::Ok, &ReplyBody::Done);
        assert_eq!(stray, Err(ProtocolError::UnexpectedXid { xid }));
        assert!(!script.session.state().is_linked());
    }
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

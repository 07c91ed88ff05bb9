//! Bytes as they are on the wire.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::*;

fn path(text: &str) -> ZnodePath {
    ZnodePath::new(text).unwrap()
}

fn encoded(record: &impl Codec) -> BytesMut {
    let mut out = BytesMut::new();
    record.encode(&mut out);
    out
}

fn body(request: &Request) -> BytesMut {
    let mut out = BytesMut::new();
    request.encode(&mut out);
    out
}

#[rustfmt::skip]
const WORLD_ANYONE_ALL: &[u8] = &[
    0, 0, 0, 1, // one entry
    0, 0, 0, 31,
    0, 0, 0, 5, b'w', b'o', b'r', b'l', b'd',
    0, 0, 0, 6, b'a', b'n', b'y', b'o', b'n', b'e',
];

#[test]
#[rustfmt::skip]
fn a_connect_request_is_45_bytes() {
    let request = ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid::new(0x0000_0001_0000_0002),
        timeout_millis: 15_000,
        session_id: SessionId::new(0x0102_0304_0506_0708),
        password: Secret::new(&[0xaa; 16][..]),
        read_only: Some(true),
    };
    let expected = [
        0, 0, 0, 0, // protocol version
        0, 0, 0, 1, 0, 0, 0, 2, // last zxid seen
        0, 0, 0x3a, 0x98, // timeout
        1, 2, 3, 4, 5, 6, 7, 8, // session
        0, 0, 0, 16, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
        0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, // password
        1, // read only
    ];
    assert_eq!(expected.len(), 45);
    assert_eq!(encoded(&request)[..], expected);
    assert_eq!(encoded(&ConnectRequest { read_only: None, ..request }).len(), 44);
}

#[test]
#[rustfmt::skip]
fn a_connect_response_is_37_bytes_or_36() {
    let bytes: &'static [u8] = &[
        0, 0, 0, 0,
        0, 0, 0x75, 0x30, // 30 s
        1, 0, 0, 0, 0, 0, 0, 9,
        0, 0, 0, 16, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        0,
    ];
    let mut reader = Reader::new(Bytes::from_static(bytes));
    let response = ConnectResponse::decode(&mut reader).unwrap();
    assert_eq!((response.timeout_millis, response.read_only), (30_000, Some(false)));
    assert_eq!(response.session_id, SessionId::new(0x0100_0000_0000_0009));
    assert_eq!(encoded(&response)[..], *bytes);
    let old = ConnectResponse::decode(&mut Reader::new(Bytes::from_static(&bytes[..36]))).unwrap();
    assert_eq!(old, ConnectResponse { read_only: None, ..response });
}

#[test]
fn a_create_request_is_path_data_acl_and_flags() {
    let create = Create {
        path: path("/a"),
        data: Some(Bytes::from_static(b"hi")),
        acl: vec![Acl::open()],
        mode: CreateMode::EphemeralSequential,
    };
    let expected = [&[0, 0, 0, 2, b'/', b'a', 0, 0, 0, 2, b'h', b'i'], WORLD_ANYONE_ALL, &[0, 0, 0, 3]];
    assert_eq!(body(&Request::Create(create.clone()))[..], expected.concat());
    assert_eq!(Request::Create(create.clone()).op().code(), 1);
    assert_eq!(Request::CreateWithStat(create).op().code(), 15);
}

#[test]
fn containers_and_times_to_live_have_operations_of_their_own() {
    let create = |mode| Create { path: path("/a"), data: None, acl: vec![], mode };
    let container = Request::Create(create(CreateMode::Container));
    assert_eq!(container.op().code(), 19);
    let null_data = [0, 0, 0, 2, b'/', b'a', 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 4];
    assert_eq!(body(&container)[..], null_data);
    let ttl = Request::Create(create(CreateMode::PersistentWithTtl(Ttl::from_millis(1000).unwrap())));
    assert_eq!(ttl.op().code(), 21);
    assert_eq!(body(&ttl)[14..], [0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 3, 0xe8]);
}

#[test]
#[rustfmt::skip]
fn a_reply_to_get_data_is_header_data_and_stat() {
    let bytes: &'static [u8] = &[
        0, 0, 0, 7, // xid
        0, 0, 0, 1, 0, 0, 0, 9, // zxid
        0, 0, 0, 0, // err
        0, 0, 0, 2, b'h', b'i',
        0, 0, 0, 1, 0, 0, 0, 3, // czxid
        0, 0, 0, 1, 0, 0, 0, 4, // mzxid
        0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0x00, // ctime
        0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0x01, // mtime
        0, 0, 0, 5, // version
        0, 0, 0, 6, // cversion
        0, 0, 0, 7, // aversion
        0, 0, 0, 0, 0, 0, 0, 8, // ephemeral owner
        0, 0, 0, 2, // data length
        0, 0, 0, 1, // number of children
        0, 0, 0, 1, 0, 0, 0, 2, // pzxid
    ];
    let mut reader = Reader::new(Bytes::from_static(bytes));
    let header = ReplyHeader::decode(&mut reader).unwrap();
    assert_eq!((header.xid, header.zxid.epoch(), header.zxid.counter()), (Xid::new(7), 1, 9));
    let reply = ReplyBody::decode(OpCode::GetData, &mut reader).unwrap();
    let ReplyBody::Data { data, stat } = &reply else { panic!("{reply:?}") };
    assert_eq!(data.as_deref(), Some(&b"hi"[..]));
    let expected = Stat {
        czxid: Zxid::new(0x1_0000_0003),
        mzxid: Zxid::new(0x1_0000_0004),
        ctime: 0x018b_cfe5_6800,
        mtime: 0x018b_cfe5_6801,
        version: 5,
        cversion: 6,
        aversion: 7,
        ephemeral_owner: SessionId::new(8),
        data_length: 2,
        num_children: 1,
        pzxid: Zxid::new(0x1_0000_0002),
    };
    assert_eq!(*stat, expected);
    let mut out = BytesMut::new();
    put_reply(&mut out, header, &reply).unwrap();
    assert_eq!((out[..4].to_vec(), &out[4..]), (vec![0, 0, 0, 90], bytes));
}

#[test]
#[rustfmt::skip]
fn a_multi_request_is_items_between_headers_and_an_end_mark() {
    let multi = Request::Multi(Multi { ops: vec![
        MultiOp::Check(Check { path: path("/l"), version: ANY_VERSION }),
        MultiOp::SetData(SetData { path: path("/d"), data: Some(Bytes::from_static(b"v")), version: 3 }),
        MultiOp::Delete(Delete { path: path("/l"), version: 0 }),
    ] });
    let expected = [
        0, 0, 0, 13, 0, 0xff, 0xff, 0xff, 0xff,
        0, 0, 0, 2, b'/', b'l', 0xff, 0xff, 0xff, 0xff,
        0, 0, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
        0, 0, 0, 2, b'/', b'd', 0, 0, 0, 1, b'v', 0, 0, 0, 3,
        0, 0, 0, 2, 0, 0xff, 0xff, 0xff, 0xff,
        0, 0, 0, 2, b'/', b'l', 0, 0, 0, 0,
        0xff, 0xff, 0xff, 0xff, 1, 0xff, 0xff, 0xff, 0xff,
    ];
    assert_eq!(body(&multi)[..], expected);
    assert_eq!(body(&Request::Multi(Multi::default()))[..], expected[expected.len() - 9..]);
}

#[test]
#[rustfmt::skip]
fn a_failed_multi_answers_every_item_with_an_error() {
    let bytes: &'static [u8] = &[
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, // type -1, not done, err 0
        0, 0, 0, 0,
        0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0x9b, // err -101
        0xff, 0xff, 0xff, 0x9b,
        0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xfe, // err -2
        0xff, 0xff, 0xff, 0xfe,
        0xff, 0xff, 0xff, 0xff, 1, 0xff, 0xff, 0xff, 0xff,
    ];
    let reply = ReplyBody::decode(OpCode::Multi, &mut Reader::new(Bytes::from_static(bytes))).unwrap();
    let ReplyBody::Multi(results) = &reply else { panic!("{reply:?}") };
    assert_eq!(MultiResult::first_error(results), Some((1, ErrorCode::NoNode)));
    let mut out = BytesMut::new();
    reply.encode(&mut out);
    assert_eq!(out[..], *bytes);
}

#[test]
#[rustfmt::skip]
fn set_watches_2_is_a_zxid_and_five_lists() {
    let record = SetWatches2 {
        one_shot: SetWatches {
            relative_zxid: Zxid::new(0x10),
            data: vec![path("/d")],
            exist: vec![],
            child: vec![path("/c")],
        },
        persistent: vec![path("/p"), path("/q")],
        persistent_recursive: vec![path("/")],
    };
    let expected = [
        0, 0, 0, 0, 0, 0, 0, 0x10,
        0, 0, 0, 1, 0, 0, 0, 2, b'/', b'd',
        0, 0, 0, 0,
        0, 0, 0, 1, 0, 0, 0, 2, b'/', b'c',
        0, 0, 0, 2, 0, 0, 0, 2, b'/', b'p', 0, 0, 0, 2, b'/', b'q',
        0, 0, 0, 1, 0, 0, 0, 1, b'/',
    ];
    assert_eq!(encoded(&record)[..], expected);
}

#[test]
#[rustfmt::skip]
fn a_notification_is_a_header_and_an_event() {
    let event = WatcherEvent {
        event_type: EventType::NodeDataChanged,
        state: KeeperState::SyncConnected,
        path: path("/a"),
    };
    let mut out = BytesMut::new();
    put_notification(&mut out, Zxid::new(-1), &event).unwrap();
    let expected = [
        0, 0, 0, 30,
        0xff, 0xff, 0xff, 0xff, // xid -1
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // zxid -1
        0, 0, 0, 0,
        0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 2, b'/', b'a',
    ];
    assert_eq!(out[..], expected);
}

#[test]
#[rustfmt::skip]
fn a_reconfiguration_is_three_lists_and_a_configuration() {
    let request = Request::Reconfig(Reconfig {
        joining: Some("s".into()),
        leaving: Some(String::new()),
        new_members: None,
        from_config: -1,
    });
    let expected = [
        0, 0, 0, 1, b's',
        0, 0, 0, 0, // empty
        0xff, 0xff, 0xff, 0xff, // null
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    assert_eq!((body(&request)[..].to_vec(), request.op().code()), (expected.to_vec(), 16));
    assert!(request.is_write());
}

#[test]
fn a_question_for_watches_is_a_path_and_a_kind() {
    let request = Request::CheckWatches(CheckWatches { path: path("/a"), kind: WatcherType::Any });
    assert_eq!(body(&request)[..], [0, 0, 0, 2, b'/', b'a', 0, 0, 0, 3]);
    assert_eq!((request.op().code(), request.is_write()), (17, false));
}

#[test]
fn sasl_tokens_are_buffers_both_ways() {
    let token = SaslToken { token: Secret::new(&b"xy"[..]) };
    assert_eq!(encoded(&token)[..], [0, 0, 0, 2, b'x', b'y']);
    assert_eq!(format!("{token:?}"), "SaslToken { token: Secret(..) }");
    let header = RequestHeader { xid: Xid::new(1), op: 102 };
    let request = ServerRequest::decode(header, &mut Reader::new(encoded(&token).freeze()));
    assert_eq!(request, Ok(ServerRequest::Sasl(token)));
    let last = ReplyBody::decode(OpCode::Sasl, &mut Reader::new(Bytes::from_static(&[0xff; 4])));
    assert_eq!(last, Ok(ReplyBody::SaslToken(None)));
}

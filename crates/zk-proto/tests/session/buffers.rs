//! Memory that a large reply or request took is given back.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::*;

use crate::script::*;

const HUGE: usize = 8 * 1024 * 1024;
const KEPT_MAX: usize = 1024 * 1024;

fn data_reply_of(bytes: usize, xid: i32) -> BytesMut {
    let mut wire = BytesMut::new();
    let header = ReplyHeader { xid: Xid::new(xid), zxid: Zxid::new(1), err: ErrorCode::Ok };
    let data = Some(Bytes::from(vec![1; bytes]));
    put_reply(&mut wire, header, &ReplyBody::Data { data, stat: Stat::default() }).unwrap();
    wire
}

#[test]
fn input_that_grew_huge_once_does_not_stay_so() {
    let mut script = Script::connected();
    script.request(get("/huge"));
    script.request(get("/small"));
    let mut input = BytesMut::new();
    for piece in data_reply_of(HUGE, 1).chunks(64 * 1024) {
        input.extend_from_slice(piece);
        script.session.handle_input(script.now, &mut input).unwrap();
    }
    drop(script.events());
    let small = data_reply_of(10, 2);
    input.extend_from_slice(&small[..20]);
    script.session.handle_input(script.now, &mut input).unwrap();
    input.reserve(64 * 1024);
    assert!(input.capacity() <= KEPT_MAX);
    input.extend_from_slice(&small[20..]);
    script.session.handle_input(script.now, &mut input).unwrap();
    assert!(matches!(script.events()[..], [SessionEvent::Reply { result: Ok(_), .. }]));
}

#[test]
fn output_that_grew_huge_once_does_not_stay_so() {
    let mut script = Script::connected_with(SessionOptions::default().request_bytes_max(2 * HUGE));
    let data = Some(Bytes::from(vec![1; HUGE]));
    script.request(Request::SetData(SetData { path: path("/huge"), data, version: ANY_VERSION }));
    let mut out = BytesMut::new();
    for _ in 0..4 {
        assert!(script.session.poll_transmit(&mut out));
        out.clear();
        assert!(!script.session.poll_transmit(&mut out));
        assert!(out.capacity() <= KEPT_MAX);
        script.request(get("/small"));
    }
}

#[test]
fn output_memory_is_used_by_turns() {
    let mut script = Script::connected();
    let mut out = BytesMut::new();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..10 {
        script.request(get("/a"));
        script.session.poll_transmit(&mut out);
        seen.insert(out.as_ptr() as usize);
        out.clear();
    }
    assert!(seen.len() <= 3, "{} buffers", seen.len());
}

//! Replies recorded from an Apache ZooKeeper 3.8.0 server, one a line: the operation, and the frame.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::*;

const REPLIES: &str = include_str!("recorded.txt");

fn unhex(hex: &str) -> Bytes {
    let pairs = hex.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn op(name: &str) -> OpCode {
    (-20..110).filter_map(OpCode::from_code).find(|op| format!("{op:?}") == name).unwrap()
}

fn replies() -> impl Iterator<Item = (OpCode, Bytes)> {
    REPLIES.lines().map(|line| line.split_once(' ').unwrap()).map(|(name, hex)| (op(name), unhex(hex)))
}

#[test]
fn recorded_replies_are_encoded_again_to_the_same_bytes() {
    for (op, frame) in replies() {
        let mut reader = Reader::new(frame.clone());
        let header = ReplyHeader::decode(&mut reader).unwrap();
        let body = match header.err {
            ErrorCode::Ok => ReplyBody::decode(op, &mut reader).unwrap(),
            _ => ReplyBody::Done,
        };
        let mut out = BytesMut::new();
        put_reply(&mut out, header, &body).unwrap();
        assert_eq!(out[4..], frame, "{op:?}: {body:?}");
    }
}

#[test]
fn recorded_multis_tell_success_and_culprit() {
    let outcome = |(op, frame): (OpCode, Bytes)| {
        let mut reader = Reader::new(frame);
        ReplyHeader::decode(&mut reader).unwrap();
        match ReplyBody::decode(op, &mut reader) {
            Ok(ReplyBody::Multi(results)) => Some(MultiResult::first_error(&results)),
            _ => None,
        }
    };
    let outcomes: Vec<_> = replies().filter_map(outcome).collect();
    assert_eq!(outcomes, [None, Some((1, ErrorCode::NoNode))]);
}

#[test]
fn a_recorded_handshake_is_understood() {
    let hex = "0000000000001770010000210f9800040000001026fdf584dfb05a161db4a3228fc25a2b00";
    let frame = unhex(hex);
    let response = ConnectResponse::decode(&mut Reader::new(frame.clone())).unwrap();
    assert_eq!((response.timeout_millis, response.read_only), (6000, Some(false)));
    assert_eq!(response.session_id, SessionId::new(0x0100_0021_0f98_0004));
    let mut out = BytesMut::new();
    response.encode(&mut out);
    assert_eq!(out, frame);
}

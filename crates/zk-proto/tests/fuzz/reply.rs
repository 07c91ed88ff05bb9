//! Whatever a server answers is decoded or refused, and what was decoded means the same when encoded again.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::{
    Codec, ConnectResponse, DigestMd5Client, OpCode, Reader, ReplyBody, ReplyHeader, Secret, WatcherEvent,
    take_frame,
};

/// The first byte chooses the operation, the others are the reply.
pub(crate) fn run(script: &[u8]) {
    let Some((&first, rest)) = script.split_first() else { return };
    let bytes = Bytes::copy_from_slice(rest);
    // The codes of operations fit into a byte, read as a signed number.
    if let Some(op) = OpCode::from_code(i32::from(first.cast_signed())) {
        body(op, bytes.clone());
    }
    record::<ReplyHeader>(bytes.clone());
    record::<ConnectResponse>(bytes.clone());
    record::<WatcherEvent>(bytes);
    let mut input = BytesMut::from(rest);
    while let Ok(Some(frame)) = take_frame(&mut input, 100) {
        assert!(frame.len() <= 100);
    }
    sasl(rest);
}

fn body(op: OpCode, bytes: Bytes) {
    let Ok(body) = ReplyBody::decode(op, &mut Reader::new(bytes)) else { return };
    let mut again = BytesMut::new();
    body.encode(&mut again);
    assert_eq!(ReplyBody::decode(op, &mut Reader::new(again.freeze())), Ok(body));
}

fn record<T: Codec + PartialEq + std::fmt::Debug>(bytes: Bytes) {
    let Ok(record) = T::decode(&mut Reader::new(bytes)) else { return };
    let mut again = BytesMut::new();
    record.encode(&mut again);
    assert_eq!(T::decode(&mut Reader::new(again.freeze())).as_ref(), Ok(&record));
}

fn sasl(challenge: &[u8]) {
    let mut client = DigestMd5Client::new("bob", Secret::new("secret"), "cnonce");
    if client.step(challenge).is_ok() {
        assert!(client.step(challenge).is_err(), "the server has proved nothing");
    }
}

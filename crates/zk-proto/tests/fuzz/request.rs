//! Whatever a client sends is decoded or refused, and what was decoded is encoded to the same bytes ever after.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::{
    Codec, ConnectRequest, DigestMd5Server, Reader, Request, RequestHeader, Secret, ServerRequest,
    SetWatches, SetWatches2,
};

/// The first bytes are the header, the others the request.
pub(crate) fn run(script: &[u8]) {
    let mut reader = Reader::new(Bytes::copy_from_slice(script));
    let _ = ConnectRequest::decode(&mut reader.clone());
    let _ = DigestMd5Server::new("nonce").check(script, |_| Some(Secret::new("secret")));
    let Ok(header) = RequestHeader::decode(&mut reader) else { return };
    match ServerRequest::decode(header, &mut reader) {
        Ok(ServerRequest::Operation(request)) => operation(&request),
        Ok(ServerRequest::SetWatches(record)) => {
            assert_eq!(SetWatches::decode(&mut Reader::new(encoded(&record))), Ok(record));
        }
        Ok(ServerRequest::SetWatches2(record)) => {
            assert_eq!(SetWatches2::decode(&mut Reader::new(encoded(&record))), Ok(record));
        }
        _ => {}
    }
}

fn operation(request: &Request) {
    let _ = (request.path(), request.is_write(), format!("{request:?}"));
    let bytes = body(request);
    let again = Request::decode(request.op(), &mut Reader::new(bytes.clone())).expect("it was encoded here");
    assert_eq!(body(&again), bytes);
}

fn body(request: &Request) -> Bytes {
    let mut out = BytesMut::new();
    request.encode(&mut out);
    out.freeze()
}

fn encoded(record: &impl Codec) -> Bytes {
    let mut out = BytesMut::new();
    record.encode(&mut out);
    out.freeze()
}

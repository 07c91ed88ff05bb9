//! Every decoder meets random bytes and mutated records without panicking.

use bytes::{Bytes, BytesMut};
use proptest::{collection::vec, prelude::*};
use quorate_zk_proto::*;

use crate::strategy::*;

/// Runs every decoder there is.
fn decode_all(bytes: &Bytes) {
    let reader = || Reader::new(bytes.clone());
    for op in (-20..110).filter_map(OpCode::from_code) {
        let _ = Request::decode(op, &mut reader());
        let _ = ReplyBody::decode(op, &mut reader());
    }
    for op in -20..110 {
        let header = RequestHeader { xid: Xid::new(1), op };
        let _ = ServerRequest::decode(header, &mut reader());
    }
    let _ = RequestHeader::decode(&mut reader());
    let _ = ReplyHeader::decode(&mut reader());
    let _ = ConnectRequest::decode(&mut reader());
    let _ = ConnectResponse::decode(&mut reader());
    let _ = WatcherEvent::decode(&mut reader());
    let _ = SetWatches::decode(&mut reader());
    let _ = SetWatches2::decode(&mut reader());
    let _ = ZnodePath::decode(&mut reader());
    let _ = Vec::<Vec<Stat>>::decode(&mut reader());
    let mut input = BytesMut::from(&bytes[..]);
    while let Ok(Some(_)) = take_frame(&mut input, 100) {}
}

fn mutated(mut bytes: BytesMut, mutations: Vec<(prop::sample::Index, u8)>) -> Bytes {
    for (index, byte) in mutations {
        if !bytes.is_empty() {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
    }
    bytes.freeze()
}

fn mutations() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(0xff), Just(0x7f), Just(0)]), 1..5)
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..120)) {
        decode_all(&Bytes::from(bytes));
    }

    #[test]
    fn mutated_requests_never_panic(request in request(), mutations in mutations()) {
        let mut out = BytesMut::new();
        request.encode(&mut out);
        decode_all(&mutated(out, mutations));
    }

    #[test]
    fn mutated_replies_never_panic((_, body) in reply(), mutations in mutations()) {
        let mut out = BytesMut::new();
        body.encode(&mut out);
        decode_all(&mutated(out, mutations));
    }

    #[test]
    fn any_text_is_a_path_or_an_error(text in any::<String>()) {
        if let Ok(path) = ZnodePath::new(&text) {
            prop_assert_eq!(path.as_str(), &text);
            if let (Some(parent), Some(name)) = (path.parent(), path.name()) {
                prop_assert_eq!(parent.join(name), Ok(path));
            }
        }
    }

    #[test]
    fn a_chroot_goes_on_and_comes_off(path in path(), chroot in path()) {
        let outside = path.in_chroot(&chroot);
        prop_assert!(outside.is_within(&chroot));
        prop_assert!(ZnodePath::new(&outside).is_ok());
        prop_assert_eq!(outside.strip_chroot(&chroot), Some(path));
    }
}

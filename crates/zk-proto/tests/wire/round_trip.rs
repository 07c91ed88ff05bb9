//! What is encoded decodes to itself, to the last byte.

use std::fmt::Debug;

use bytes::BytesMut;
use proptest::prelude::*;
use quorate_zk_proto::*;

use crate::strategy::*;

fn assert_round_trip<T: Codec + PartialEq + Debug>(record: &T) {
    let mut out = BytesMut::new();
    record.encode(&mut out);
    assert!(out.len() >= T::BYTES_MIN);
    let mut reader = Reader::new(out.freeze());
    assert_eq!(T::decode(&mut reader).as_ref(), Ok(record));
    assert_eq!(reader.finish(), Ok(()));
}

proptest! {
    #[test]
    fn requests_survive(request in request()) {
        let mut out = BytesMut::new();
        request.encode(&mut out);
        let mut reader = Reader::new(out.freeze());
        let header = RequestHeader { xid: Xid::new(1), op: request.op().code() };
        let decoded = ServerRequest::decode(header, &mut reader);
        prop_assert_eq!(decoded, Ok(ServerRequest::Operation(request)));
    }

    #[test]
    fn replies_survive((op, body) in reply()) {
        let mut out = BytesMut::new();
        body.encode(&mut out);
        prop_assert_eq!(ReplyBody::decode(op, &mut Reader::new(out.freeze())), Ok(body));
    }

    #[test]
    fn other_records_survive(
        watches in set_watches(),
        event in event(),
        request in connect_request(),
        response in connect_response(),
        header in header(),
        stat in stat(),
        token in sasl_token(),
    ) {
        assert_round_trip(&watches);
        assert_round_trip(&watches.one_shot);
        assert_round_trip(&event);
        assert_round_trip(&request);
        assert_round_trip(&response);
        assert_round_trip(&header);
        assert_round_trip(&RequestHeader { xid: header.xid, op: header.err.code() });
        assert_round_trip(&stat);
        assert_round_trip(&token);
    }

    #[test]
    fn a_record_cut_short_is_an_error((op, body) in reply(), cut in any::<prop::sample::Index>()) {
        let mut out = BytesMut::new();
        body.encode(&mut out);
        // Bodies that carry nothing may be missing.
        if !matches!(body, ReplyBody::Done | ReplyBody::WatchAdded) {
            out.truncate(cut.index(out.len()));
            prop_assert!(ReplyBody::decode(op, &mut Reader::new(out.freeze())).is_err());
        }
    }
}

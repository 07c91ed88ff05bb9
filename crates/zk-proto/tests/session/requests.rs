//! Requests and their replies.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::*;

use crate::script::*;

#[test]
fn xids_start_at_one_and_go_on_across_connections() {
    let mut script = Script::connected();
    script.request(get("/a"));
    assert_eq!(script.read().unwrap().0, Xid::new(1));
    script.reconnect();
    script.request(get("/a"));
    assert_eq!(script.read().unwrap().0, Xid::new(2));
}

#[test]
fn replies_are_matched_in_order_and_advance_the_zxid() {
    let mut script = Script::connected();
    let tickets = [script.request(get("/a")), script.request(get("/b"))];
    script.reply(Xid::new(1), 10, &data_reply());
    script.reply_error(Xid::new(2), 11, ErrorCode::NoNode);
    let events = script.events();
    let SessionEvent::Reply { ticket, result: Ok(reply) } = &events[0] else { panic!("{events:?}") };
    assert_eq!((*ticket, reply.zxid), (tickets[0], Zxid::new(10)));
    let SessionEvent::Reply { ticket, result: Err(failure) } = &events[1] else { panic!("{events:?}") };
    assert_eq!((*ticket, failure.outcome), (tickets[1], Outcome::Failed));
    assert_eq!(failure.server_code(), Some(ErrorCode::NoNode));
    assert_eq!(failure.zxid, Some(Zxid::new(11)), "absence is read at a point in history too");
    assert_eq!(script.session.last_zxid(), Zxid::new(11));
}

#[test]
fn a_reply_out_of_order_is_found_and_a_stray_one_is_an_error() {
    let mut script = Script::connected();
    script.request(get("/a"));
    let early = script.request(get("/b"));
    script.reply(Xid::new(2), 10, &data_reply());
    assert!(matches!(script.events()[..], [SessionEvent::Reply { ticket, .. }] if ticket == early));
    let stray = script.reply_header(Xid::new(2), 10, ErrorCode::Ok, &data_reply());
    assert_eq!(stray, Err(ProtocolError::UnexpectedXid { xid: Xid::new(2) }));
    let reason = DisconnectReason::ProtocolError;
    assert_eq!(script.session.state(), SessionState::Disconnected { reason });
}

#[test]
fn writes_in_flight_are_unknown_and_reads_failed_when_the_connection_is_lost() {
    let mut script = Script::connected();
    let (write, read) = (script.request(set("/a")), script.request(get("/a")));
    script.lose();
    assert_eq!(
        script.failures(),
        [
            (write, Outcome::Unknown, FailureKind::ConnectionLost),
            (read, Outcome::Failed, FailureKind::ConnectionLost)
        ]
    );
}

#[test]
fn queued_requests_survive_a_lost_handshake_and_are_sent_once() {
    let mut script = Script::new(SessionOptions::default());
    let ticket = script.request(set("/a"));
    script.connect();
    script.lose();
    script.connect();
    script.grant(SESSION);
    assert!(script.failures().is_empty());
    let (xid, _) = script.read().unwrap();
    assert!(script.read().is_none());
    script.reply(xid, 1, &ReplyBody::Stat(Stat::default()));
    assert!(matches!(script.events()[..], [SessionEvent::Reply { ticket: t, result: Ok(_) }] if t == ticket));
}

#[test]
fn a_request_can_be_withdrawn_until_it_is_encoded() {
    let mut script = Script::new(SessionOptions::default());
    let (first, second) = (script.request(get("/a")), script.request(get("/b")));
    assert!(script.session.cancel(first));
    assert!(!script.session.cancel(first));
    script.connect();
    script.grant(SESSION);
    assert!(!script.session.cancel(second));
    let (_, request) = script.read().unwrap();
    assert_eq!(request, ServerRequest::Operation(get("/b")));
    assert!(script.read().is_none());
}

#[test]
fn the_window_and_the_queue_are_bounded() {
    let mut script = Script::connected_with(SessionOptions::default().in_flight_max(1).queued_max(1));
    script.request(get("/a"));
    script.request(get("/b"));
    assert!(!script.session.has_room());
    assert!(script.session.handle_request(script.now, get("/c")).is_err());
    assert_eq!((script.session.in_flight(), script.session.queued()), (1, 1));
    script.read();
    assert!(script.read().is_none());
    script.reply(Xid::new(1), 1, &data_reply());
    assert_eq!(script.read().map(|(xid, _)| xid), Some(Xid::new(2)));
    assert!(script.session.has_room());
}

#[test]
fn a_request_over_the_limit_is_not_sent_and_names_both_sizes() {
    let mut script = Script::connected_with(SessionOptions::default().request_bytes_max(50));
    let data = Some(Bytes::from(vec![0; 100]));
    let request = SetData { path: path("/a"), data, version: 0 };
    let ticket = script.request(Request::SetData(request));
    let kind = FailureKind::TooLarge { bytes: 8 + 6 + 104 + 4, bytes_max: 50 };
    assert_eq!(script.failures(), [(ticket, Outcome::NotSent, kind)]);
    script.request(get("/a"));
    assert_eq!(script.read().map(|(xid, _)| xid), Some(Xid::new(1)), "no number is used up");
}

#[test]
fn a_malformed_body_fails_its_request_alone() {
    let mut script = Script::connected();
    let (first, second) = (script.request(set("/a")), script.request(get("/b")));
    script.reply(Xid::new(1), 1, &ReplyBody::AllChildrenNumber(1));
    script.reply(Xid::new(2), 1, &data_reply());
    let events = script.events();
    let SessionEvent::Reply { ticket, result: Err(failure) } = &events[0] else { panic!("{events:?}") };
    assert_eq!((*ticket, failure.outcome), (first, Outcome::Unknown));
    assert!(matches!(failure.kind, FailureKind::Malformed(_)));
    assert!(matches!(&events[1], SessionEvent::Reply { ticket, result: Ok(_) } if *ticket == second));
}

#[test]
fn an_error_of_the_server_itself_leaves_a_write_unknown() {
    let mut script = Script::connected();
    script.request(set("/a"));
    script.request(set("/b"));
    script.reply_error(Xid::new(1), 1, ErrorCode::SystemError);
    script.reply_error(Xid::new(2), 1, ErrorCode::Other(-999));
    let outcomes: Vec<_> = script.failures().into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(outcomes, [Outcome::Unknown; 2]);
}

#[test]
fn a_failed_multi_is_a_reply_whose_items_tell_the_culprit() {
    let mut script = Script::connected();
    script.request(Request::Multi(Multi::default()));
    let results = vec![MultiResult::Error(ErrorCode::Ok), MultiResult::Error(ErrorCode::NoNode)];
    script.reply(Xid::new(1), 5, &ReplyBody::Multi(results.clone()));
    let events = script.events();
    let SessionEvent::Reply { result: Ok(reply), .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(reply.body, ReplyBody::Multi(results.clone()));
    assert_eq!(MultiResult::first_error(&results), Some((1, ErrorCode::NoNode)));
}

#[test]
fn data_in_a_reply_is_a_slice_of_what_was_read() {
    let mut script = Script::connected();
    script.request(get("/a"));
    let mut wire = BytesMut::new();
    let header = ReplyHeader { xid: Xid::new(1), zxid: Zxid::new(1), err: ErrorCode::Ok };
    put_reply(&mut wire, header, &data_reply()).unwrap();
    let start = wire.as_ptr();
    script.receive(wire).unwrap();
    let events = script.events();
    let SessionEvent::Reply { result: Ok(reply), .. } = &events[0] else { panic!("{events:?}") };
    let ReplyBody::Data { data: Some(data), .. } = &reply.body else { panic!("{reply:?}") };
    assert_eq!(data.as_ptr(), start.wrapping_add(4 + 16 + 4));
}

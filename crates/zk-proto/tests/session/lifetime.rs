//! Timers, credentials, and the end of a session.

use std::time::Duration;

use quorate_zk_proto::*;

use crate::script::*;

const PING_AFTER: Duration = Duration::from_secs(4);
const SILENT_AFTER: Duration = Duration::from_secs(8);

fn auth(credentials: &'static [u8]) -> Request {
    Request::Auth(Auth::new("digest", Secret::new(credentials)))
}

fn ping_replied(script: &mut Script, zxid: i64) {
    script.reply(Xid::PING, zxid, &ReplyBody::Done);
}

#[test]
fn an_idle_session_pings_after_a_third_of_its_timeout_once() {
    let mut script = Script::connected();
    assert_eq!(script.session.poll_timeout(), Some(script.now + PING_AFTER));
    script.pass(PING_AFTER);
    assert!(matches!(script.read(), Some((Xid::PING, ServerRequest::Ping))));
    script.pass(PING_AFTER - Duration::from_millis(1));
    assert!(script.read().is_none(), "one ping is outstanding");
    ping_replied(&mut script, 5);
    script.pass(Duration::from_millis(1));
    assert!(script.read().is_some());
}

#[test]
fn a_busy_session_does_not_ping() {
    let mut script = Script::connected();
    script.now += PING_AFTER / 2;
    script.request(get("/a"));
    script.read();
    script.pass(PING_AFTER / 2);
    assert!(script.read().is_none());
    script.pass(PING_AFTER / 2);
    assert!(matches!(script.read(), Some((Xid::PING, _))));
}

#[test]
fn a_ping_does_not_wait_for_the_input_to_end() {
    let mut script = Script::connected();
    script.now += PING_AFTER;
    script.notify(EventType::NodeCreated, "/a", -1);
    assert!(matches!(script.read(), Some((Xid::PING, ServerRequest::Ping))));
    script.notify(EventType::NodeCreated, "/a", -1);
    assert!(script.read().is_none());
}

#[test]
fn a_ping_reply_is_progress_and_out_of_band() {
    let mut script = Script::connected();
    let ticket = script.request(get("/a"));
    ping_replied(&mut script, 50);
    assert_eq!(script.events(), [SessionEvent::Progress(Zxid::new(50))]);
    assert_eq!(script.session.last_zxid(), Zxid::new(50));
    ping_replied(&mut script, -1);
    assert_eq!(script.events(), []);
    script.reply(Xid::new(1), 50, &data_reply());
    assert!(matches!(script.events()[..], [SessionEvent::Reply { ticket: t, .. }] if t == ticket));
}

#[test]
fn a_silent_server_is_given_up_after_two_thirds_of_the_timeout() {
    let mut script = Script::connected();
    script.pass(SILENT_AFTER - Duration::from_millis(1));
    assert!(script.session.state().is_connected());
    assert_eq!(script.session.poll_timeout(), Some(script.now + Duration::from_millis(1)));
    script.pass(Duration::from_millis(1));
    let reason = DisconnectReason::Silent;
    assert_eq!(script.session.state(), SessionState::Disconnected { reason });
}

#[test]
fn whatever_is_heard_keeps_the_connection() {
    let mut script = Script::connected();
    script.pass(SILENT_AFTER / 2);
    ping_replied(&mut script, 1);
    script.pass(SILENT_AFTER - Duration::from_millis(1));
    assert!(script.session.state().is_connected());
}

#[test]
fn a_server_that_does_not_answer_the_handshake_is_given_up() {
    let mut script = Script::new(SessionOptions::default().handshake_timeout(Duration::from_secs(1)));
    script.connect();
    assert_eq!(script.session.poll_timeout(), Some(script.now + Duration::from_secs(1)));
    script.pass(Duration::from_secs(1));
    let reason = DisconnectReason::HandshakeTimedOut;
    assert_eq!(script.session.state(), SessionState::Disconnected { reason });
}

#[test]
fn replies_to_credentials_are_out_of_band_and_no_progress() {
    let mut script = Script::connected();
    let read = script.request(get("/a"));
    let login = script.request(auth(b"u:p"));
    script.reply(Xid::AUTH, 99, &ReplyBody::Done);
    assert!(matches!(script.events()[..], [SessionEvent::Reply { ticket, .. }] if ticket == login));
    assert_eq!(script.session.last_zxid(), Zxid::ZERO);
    script.reply(Xid::new(1), 1, &data_reply());
    assert!(matches!(script.events()[..], [SessionEvent::Reply { ticket, .. }] if ticket == read));
}

#[test]
fn credentials_are_presented_again_until_answered_and_ever_after() {
    let mut script = Script::connected();
    let login = script.request(auth(b"u:p"));
    script.reconnect();
    assert!(script.failures().is_empty());
    script.reply(Xid::AUTH, 0, &ReplyBody::Done);
    assert!(
        matches!(script.events()[..], [SessionEvent::Reply { ticket, result: Ok(_) }] if ticket == login)
    );
    script.reconnect();
    assert!(matches!(script.read(), Some((Xid::AUTH, _))));
    script.events();
    script.reply(Xid::AUTH, 0, &ReplyBody::Done);
    assert_eq!(script.events(), []);
}

#[test]
fn refused_credentials_end_the_session() {
    let mut script = Script::connected();
    let (read, login) = (script.request(get("/a")), script.request(auth(b"u:p")));
    script.reply_error(Xid::AUTH, 0, ErrorCode::AuthFailed);
    assert_eq!(script.session.state(), SessionState::AuthFailed);
    let refused = FailureKind::Server(ErrorCode::AuthFailed);
    let lost = FailureKind::AuthFailed;
    assert_eq!(script.failures(), [(login, Outcome::Failed, refused), (read, Outcome::Failed, lost.clone())]);
    let late = script.request(get("/a"));
    assert_eq!(script.failures(), [(late, Outcome::NotSent, lost)]);
    script.session.handle_connected(script.now);
    assert_eq!(script.session.state(), SessionState::AuthFailed);
}

#[test]
fn the_number_of_credentials_is_bounded() {
    let mut script = Script::new(SessionOptions::default());
    for number in 0..64_u8 {
        script.request(Request::Auth(Auth::new("digest", Secret::new(vec![number]))));
    }
    assert!(script.session.handle_request(script.now, auth(b"one too many")).is_err());
}

#[test]
fn credentials_over_the_limit_are_not_sent() {
    let mut script = Script::connected_with(SessionOptions::default().request_bytes_max(29));
    script.request(auth(b"u:p"));
    assert!(script.failures().is_empty());
    script.read().unwrap();
    let ticket = script.request(auth(b"u:pw"));
    let kind = FailureKind::TooLarge { bytes: 30, bytes_max: 29 };
    assert_eq!(script.failures(), [(ticket, Outcome::NotSent, kind)]);
    assert!(script.read().is_none());
}

#[test]
fn closing_waits_for_earlier_requests_and_refuses_later_ones() {
    let mut script = Script::connected_with(SessionOptions::default().in_flight_max(1));
    script.request(get("/a"));
    script.request(get("/b"));
    script.session.handle_close(script.now);
    let late = script.request(get("/c"));
    assert_eq!(script.failures(), [(late, Outcome::NotSent, FailureKind::Closed)]);
    script.reply(Xid::new(1), 1, &data_reply());
    script.reply(Xid::new(2), 1, &data_reply());
    let sent: Vec<_> = std::iter::from_fn(|| script.read()).collect();
    assert_eq!(sent[2], (Xid::new(3), ServerRequest::CloseSession));
    assert!(script.failures().is_empty());
    script.reply(Xid::new(3), 2, &ReplyBody::Done);
    assert_eq!(script.events(), [SessionEvent::State(SessionState::Closed)]);
    assert_eq!(script.session.poll_timeout(), None);
}

#[test]
fn a_connection_lost_while_closing_closes() {
    let mut script = Script::connected();
    let write = script.request(set("/a"));
    script.session.handle_close(script.now);
    script.lose();
    assert_eq!(script.session.state(), SessionState::Closed);
    assert_eq!(script.failures(), [(write, Outcome::Unknown, FailureKind::Closed)]);
}

#[test]
fn closing_without_a_connection_closes_at_once() {
    let mut script = Script::new(SessionOptions::default());
    let queued = script.request(set("/a"));
    let login = script.request(auth(b"u:p"));
    script.session.handle_close(script.now);
    let closed = |ticket| (ticket, Outcome::NotSent, FailureKind::Closed);
    assert_eq!(script.failures(), [closed(queued), closed(login)]);
    assert!(!script.session.state().is_linked());
}

#[test]
fn closing_during_the_handshake_waits_for_it() {
    let mut script = Script::new(SessionOptions::default());
    script.connect();
    script.session.handle_close(script.now);
    script.grant(SESSION);
    assert!(matches!(script.read(), Some((_, ServerRequest::CloseSession))));
}

//! Connecting, resuming and expiring.

use std::time::Duration;

use quorate_zk_proto::*;

use crate::script::*;

fn states(events: &[SessionEvent]) -> Vec<SessionState> {
    let state = |event: &SessionEvent| match event {
        SessionEvent::State(state) => Some(*state),
        _ => None,
    };
    events.iter().filter_map(state).collect()
}

fn connected(session_id: SessionId, reused: bool) -> SessionState {
    SessionState::Connected { session_id, timeout: TIMEOUT, read_only: false, reused }
}

#[test]
fn a_first_connection_asks_for_a_new_session() {
    let mut script = Script::new(SessionOptions::default());
    let request = script.connect();
    assert_eq!((request.session_id, request.last_zxid_seen), (SessionId::NONE, Zxid::ZERO));
    assert_eq!(request.password.expose()[..], [0; 16]);
    assert_eq!((request.timeout_millis, request.read_only), (12_000, Some(false)));
    script.grant(SESSION);
    assert_eq!(states(&script.events()), [SessionState::Connecting, connected(SESSION, false)]);
}

#[test]
fn a_later_connection_resumes_the_session() {
    let mut script = Script::connected();
    let ticket = script.request(get("/a"));
    let (xid, _) = script.read().unwrap();
    script.reply(xid, 77, &data_reply());
    script.lose();
    let request = script.connect();
    assert_eq!((request.session_id, request.last_zxid_seen), (SESSION, Zxid::new(77)));
    assert_eq!(request.password.expose()[..], [7; 16]);
    script.grant(SESSION);
    let events = script.events();
    assert!(matches!(&events[0], SessionEvent::Reply { ticket: t, result: Ok(_) } if *t == ticket));
    assert_eq!(states(&events).last(), Some(&connected(SESSION, true)));
}

#[test]
fn a_refused_session_is_expired_and_the_next_is_new_but_remembers_the_newest_zxid() {
    let mut script = Script::connected();
    script.request(get("/a"));
    let (xid, _) = script.read().unwrap();
    script.reply(xid, 77, &data_reply());
    script.lose();
    script.connect();
    script.answer_connect(&refused());
    assert_eq!(script.session.state(), SessionState::Expired);
    let request = script.connect();
    assert_eq!((request.session_id, request.last_zxid_seen), (SessionId::NONE, Zxid::new(77)));
    script.grant(SessionId::new(9));
    assert_eq!(script.session.state(), connected(SessionId::new(9), false));
}

#[test]
fn another_session_id_on_resuming_is_an_expiry() {
    let mut script = Script::connected();
    script.lose();
    script.connect();
    script.grant(SessionId::new(9));
    assert_eq!(script.session.state(), SessionState::Expired);
    assert_eq!(script.session.session_id(), None);
}

#[test]
fn a_new_session_that_is_refused_is_no_expiry() {
    let mut script = Script::new(SessionOptions::default());
    script.connect();
    script.answer_connect(&refused());
    let reason = DisconnectReason::SessionRefused;
    assert_eq!(script.session.state(), SessionState::Disconnected { reason });
}

#[test]
fn a_connection_lost_in_the_handshake_is_no_expiry() {
    let mut script = Script::connected();
    script.lose();
    script.connect();
    script.lose();
    let reason = DisconnectReason::HandshakeLost;
    assert_eq!(script.session.state(), SessionState::Disconnected { reason });
    assert_eq!(script.connect().session_id, SESSION);
}

#[test]
fn history_is_forgotten_on_demand() {
    let mut script = Script::connected();
    script.reply_header(Xid::PING, 5, ErrorCode::Ok, &ReplyBody::Done).unwrap();
    script.session.forget_history();
    script.lose();
    assert_eq!(script.connect().last_zxid_seen, Zxid::ZERO);
}

#[test]
fn a_response_without_the_read_only_byte_is_accepted() {
    let mut script = Script::new(SessionOptions::default());
    script.connect();
    script.answer_connect(&ConnectResponse { read_only: None, ..granted(SESSION) });
    assert_eq!(script.session.state(), connected(SESSION, false));
}

#[test]
fn a_session_only_read_only_servers_know_is_not_asked_for_again() {
    let mut script = Script::new(SessionOptions::default().read_only_allowed(true));
    assert_eq!(script.connect().read_only, Some(true));
    script.answer_connect(&ConnectResponse { read_only: Some(true), ..granted(SESSION) });
    assert!(matches!(script.session.state(), SessionState::Connected { read_only: true, .. }));
    script.lose();
    assert_eq!(script.connect().session_id, SessionId::NONE);
    script.grant(SessionId::new(9));
    assert_eq!(script.session.state(), connected(SessionId::new(9), false));
}

#[test]
fn credentials_watches_and_waiting_requests_follow_the_handshake_in_this_order() {
    let mut script = Script::connected();
    script.request(Request::Auth(Auth::new("digest", Secret::new(&b"u:p"[..]))));
    script.request(Request::GetData(GetData { path: path("/w"), watch: true }));
    script.read();
    let (xid, _) = script.read().unwrap();
    script.reply(xid, 1, &data_reply());
    script.lose();
    script.request(set("/queued"));
    script.connect();
    assert!(script.read().is_none(), "nothing goes ahead of the server's answer");
    script.grant(SESSION);
    assert!(matches!(script.read(), Some((Xid::AUTH, ServerRequest::Operation(Request::Auth(_))))));
    assert!(matches!(script.read(), Some((Xid::SET_WATCHES, ServerRequest::SetWatches(_)))));
    assert!(matches!(script.read(), Some((_, ServerRequest::Operation(Request::SetData(_))))));
    assert!(script.read().is_none());
}

#[test]
fn a_session_out_of_reach_expires_after_four_thirds_of_its_timeout() {
    let mut script = Script::connected();
    script.lose();
    let ticket = script.request(set("/a"));
    script.pass(TIMEOUT * 4 / 3 - Duration::from_millis(1));
    assert!(!matches!(script.session.state(), SessionState::Expired));
    assert_eq!(script.session.poll_timeout(), Some(script.now + Duration::from_millis(1)));
    script.pass(Duration::from_millis(1));
    assert_eq!(script.session.state(), SessionState::Expired);
    assert_eq!(script.failures(), [(ticket, Outcome::NotSent, FailureKind::SessionExpired)]);
    assert_eq!(script.session.poll_timeout(), None);
}

#[test]
fn a_late_driver_does_not_resume_an_expired_session() {
    let mut script = Script::connected();
    script.lose();
    script.now += TIMEOUT * 2;
    assert_eq!(script.connect().session_id, SessionId::NONE);
    assert!(states(&script.events()).contains(&SessionState::Expired));
}

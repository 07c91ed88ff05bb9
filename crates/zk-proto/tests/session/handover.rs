//! A session that goes from one client to another.

use quorate_zk_proto::*;

use crate::script::*;

const PASSWORD: &[u8] = &[7; 16];

#[test]
fn a_detached_session_is_left_once_all_requests_are_answered() {
    let mut script = Script::connected();
    let (write, login) = (script.request(set("/a")), auth(&mut script));
    script.session.handle_detach(script.now);
    let late = script.request(get("/late"));
    assert_eq!(script.failures(), [(late, Outcome::NotSent, FailureKind::Closed)]);
    script.reply(Xid::new(1), 30, &ReplyBody::Stat(Stat::default()));
    assert!(script.session.state().is_connected());
    script.reply(Xid::AUTH, 0, &ReplyBody::Done);
    assert_eq!(script.session.state(), SessionState::Closed);
    let sent: Vec<_> = std::iter::from_fn(|| script.read()).map(|(_, request)| request).collect();
    assert!(!sent.contains(&ServerRequest::CloseSession), "the server keeps the session");
    let replied = |ticket| move |event: &SessionEvent| matches!(event, SessionEvent::Reply { ticket: t, result: Ok(_) } if *t == ticket);
    let events = script.events();
    assert!(events.iter().any(replied(write)) && events.iter().any(replied(login)));
}

fn auth(script: &mut Script) -> Ticket {
    script.request(Request::Auth(Auth::new("digest", Secret::new(&b"u:p"[..]))))
}

#[test]
fn credentials_outlive_detaching_but_not_closing() {
    let mut script = Script::connected();
    assert_eq!(script.session.credentials(), Some((SESSION, Secret::new(PASSWORD))));
    script.session.handle_detach(script.now);
    assert_eq!(script.session.state(), SessionState::Closed);
    assert_eq!(script.session.credentials(), Some((SESSION, Secret::new(PASSWORD))));
    let mut script = Script::connected();
    script.session.handle_close(script.now);
    script.lose();
    assert_eq!(script.session.credentials(), None);
}

#[test]
fn a_session_that_expires_while_detaching_leaves_no_credentials() {
    let mut script = Script::connected();
    script.lose();
    script.connect();
    script.session.handle_detach(script.now);
    script.answer_connect(&refused());
    assert_eq!(script.session.state(), SessionState::Closed);
    assert_eq!(script.session.credentials(), None);
}

#[test]
fn another_client_asks_for_the_session_with_its_password_and_history() {
    let options = SessionOptions::default().resume(SESSION, Secret::new(PASSWORD), Zxid::new(30));
    let mut script = Script::new(options);
    assert_eq!(script.session.session_id(), Some(SESSION));
    let request = script.connect();
    assert_eq!((request.session_id, request.last_zxid_seen), (SESSION, Zxid::new(30)));
    assert_eq!(request.password.expose()[..], *PASSWORD);
    script.grant(SESSION);
    assert!(matches!(script.session.state(), SessionState::Connected { reused: true, .. }));
}

#[test]
fn a_session_that_cannot_be_resumed_is_expired() {
    let options = SessionOptions::default().resume(SESSION, Secret::new(PASSWORD), Zxid::ZERO);
    let mut script = Script::new(options);
    script.connect();
    script.answer_connect(&refused());
    assert_eq!(script.session.state(), SessionState::Expired);
    assert_eq!(script.connect().session_id, SessionId::NONE);
}

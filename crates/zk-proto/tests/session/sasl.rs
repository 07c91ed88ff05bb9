//! Proving an identity before the session is up.

use std::time::Duration;

use bytes::Bytes;
use quorate_zk_proto::*;

use crate::script::*;

fn connecting() -> Script {
    let mut script = Script::new(SessionOptions::default().sasl());
    script.connect();
    script.events();
    script.grant(SESSION);
    script
}

fn challenge(token: &'static [u8]) -> SessionEvent {
    SessionEvent::SaslChallenge(Bytes::from_static(token))
}

fn answer(script: &mut Script, token: &'static [u8]) {
    script.session.handle_sasl(script.now, SaslAnswer::Token(Bytes::from_static(token)));
}

fn sasl_reply(script: &mut Script, xid: i32, token: &'static [u8]) {
    script.reply(Xid::new(xid), 0, &ReplyBody::SaslToken(Some(Bytes::from_static(token))));
}

#[test]
fn nothing_goes_ahead_of_the_exchange_and_all_follows_it() {
    let mut script = connecting();
    assert_eq!(script.events(), [challenge(b"")]);
    script.request(get("/a"));
    script.request(Request::Auth(Auth::new("digest", Secret::new(&b"u:p"[..]))));
    assert!(script.read().is_none());
    answer(&mut script, b"");
    assert!(matches!(script.read(), Some((xid, ServerRequest::Sasl(_))) if xid == Xid::new(1)));
    sasl_reply(&mut script, 1, b"prove it");
    assert_eq!(script.events(), [challenge(b"prove it")]);
    answer(&mut script, b"proof");
    let (xid, ServerRequest::Sasl(record)) = script.read().unwrap() else { panic!("no token") };
    assert_eq!((xid, &record.token.expose()[..]), (Xid::new(2), &b"proof"[..]));
    sasl_reply(&mut script, 2, b"so have I");
    assert_eq!(script.session.state(), SessionState::Connecting);
    script.session.handle_sasl(script.now, SaslAnswer::Done);
    assert!(script.session.state().is_connected());
    assert!(matches!(script.read(), Some((Xid::AUTH, _))));
    assert!(matches!(script.read(), Some((xid, _)) if xid == Xid::new(3)));
}

#[test]
fn every_connection_proves_itself_again() {
    let mut script = connecting();
    script.session.handle_sasl(script.now, SaslAnswer::Done);
    script.reconnect();
    assert_eq!(script.events().last(), Some(&challenge(b"")));
    assert_eq!(script.session.state(), SessionState::Connecting);
}

#[test]
fn a_refusal_is_final_whoever_refuses() {
    let mut script = connecting();
    answer(&mut script, b"");
    let queued = script.request(set("/a"));
    script.reply_error(Xid::new(1), 0, ErrorCode::AuthFailed);
    assert_eq!(script.session.state(), SessionState::AuthFailed);
    assert_eq!(script.failures(), [(queued, Outcome::NotSent, FailureKind::AuthFailed)]);
    let mut script = connecting();
    script.session.handle_sasl(script.now, SaslAnswer::Failed);
    assert_eq!(script.session.state(), SessionState::AuthFailed);
}

#[test]
fn answers_out_of_turn_are_ignored_and_tokens_out_of_turn_are_errors() {
    let mut script = connecting();
    answer(&mut script, b"");
    answer(&mut script, b"again");
    script.session.handle_sasl(script.now, SaslAnswer::Done);
    assert!(script.read().is_some() && script.read().is_none());
    sasl_reply(&mut script, 1, b"once");
    let twice = script.reply_header(Xid::new(1), 0, ErrorCode::Ok, &ReplyBody::SaslToken(None));
    assert_eq!(twice, Err(ProtocolError::UnexpectedXid { xid: Xid::new(1) }));
    answer(&mut script, b"to nobody");
    assert_eq!(script.session.in_flight(), 0);
}

#[test]
fn an_exchange_that_takes_too_long_is_given_up() {
    let mut script = connecting();
    answer(&mut script, b"");
    script.pass(TIMEOUT / 3 - Duration::from_millis(1));
    assert_eq!(script.session.state(), SessionState::Connecting);
    script.pass(Duration::from_millis(1));
    let reason = DisconnectReason::HandshakeTimedOut;
    assert_eq!(script.session.state(), SessionState::Disconnected { reason });
    assert_eq!(script.connect().session_id, SESSION, "the session was granted all the same");
}

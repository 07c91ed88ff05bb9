//! Sessions: how they live on, how they end, and who is told.

use std::time::Duration;

use quorate_testkit::Direction;
use quorate_zk::{
    Acl, Auth, ClientState, Create, CreateMode, DisconnectReason, Exists, FailureKind, Outcome, Request,
    Secret, WatchMode, Watched,
};
use tokio::time::timeout;

use crate::world::{World, create, create_as, next, path, soon, until};

on_both_servers! {
    an_idle_session_is_kept_alive,
    a_lost_connection_keeps_the_session,
    a_restarted_server_keeps_the_session,
    an_expired_session_is_replaced_and_its_token_says_so,
    a_token_turns_before_anything_of_a_later_session_is_told,
    requests_that_wait_fail_when_the_session_expires,
    a_request_in_an_expired_session_is_not_sent,
    a_silent_server_is_given_up,
    closing_ends_the_session_at_once,
    dropping_the_last_clone_ends_the_session_after_what_was_submitted,
    closing_without_a_server_does_not_hang,
    credentials_count_on_every_connection,
    refused_credentials_end_the_client,
}

async fn an_idle_session_is_kept_alive(world: World) {
    let client = world.client();
    let token = soon(client.session()).await.unwrap();
    let mut expired = token.expired();
    let expiry = timeout(token.timeout() * 2, expired.wait_for(|expired| *expired));
    assert!(expiry.await.is_err(), "pings keep it alive");
    assert!(client.state().borrow().is_connected());
}

async fn a_lost_connection_keeps_the_session(world: World) {
    let client = world.client();
    let token = soon(client.session()).await.unwrap();
    create_as(&client, "/mine", CreateMode::Ephemeral).await;
    for _ in 0..5 {
        world.link.cut();
        soon(client.sync(&path("/"))).await.ok();
        let stat = soon(client.exists(&path("/mine"))).await.ok().flatten();
        assert!(stat.is_none_or(|stat| stat.ephemeral_owner == token.id()));
    }
    let stat = soon(client.exists(&path("/mine"))).await.unwrap().expect("it lives as long as the session");
    assert_eq!(stat.ephemeral_owner, token.id());
    assert!(!token.has_expired());
}

async fn a_restarted_server_keeps_the_session(mut world: World) {
    let client = world.client();
    let token = soon(client.session()).await.unwrap();
    create(&client, "/node").await;
    world.restart().await;
    // The first one may be lost with the connection, which the client may not have noticed yet.
    while soon(client.exists(&path("/node"))).await.is_err() {}
    assert_eq!(client.state().borrow().session_id(), Some(token.id()));
    assert!(!token.has_expired());
}

async fn an_expired_session_is_replaced_and_its_token_says_so(world: World) {
    let client = world.client();
    let old = soon(client.session()).await.unwrap();
    create_as(&client, "/mine", CreateMode::Ephemeral).await;
    world.expire(&old).await;
    let new = soon(client.session()).await.unwrap();
    assert!(old.has_expired() && !new.has_expired());
    assert_ne!(old.id(), new.id());
    // The server counts on its own clock and may take a little longer.
    let gone = async { while soon(client.exists(&path("/mine"))).await.unwrap().is_some() {} };
    soon(gone).await;
}

async fn a_token_turns_before_anything_of_a_later_session_is_told(world: World) {
    let client = world.client();
    let old = soon(client.session()).await.unwrap();
    let mut watcher = soon(client.add_watch(&path("/"), WatchMode::Persistent)).await.unwrap();
    let seen = tokio::spawn({
        let (old, client) = (old.clone(), client.clone());
        async move {
            let item = next(&mut watcher).await;
            (item, old.has_expired(), client.state().borrow().session_id())
        }
    });
    world.expire(&old).await;
    let (item, had_expired, session_id) = soon(seen).await.unwrap();
    assert_eq!((item, had_expired), (Watched::Resync, true));
    assert!(session_id.is_some_and(|id| id != old.id()));
}

async fn requests_that_wait_fail_when_the_session_expires(world: World) {
    let client = world.client();
    let token = soon(client.session()).await.unwrap();
    world.link.refuse();
    until(&client, |state| !state.is_connected()).await;
    let waiting = client.request(Request::Exists(Exists { path: path("/"), watch: false }));
    let error = soon(waiting).await.unwrap_err();
    assert!(error.is_session_expired() && token.has_expired());
    assert_eq!(error.outcome(), Outcome::NotSent);
}

async fn a_request_in_an_expired_session_is_not_sent(world: World) {
    let client = world.client();
    let old = soon(client.session()).await.unwrap();
    world.expire(&old).await;
    let create =
        Create { path: path("/mine"), data: None, acl: vec![Acl::open()], mode: CreateMode::Ephemeral };
    let refused = client.request_in(&old, Request::Create(create.clone()));
    let error = soon(refused).await.unwrap_err();
    assert!(error.is_session_expired() && error.outcome() == Outcome::NotSent);
    let new = soon(client.session()).await.unwrap();
    soon(client.request_in(&new, Request::Create(create))).await.unwrap();
}

async fn a_silent_server_is_given_up(world: World) {
    let client = world.client();
    soon(client.session()).await.unwrap();
    world.link.hold(Direction::ToClient);
    let state = until(&client, |state| matches!(state, ClientState::Disconnected { .. })).await;
    assert!(matches!(state, ClientState::Disconnected { reason: DisconnectReason::Silent, .. }), "{state}");
    world.link.release(Direction::ToClient);
    until(&client, ClientState::is_connected).await;
}

async fn closing_ends_the_session_at_once(world: World) {
    let client = world.client();
    let token = soon(client.session()).await.unwrap();
    create_as(&client, "/mine", CreateMode::Ephemeral).await;
    let outsider = world.outsider();
    assert!(soon(outsider.exists(&path("/mine"))).await.unwrap().is_some());
    soon(client.close()).await;
    assert_eq!(soon(outsider.exists(&path("/mine"))).await, Ok(None));
    assert!(token.has_expired());
    assert!(soon(client.exists(&path("/"))).await.unwrap_err().request_error().is_closed());
    assert!(soon(client.session()).await.unwrap_err().is_closed());
    assert!(soon(client.add_watch(&path("/"), WatchMode::Persistent)).await.unwrap_err().is_closed());
    soon(client.close()).await;
}

async fn dropping_the_last_clone_ends_the_session_after_what_was_submitted(world: World) {
    let client = world.client();
    let (token, clone) = (soon(client.session()).await.unwrap(), client.clone());
    drop(client);
    let last = clone.create(&path("/last"), "", CreateMode::Persistent, vec![Acl::open()]);
    drop(clone);
    soon(last).await.unwrap();
    soon(token.expired().wait_for(|expired| *expired)).await.unwrap();
}

async fn closing_without_a_server_does_not_hang(world: World) {
    let client = world.client();
    soon(client.session()).await.unwrap();
    world.link.hold(Direction::ToClient);
    world.link.hold(Direction::ToServer);
    let waiting = client.create(&path("/late"), "", CreateMode::Persistent, vec![Acl::open()]);
    timeout(Duration::from_secs(5), client.close()).await.expect("three seconds are enough");
    let error = soon(waiting).await.unwrap_err().request_error().clone();
    assert_eq!(error.kind(), Some(&FailureKind::Closed));
}

async fn credentials_count_on_every_connection(world: World) {
    let client = world.client();
    soon(client.request(Request::Auth(Auth::new("digest", Secret::new(&b"me:secret"[..]))))).await.unwrap();
    soon(client.create(&path("/mine"), "", CreateMode::Persistent, vec![Acl::creator_all()])).await.unwrap();
    world.link.cut();
    until(&client, |state| !state.is_connected()).await;
    soon(client.set_data(&path("/mine"), "", None)).await.unwrap();
}

async fn refused_credentials_end_the_client(world: World) {
    let client = world.client();
    let token = soon(client.session()).await.unwrap();
    let refused = client.request(Request::Auth(Auth::new("nonsense", Secret::new(&b"me"[..]))));
    assert!(soon(refused).await.unwrap_err().is_auth_failed());
    until(&client, |state| matches!(state, ClientState::AuthFailed { .. })).await;
    assert!(token.has_expired());
    assert!(soon(client.session()).await.unwrap_err().is_auth_failed());
    assert!(soon(client.exists(&path("/"))).await.unwrap_err().request_error().is_auth_failed());
}

//! Sessions that go from one client to another.

use std::time::Duration;

use quorate_zk::{ClientState, CreateMode, Outcome, Secret, SessionHandover};
use quorate_zk_fake::FakeZooKeeper;

use crate::world::{World, create, create_as, path, soon, until};

on_both_servers! {
    a_session_goes_on_in_another_client,
    what_was_submitted_is_answered_before_a_session_is_left,
    a_session_that_is_not_there_any_more_has_expired,
    there_is_nothing_to_leave_without_a_session,
}

async fn a_session_goes_on_in_another_client(world: World) {
    let first = world.client();
    create_as(&first, "/mine", CreateMode::Ephemeral).await;
    let token = soon(first.session()).await.unwrap();
    let left = soon(first.detach()).await.expect("there is a session");
    assert_eq!(left.id, token.id());
    assert!(matches!(*first.state().borrow(), ClientState::Closed { .. }));
    let error = soon(first.exists(&path("/mine"))).await.unwrap_err();
    assert_eq!(error.request_error().outcome(), Outcome::NotSent);

    // As if it had been written down in between.
    let secret = Secret::new(left.password.expose().to_vec());
    let told = SessionHandover::new(left.id, secret, left.last_zxid);
    let second = world.options().resume(told).connect().unwrap();
    assert_eq!(soon(second.session()).await.unwrap().id(), token.id());
    let stat = soon(second.exists(&path("/mine"))).await.unwrap().expect("the session lives");
    assert_eq!(stat.ephemeral_owner, token.id());
    soon(second.close()).await;
    assert_eq!(soon(world.outsider().exists(&path("/mine"))).await.unwrap(), None);
}

async fn what_was_submitted_is_answered_before_a_session_is_left(world: World) {
    let client = world.options().in_flight_max(4).connect().unwrap();
    let nodes: Vec<_> = (0..100).map(|number| path(&format!("/node-{number}"))).collect();
    let creating: Vec<_> = nodes
        .iter()
        .map(|node| client.create(node, "", CreateMode::Persistent, vec![quorate_zk::Acl::open()]))
        .collect();
    let left = soon(client.detach()).await.expect("there is a session");
    let mut newest = left.last_zxid;
    for created in creating {
        newest = newest.max(soon(created).await.unwrap().zxid);
    }
    assert_eq!(left.last_zxid, newest);
}

async fn a_session_that_is_not_there_any_more_has_expired(world: World) {
    let first = world.client();
    create(&first, "/node").await;
    let mut left = soon(first.detach()).await.expect("there is a session");
    left.password = Secret::new(vec![1; 16]);
    let (second, mut events) = world.options().resume(left.clone()).connect_with_events().unwrap();
    let state = soon(events.next()).await;
    assert!(state.is_some());
    soon(async {
        while !matches!(
            events.next().await,
            Some(quorate_zk::SessionEvent::State(ClientState::Expired { .. }))
        ) {}
    })
    .await;
    until(&second, ClientState::is_connected).await;
    assert_ne!(soon(second.session()).await.unwrap().id(), left.id);
}

async fn there_is_nothing_to_leave_without_a_session(world: World) {
    world.link.refuse();
    let client = world.client();
    assert!(soon(client.detach()).await.is_none());
    assert!(soon(client.detach()).await.is_none());
    world.link.accept();
    let closed = world.client();
    soon(closed.session()).await.unwrap();
    soon(closed.close()).await;
    assert!(soon(closed.detach()).await.is_none());
}

#[tokio::test]
async fn a_session_out_of_reach_is_left_with_requests_in_the_line() {
    // The session outlives the three seconds that the end of a client may take.
    let fake = FakeZooKeeper::builder().tick(Duration::from_millis(500)).start().await.unwrap();
    let world = World::with_fake(fake).await;
    let first = world.options().session_timeout(Duration::from_secs(10)).connect().unwrap();
    let token = soon(first.session()).await.unwrap();
    world.link.refuse();
    until(&first, |state| !state.is_connected()).await;
    let waiting = first.exists(&path("/node"));
    let left = soon(first.detach()).await.expect("the session lives on at the server");
    let error = soon(waiting).await.unwrap_err();
    assert_eq!(error.request_error().outcome(), Outcome::NotSent);
    world.link.accept();
    let second = world.options().resume(left).connect().unwrap();
    assert_eq!(soon(second.session()).await.unwrap().id(), token.id());
}

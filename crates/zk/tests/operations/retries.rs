//! What is made again, and what is not.

use std::time::Duration;

use quorate_zk::{Acls, Client, CreateMode, ErrorCode, OpCode, RetryPolicy, SetDataError};
use quorate_zk_fake::Direction;

use crate::world::{World, create, path, soon};

fn quick() -> RetryPolicy {
    RetryPolicy::default().pause_first(Duration::from_millis(1))
}

async fn retrying(world: &World) -> (Client, Client) {
    let client = world.client();
    create(&client, "/node").await;
    world.as_fake().forget_requests();
    let retrying = client.retrying(quick());
    (client, retrying)
}

fn asked(world: &World, op: OpCode) -> usize {
    world.as_fake().requests().iter().filter(|request| request.op == op).count()
}

#[tokio::test]
async fn a_read_is_made_again_after_a_lost_connection() {
    let world = World::fake().await;
    let (plain, client) = retrying(&world).await;
    world.as_fake().cut_after_packets(Direction::Replies, 0);
    soon(client.get_data(&path("/node"))).await.unwrap();
    assert_eq!(asked(&world, OpCode::GetData), 2);

    world.as_fake().cut_after_packets(Direction::Replies, 0);
    let lost = soon(plain.get_data(&path("/node"))).await.unwrap_err();
    assert!(lost.request_error().is_connection_lost(), "other handles are not affected");
}

#[tokio::test]
async fn every_kind_of_read_is_made_again() {
    let world = World::fake().await;
    let (_plain, client) = retrying(&world).await;
    let node = path("/node");
    let cut = || world.as_fake().cut_after_packets(Direction::Replies, 0);
    cut();
    assert!(soon(client.exists(&node)).await.unwrap().is_some());
    cut();
    soon(client.get_children(&node)).await.unwrap();
    cut();
    soon(client.get_acl(&node)).await.unwrap();
    cut();
    soon(client.sync(&node)).await.unwrap();
    cut();
    soon(client.who_am_i()).await.unwrap();
    cut();
    assert!(soon(client.watch().exists(&node)).await.unwrap().is_some());
    assert!(!world.as_fake().is_cut_armed());
}

#[tokio::test]
async fn a_write_that_may_have_been_applied_is_not_made_again() {
    let world = World::fake().await;
    let (_plain, client) = retrying(&world).await;
    for direction in [Direction::Replies, Direction::Requests] {
        world.as_fake().cut_after_packets(direction, 0);
        let lost = soon(client.set_data(&path("/node"), "", None)).await.unwrap_err();
        assert!(lost.request_error().maybe_applied());
    }
    assert_eq!(asked(&world, OpCode::SetData), 1, "the second one was cut on its way");
}

#[tokio::test]
async fn a_throttled_write_is_made_again() {
    let world = World::fake().await;
    let (plain, client) = retrying(&world).await;
    world.as_fake().refuse_next(OpCode::SetData, ErrorCode::ThrottledOp);
    assert_eq!(soon(client.set_data(&path("/node"), "", 0)).await.unwrap().version, 1);

    world.as_fake().refuse_next(OpCode::SetData, ErrorCode::ThrottledOp);
    let refused = soon(plain.set_data(&path("/node"), "", 1)).await.unwrap_err();
    assert!(refused.request_error().is_throttled() && refused.request_error().is_retryable());
}

#[tokio::test]
async fn an_answer_is_an_answer() {
    let world = World::fake().await;
    let (_plain, client) = retrying(&world).await;
    let stale = soon(client.set_data(&path("/node"), "", 7)).await;
    assert!(matches!(stale, Err(SetDataError::BadVersion { expected: 7, .. })));
    assert_eq!(asked(&world, OpCode::SetData), 1);
}

#[tokio::test]
async fn attempts_run_out() {
    let world = World::fake().await;
    let (plain, _) = retrying(&world).await;
    let client = plain.retrying(quick().attempts_max(1));
    world.as_fake().cut_after_packets(Direction::Replies, 0);
    let lost = soon(client.get_data(&path("/node"))).await.unwrap_err();
    assert!(lost.request_error().is_connection_lost());
}

#[tokio::test]
async fn a_write_that_was_not_sent_in_a_session_that_expired_is_made_in_the_next() {
    let world = World::fake().await;
    let (plain, client) = retrying(&world).await;
    let token = soon(plain.session()).await.unwrap();
    world.as_fake().stop_listening().await.unwrap();
    world.as_fake().drop_connections();
    soon(plain.state().wait_for(|state| !state.is_connected())).await.unwrap();
    let set = client.set_data(&path("/node"), "late", 0);
    let mine = client.create(&path("/mine"), "", CreateMode::Ephemeral, Acls::open());
    world.as_fake().expire_session(token.id());
    world.as_fake().listen_again().await.unwrap();
    assert_eq!(soon(set).await.unwrap().version, 1);
    let error = soon(mine).await.unwrap_err();
    assert!(error.request_error().is_session_expired(), "an ephemeral znode was meant for that session");
}

#[tokio::test]
async fn a_deadline_ends_the_attempts() {
    let world = World::fake().await;
    let (plain, _) = retrying(&world).await;
    let patient = plain.retrying(
        RetryPolicy::default()
            .pause_first(Duration::from_secs(3600))
            .pause_max(Duration::from_secs(3600))
            .total_max(Duration::MAX),
    );
    world.as_fake().refuse_next(OpCode::SetData, ErrorCode::ThrottledOp);
    let set = patient.set_data(&path("/node"), "", 0).deadline(Duration::from_millis(50));
    let error = soon(set).await.unwrap_err().request_error().clone();
    assert!(error.is_deadline_exceeded() && !error.maybe_applied(), "{error}");
}

//! How long a caller waits.

use std::time::Duration;

use quorate_zk::{Acls, CreateMode, Outcome};

use crate::world::{World, create, exists, path, soon};

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_read_whose_deadline_passed_has_failed() {
    let world = World::fake().await;
    let client = world.client();
    soon(client.session()).await.unwrap();
    world.as_fake().pause();
    let error = soon(client.exists(&path("/")).deadline(SHORT)).await.unwrap_err();
    let error = error.request_error();
    assert!(error.is_deadline_exceeded() && !error.is_retryable(), "{error}");
    assert_eq!(error.kind(), None);
    assert_eq!((error.path(), error.maybe_applied()), (Some(&path("/")), false));
}

#[tokio::test]
async fn a_write_whose_deadline_passed_may_still_be_applied() {
    let world = World::fake().await;
    let client = world.client();
    create(&client, "/warm").await;
    world.as_fake().pause();
    let create = client.create(&path("/late"), "", CreateMode::Persistent, Acls::open());
    let error = soon(create.deadline(SHORT)).await.unwrap_err().request_error().clone();
    assert!(error.is_deadline_exceeded());
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.to_string(), "Create2 /late: deadline exceeded (may have been applied)");
    world.as_fake().resume();
    assert!(exists(&client, "/late").await, "it was applied later");
}

#[tokio::test]
async fn a_write_that_was_not_sent_at_its_deadline_never_is() {
    let world = World::fake().await;
    world.as_fake().stop_listening().await.unwrap();
    let client = world.client();
    let create = client.create(&path("/never"), "", CreateMode::Persistent, Acls::open());
    let error = soon(create.deadline(SHORT)).await.unwrap_err().request_error().clone();
    assert!(error.is_deadline_exceeded());
    assert_eq!(error.outcome(), Outcome::NotSent);
    world.as_fake().listen_again().await.unwrap();
    assert!(!exists(&client, "/never").await);
}

#[tokio::test]
async fn a_handle_has_a_deadline_for_all_its_operations() {
    let world = World::fake().await;
    world.as_fake().stop_listening().await.unwrap();
    let client = world.client();
    let hasty = client.with_deadline(SHORT);
    let error = soon(hasty.get_data(&path("/"))).await.unwrap_err();
    assert!(error.request_error().is_deadline_exceeded());
    let multi = soon(hasty.multi().check(&path("/"), None).run()).await.unwrap_err();
    assert!(multi.request_error().is_some_and(quorate_zk::RequestError::is_deadline_exceeded));
}

#[tokio::test]
async fn an_operation_in_time_is_not_bothered() {
    let world = World::fake().await;
    let client = world.client().with_deadline(Duration::MAX);
    create(&client, "/node").await;
    let read = client.exists(&path("/node")).deadline(Duration::from_secs(20));
    assert!(soon(read).await.unwrap().is_some());
}

#[tokio::test]
async fn a_read_that_sets_a_watch_keeps_the_deadline_of_its_handle() {
    let world = World::fake().await;
    let client = world.client().with_deadline(SHORT);
    soon(client.session()).await.unwrap();
    world.as_fake().pause();
    let error = soon(client.with_watcher().exists(&path("/"))).await.unwrap_err();
    assert!(error.request_error().is_deadline_exceeded());
}

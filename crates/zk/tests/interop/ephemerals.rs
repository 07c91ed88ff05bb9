//! Znodes that vanish with the session of whoever made them.

use quorate_testkit::{Value, json, zk_cli};
use quorate_zk::{CreateMode, ErrorCode, EventType, WatchMode};

use crate::world::{World, next_event, path, soon};

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn our_ephemeral_is_ours_for_kazoo_and_vanishes_when_we_close() {
    let mut world = World::start().await;
    world.create("/we-live", Some(b"x"), CreateMode::Ephemeral).await;
    let session = soon(world.ours.session()).await.unwrap().id();
    let stat = world.kazoo("exists", json!({ "path": "/we-live" })).await;
    assert_eq!(stat["ephemeralOwner"], json!(session.get()));
    world.kazoo("watch_data", json!({ "path": "/we-live" })).await;
    assert_eq!(world.kazoo.event().await["data"], "x");
    soon(world.ours.close()).await;
    assert_eq!(world.kazoo.event().await["data"], Value::Null);
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn kazoos_ephemeral_is_kazoos_for_us_and_vanishes_when_it_closes() {
    let mut world = World::start().await;
    let place = path("/kazoo-lives");
    world.kazoo("create", json!({ "path": "/kazoo-lives", "ephemeral": true })).await;
    let session = world.kazoo("session", json!({})).await;
    let stat = soon(world.ours.exists(&place)).await.unwrap().unwrap();
    assert_eq!(json!(stat.ephemeral_owner.get()), session);
    let mut watcher = soon(world.ours.add_watch(&place, WatchMode::Persistent)).await.unwrap();
    let World { ours, kazoo, .. } = world;
    kazoo.close().await;
    assert_eq!(next_event(&mut watcher).await, (EventType::NodeDeleted, "/kazoo-lives".to_owned()));
    soon(ours.close()).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn neither_can_create_below_the_ephemeral_of_the_other() {
    let mut world = World::start().await;
    world.create("/leaf", None, CreateMode::Ephemeral).await;
    let below = json!({ "path": "/leaf/below" });
    assert_eq!(world.kazoo_fails("create", below).await, "NoChildrenForEphemeralsError");
    world.kazoo("create", json!({ "path": "/their-leaf", "ephemeral": true })).await;
    let acl = vec![quorate_zk::Acl::open()];
    let refused = world.ours.create(&path("/their-leaf/below"), "", CreateMode::Persistent, acl);
    let error = soon(refused).await.unwrap_err();
    assert_eq!(error.request_error().code(), Some(ErrorCode::NoChildrenForEphemerals));
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn an_ephemeral_of_the_command_line_outlives_it_for_us_too() {
    let world = World::start().await;
    let place = path("/shell-lives");
    let mut watcher = soon(world.ours.add_watch(&place, WatchMode::Persistent)).await.unwrap();
    assert!(zk_cli(world.addr(), &["create", "-e", "/shell-lives"]).await.success);
    assert_eq!(next_event(&mut watcher).await, (EventType::NodeCreated, "/shell-lives".to_owned()));
    // It leaves without closing its session, which takes half a minute to expire.
    let stat = soon(world.ours.exists(&place)).await.unwrap().unwrap();
    assert!(!stat.ephemeral_owner.is_none());
    world.end().await;
}

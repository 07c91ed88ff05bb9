//! Watches of one that the other's writes fire.

use quorate_testkit::{Value, json};
use quorate_zk::{ANY_VERSION, CreateMode, EventType, WatchMode};

use crate::world::{World, next_event, path, soon};

fn happened(event_type: EventType, place: &str) -> (EventType, String) {
    (event_type, place.to_owned())
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn every_write_of_kazoo_fires_our_persistent_watch() {
    let mut world = World::start().await;
    let mut watcher = soon(world.ours.add_watch(&path("/kept"), WatchMode::Persistent)).await.unwrap();
    world.kazoo("create", json!({ "path": "/kept" })).await;
    world.kazoo("set", json!({ "path": "/kept", "value": "1" })).await;
    world.kazoo("set", json!({ "path": "/kept", "value": "2" })).await;
    world.kazoo("create", json!({ "path": "/kept/child" })).await;
    world.kazoo("delete", json!({ "path": "/kept", "recursive": true })).await;
    let expected = [
        EventType::NodeCreated,
        EventType::NodeDataChanged,
        EventType::NodeDataChanged,
        EventType::NodeChildrenChanged,
        EventType::NodeChildrenChanged,
        EventType::NodeDeleted,
    ];
    for event_type in expected {
        assert_eq!(next_event(&mut watcher).await, happened(event_type, "/kept"));
    }
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn every_write_of_kazoo_below_fires_our_recursive_watch() {
    let mut world = World::start().await;
    let base = path("/deep");
    let mut watcher = soon(world.ours.add_watch(&base, WatchMode::PersistentRecursive)).await.unwrap();
    world.kazoo("create", json!({ "path": "/deep/er/still", "makepath": true })).await;
    world.kazoo("set", json!({ "path": "/deep/er", "value": "1" })).await;
    world.kazoo("delete", json!({ "path": "/deep", "recursive": true })).await;
    let expected = [
        (EventType::NodeCreated, "/deep"),
        (EventType::NodeCreated, "/deep/er"),
        (EventType::NodeCreated, "/deep/er/still"),
        (EventType::NodeDataChanged, "/deep/er"),
        (EventType::NodeDeleted, "/deep/er/still"),
        (EventType::NodeDeleted, "/deep/er"),
        (EventType::NodeDeleted, "/deep"),
    ];
    for (event_type, place) in expected {
        assert_eq!(next_event(&mut watcher).await, happened(event_type, place));
    }
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn our_writes_fire_the_watches_that_kazoo_keeps() {
    let mut world = World::start().await;
    let data = |data: Value, version: Value| json!({ "watch": "data", "path": "/told", "data": data, "version": version });
    world.kazoo("watch_data", json!({ "path": "/told" })).await;
    assert_eq!(world.kazoo.event().await, data(Value::Null, Value::Null));
    world.create("/told", Some(b"0"), CreateMode::Persistent).await;
    assert_eq!(world.kazoo.event().await, data(json!("0"), json!(0)));
    soon(world.ours.set_data(&path("/told"), "1", 0)).await.unwrap();
    assert_eq!(world.kazoo.event().await, data(json!("1"), json!(1)));
    soon(world.ours.delete(&path("/told"), ANY_VERSION)).await.unwrap();
    assert_eq!(world.kazoo.event().await, data(Value::Null, Value::Null));
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn our_children_fire_the_watch_that_kazoo_keeps_on_their_parent() {
    let mut world = World::start().await;
    world.create("/parent", None, CreateMode::Persistent).await;
    world.kazoo("watch_children", json!({ "path": "/parent" })).await;
    assert_eq!(world.kazoo.event().await["children"], json!([]));
    world.create("/parent/a", None, CreateMode::Persistent).await;
    assert_eq!(world.kazoo.event().await["children"], json!(["a"]));
    soon(world.ours.delete(&path("/parent/a"), ANY_VERSION)).await.unwrap();
    assert_eq!(world.kazoo.event().await["children"], json!([]));
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn our_write_fires_kazoos_watch_once() {
    let mut world = World::start().await;
    world.kazoo("watch_once", json!({ "call": "exists", "path": "/once" })).await;
    world.create("/once", None, CreateMode::Persistent).await;
    assert_eq!(world.kazoo.event().await, json!({ "watch": "once", "path": "/once", "type": "CREATED" }));
    world.kazoo("watch_once", json!({ "call": "get", "path": "/once" })).await;
    soon(world.ours.set_data(&path("/once"), "1", 0)).await.unwrap();
    assert_eq!(world.kazoo.event().await["type"], "CHANGED");
    // Nobody watches now; the next watch tells of what comes after it, and of nothing before.
    soon(world.ours.set_data(&path("/once"), "2", 1)).await.unwrap();
    world.kazoo("watch_once", json!({ "call": "get", "path": "/once" })).await;
    soon(world.ours.delete(&path("/once"), ANY_VERSION)).await.unwrap();
    assert_eq!(world.kazoo.event().await["type"], "DELETED");
    world.end().await;
}

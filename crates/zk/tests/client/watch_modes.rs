//! Several watchers on one path, which has one watch at servers up to 3.8.

use quorate_zk::{Client, EventType, WatchMode, Watched, Watcher};
use quorate_zk_fake::{FakeZooKeeper, ServerVersion};

use crate::world::{World, create, next, next_event, path, soon};

on_both_servers! {
    watchers_of_one_path_share_a_watch,
    both_modes_work_on_one_path,
    both_modes_work_in_the_other_order,
    the_narrow_watcher_outlives_the_wide_one,
    one_event_serves_every_watcher_above,
}

/// Makes changes, and returns what the watcher tells of them.
async fn told(client: &Client, watcher: &mut Watcher, count: usize) -> Vec<(EventType, String)> {
    create(client, "/a/b").await;
    soon(client.set_data(&path("/a/b"), "", None)).await.unwrap();
    soon(client.set_data(&path("/a"), "", None)).await.unwrap();
    soon(client.delete(&path("/a/b"), None)).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..count {
        told.push(next_event(watcher).await);
    }
    soon(client.set_data(&path("/a"), "last", None)).await.unwrap();
    assert_eq!(next_event(watcher).await, (EventType::NodeDataChanged, "/a".to_owned()));
    told
}

fn narrow() -> Vec<(EventType, String)> {
    use EventType::{NodeChildrenChanged, NodeDataChanged};
    [NodeChildrenChanged, NodeDataChanged, NodeChildrenChanged].map(|kind| (kind, "/a".to_owned())).to_vec()
}

fn wide() -> Vec<(EventType, String)> {
    use EventType::{NodeCreated, NodeDataChanged, NodeDeleted};
    let told =
        [(NodeCreated, "/a/b"), (NodeDataChanged, "/a/b"), (NodeDataChanged, "/a"), (NodeDeleted, "/a/b")];
    told.map(|(kind, node)| (kind, node.to_owned())).to_vec()
}

async fn watch(client: &Client, mode: WatchMode) -> Watcher {
    soon(client.add_watch(&path("/a"), mode)).await.unwrap()
}

async fn watchers_of_one_path_share_a_watch(world: World) {
    let client = world.client();
    create(&client, "/a").await;
    let mut first = watch(&client, WatchMode::Persistent).await;
    let second = watch(&client, WatchMode::Persistent).await;
    drop(second);
    assert_eq!(told(&client, &mut first, 3).await, narrow());
}

async fn both_modes_work_on_one_path(world: World) {
    let client = world.client();
    create(&client, "/a").await;
    let mut narrower = watch(&client, WatchMode::Persistent).await;
    let mut wider = watch(&client, WatchMode::PersistentRecursive).await;
    assert_eq!(told(&client, &mut wider, 4).await, wide());
    for event in narrow() {
        assert_eq!(next_event(&mut narrower).await, event);
    }
}

async fn both_modes_work_in_the_other_order(world: World) {
    let client = world.client();
    create(&client, "/a").await;
    let mut wider = watch(&client, WatchMode::PersistentRecursive).await;
    let mut narrower = watch(&client, WatchMode::Persistent).await;
    assert_eq!(told(&client, &mut narrower, 3).await, narrow());
    for event in wide() {
        assert_eq!(next_event(&mut wider).await, event);
    }
}

async fn the_narrow_watcher_outlives_the_wide_one(world: World) {
    let client = world.client();
    create(&client, "/a").await;
    let wider = watch(&client, WatchMode::PersistentRecursive).await;
    let mut narrower = watch(&client, WatchMode::Persistent).await;
    drop(wider);
    assert_eq!(told(&client, &mut narrower, 3).await, narrow());
    world.link.cut();
    assert_eq!(next(&mut narrower).await, Watched::Resync);
    assert_eq!(told(&client, &mut narrower, 3).await, narrow());
}

async fn one_event_serves_every_watcher_above(world: World) {
    let client = world.client();
    create(&client, "/a").await;
    let mut own = watch(&client, WatchMode::PersistentRecursive).await;
    let mut root = soon(client.add_watch(&path("/"), WatchMode::PersistentRecursive)).await.unwrap();
    let mut child = soon(client.add_watch(&path("/a/b"), WatchMode::Persistent)).await.unwrap();
    create(&client, "/a/b").await;
    for watcher in [&mut own, &mut root, &mut child] {
        assert_eq!(next_event(watcher).await, (EventType::NodeCreated, "/a/b".to_owned()));
    }
    soon(client.set_data(&path("/a"), "", None)).await.unwrap();
    for watcher in [&mut own, &mut root] {
        assert_eq!(next_event(watcher).await, (EventType::NodeDataChanged, "/a".to_owned()));
    }
}

#[tokio::test]
async fn both_modes_work_on_servers_that_keep_them_apart() {
    let fake = FakeZooKeeper::builder().version(ServerVersion::V3_9).start().await.unwrap();
    both_modes_work_on_one_path(World::with_fake(fake).await).await;
}

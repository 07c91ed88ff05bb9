//! Watches that are taken away while something else on their path is under way or stays.

use quorate_testkit::Direction;
use quorate_zk::{
    ClientState, EventType, OpCode, Outcome, ServerVersion, WatchMode, Watched, WatchedEvent, WatcherType,
};
use quorate_zk_fake::{FakeZooKeeper, ServerVersion as FakeVersion};

use crate::world::{World, create, next, next_event, path, soon, until};

on_both_servers! {
    a_watch_added_beside_a_one_shot_after_a_removal_is_armed,
    a_narrow_watcher_outlives_the_removal_of_the_wide_one,
    a_watch_removed_before_it_was_armed_is_told_so,
    a_removal_takes_no_watch_that_was_added_after_it,
    a_removal_takes_watches_that_wait_for_a_connection,
    a_read_dropped_under_way_leaves_no_watch_behind,
    a_removal_that_waits_for_room_takes_no_newer_watch_along,
    a_watch_is_removed_while_one_of_another_kind_is_under_way,
}

async fn a_watch_added_beside_a_one_shot_after_a_removal_is_armed(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let _gone = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    let (_, listed) = soon(client.with_watcher().get_children(&path("/node"))).await.unwrap();
    assert!(soon(client.remove_watches(&path("/node"), WatcherType::Persistent)).await);
    let mut again = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    for child in ["/node/a", "/node/b", "/node/c"] {
        create(&client, child).await;
        assert_eq!(next_event(&mut again).await, (EventType::NodeChildrenChanged, "/node".to_owned()));
    }
    assert!(matches!(soon(listed).await, Some(Watched::Event(_))));
    world.link.cut();
    assert_eq!(next(&mut again).await, Watched::Resync);
    create(&client, "/node/d").await;
    assert_eq!(next_event(&mut again).await, (EventType::NodeChildrenChanged, "/node".to_owned()));
}

async fn a_narrow_watcher_outlives_the_removal_of_the_wide_one(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let _wide = soon(client.add_watch(&path("/node"), WatchMode::PersistentRecursive)).await.unwrap();
    let mut narrow = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    assert!(soon(client.remove_watches(&path("/node"), WatcherType::PersistentRecursive)).await);
    world.link.cut();
    assert_eq!(next(&mut narrow).await, Watched::Resync);
    create(&client, "/node/a").await;
    assert_eq!(next_event(&mut narrow).await, (EventType::NodeChildrenChanged, "/node".to_owned()));
}

async fn a_watch_removed_before_it_was_armed_is_told_so(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    world.link.hold(Direction::ToClient);
    let adding = client.add_watch(&path("/node"), WatchMode::Persistent);
    assert!(soon(client.remove_watches(&path("/node"), WatcherType::Any)).await);
    let mut watcher = soon(adding).await.expect("the client is open");
    let removed = WatchedEvent::new(EventType::PersistentWatchRemoved, path("/node"));
    assert_eq!(soon(watcher.next()).await, Some(Watched::Event(removed)));
    assert_eq!(soon(watcher.next()).await, None);
    world.link.release(Direction::ToClient);
    world.wait_unwatched(1).await;
}

async fn a_removal_takes_no_watch_that_was_added_after_it(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let node = path("/node");
    let removing = client.remove_watches(&node, WatcherType::Any);
    let adding = async { client.add_watch(&node, WatchMode::Persistent).await };
    let (removed, added) = soon(async { tokio::join!(removing, adding) }).await;
    assert!(!removed);
    let mut watcher = added.unwrap();
    create(&client, "/node/a").await;
    assert_eq!(next_event(&mut watcher).await, (EventType::NodeChildrenChanged, "/node".to_owned()));
}

async fn a_removal_takes_watches_that_wait_for_a_connection(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    world.link.refuse();
    until(&client, |state| !state.is_connected()).await;
    let adding = client.add_watch(&path("/node"), WatchMode::Persistent);
    assert!(soon(client.remove_watches(&path("/node"), WatcherType::Persistent)).await);
    let mut watcher = soon(adding).await.expect("the client is open");
    assert!(matches!(next(&mut watcher).await, Watched::Event(_)));
    assert_eq!(soon(watcher.next()).await, None);
}

async fn a_read_dropped_under_way_leaves_no_watch_behind(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    world.link.hold(Direction::ToClient);
    let reading = client.with_watcher().get_data(&path("/node"));
    let later = client.exists(&path("/"));
    world.link.clear();
    world.link.wait_for(|link| link.traffic(Direction::ToServer).frames > 0).await;
    drop(reading);
    // The driver has seen the drop once it has answered a later call.
    assert!(!soon(client.remove_watches(&path("/node"), WatcherType::Any)).await);
    world.link.release(Direction::ToClient);
    soon(later).await.unwrap();
    world.wait_unwatched(1).await;
}

async fn a_removal_that_waits_for_room_takes_no_newer_watch_along(world: World) {
    let client = world.options().in_flight_max(1).connect().unwrap();
    create(&client, "/node").await;
    let (_, first) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    let second = client.with_watcher().get_data(&path("/node"));
    drop(first);
    let (_, second) = soon(second).await.unwrap();
    for _ in 0..2 {
        soon(client.exists(&path("/node"))).await.unwrap();
    }
    soon(client.set_data(&path("/node"), "", None)).await.unwrap();
    let fired = soon(second).await;
    assert!(matches!(&fired, Some(Watched::Event(event)) if event.event_type == EventType::NodeDataChanged));
}
async fn a_watch_is_removed_while_one_of_another_kind_is_under_way(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let (_, dropped) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    world.link.hold(Direction::ToClient);
    let listing = client.with_watcher().get_children(&path("/node"));
    drop(dropped);
    // The driver has seen the drop once it has answered a later call.
    assert!(!soon(client.remove_watches(&path("/node"), WatcherType::Persistent)).await);
    world.link.release(Direction::ToClient);
    let (_, listed) = soon(listing).await.unwrap();
    create(&client, "/node/child").await;
    assert!(matches!(soon(listed).await, Some(Watched::Event(_))));
    world.wait_unwatched(1).await;
}

async fn old(version: FakeVersion) -> World {
    World::with_fake(FakeZooKeeper::builder().version(version).start().await.unwrap()).await
}

#[tokio::test]
async fn a_server_that_cannot_remove_watches_hangs_up_once() {
    let world = old(FakeVersion::V3_4).await;
    let client = world.client();
    for _ in 0..3 {
        let (_, watcher) = soon(client.with_watcher().exists(&path("/node"))).await.unwrap();
        drop(watcher);
        // Behind the removal, which the server may answer by hanging up.
        for _ in 0..2 {
            while soon(client.exists(&path("/"))).await.is_err() {}
        }
        until(&client, ClientState::is_connected).await;
    }
    let asked = world.as_fake().requests();
    let asked = asked.iter().filter(|request| request.op == OpCode::RemoveWatches).count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_server_that_knows_no_persistent_watches_is_asked_once() {
    let world = old(FakeVersion::V3_5).await;
    let client = world.client();
    for outcome in [Outcome::Failed, Outcome::NotSent, Outcome::NotSent] {
        let error = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap_err();
        assert!(error.is_unsupported(), "{error}");
        assert_eq!(error.outcome(), outcome);
    }
    while soon(client.exists(&path("/"))).await.is_err() {}
}

#[tokio::test]
async fn a_server_whose_version_is_told_is_not_asked_for_watches_that_it_does_not_know() {
    let world = old(FakeVersion::V3_4).await;
    let client = world.options().server_version(ServerVersion::V3_4).connect().unwrap();
    let error = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap_err();
    assert!(error.is_unsupported() && error.outcome() == Outcome::NotSent, "{error}");
    drop(soon(client.with_watcher().exists(&path("/node"))).await.unwrap());
    soon(client.exists(&path("/"))).await.unwrap();
    soon(client.exists(&path("/"))).await.unwrap();
    assert_eq!(world.link.connections(), 1);
}

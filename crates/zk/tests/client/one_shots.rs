//! Watches that fire once: what they tell, and that they and persistent ones leave each other alone.

use quorate_zk::{
    Client, EventType, OneshotWatcher, SessionEvent, SessionEvents, WatchMode, Watched, WatchedEvent,
    Watcher, WatcherType,
};

use crate::world::{World, create, next, next_event, path, soon, until};

on_both_servers! {
    a_one_shot_watch_fires_once,
    the_session_wide_stream_tells_of_watches_and_states,
    a_one_shot_watch_is_told_what_it_missed,
    a_one_shot_watch_ends_with_its_session,
    one_shot_watches_break_no_persistent_one,
    one_shot_watches_break_no_recursive_one,
    a_persistent_watch_that_goes_takes_no_one_shot_along,
    one_shots_beside_a_persistent_watch_are_told_what_they_missed,
    dropped_one_shot_watches_leave_no_watch_behind,
    watches_are_removed_for_all_who_hold_them,
    a_one_shot_watch_sees_paths_below_its_chroot,
}

async fn fired(watcher: OneshotWatcher) -> (EventType, String) {
    match soon(watcher).await {
        Some(Watched::Event(WatchedEvent { event_type, path, .. })) => (event_type, path.as_str().to_owned()),
        other => panic!("an event was expected, not {other:?}"),
    }
}

async fn next_watch(events: &mut SessionEvents) -> (EventType, String) {
    loop {
        match soon(events.next()).await.expect("the client is open") {
            SessionEvent::Watch(event) => return (event.event_type, event.path.as_str().to_owned()),
            SessionEvent::State(_) => {}
            other => panic!("a watch event was expected, not {other:?}"),
        }
    }
}

fn at(event_type: EventType, path: &str) -> (EventType, String) {
    (event_type, path.to_owned())
}

async fn set(client: &Client, node: &str) {
    soon(client.set_data(&path(node), "", None)).await.unwrap();
}

async fn persistent(client: &Client, mode: WatchMode) -> Watcher {
    soon(client.add_watch(&path("/node"), mode)).await.unwrap()
}

async fn a_one_shot_watch_fires_once(world: World) {
    let client = world.client();
    let (stat, created) = soon(client.with_watcher().exists(&path("/node"))).await.unwrap();
    assert_eq!(stat, None);
    create(&client, "/node").await;
    let (_, changed) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    let (_, listed) = soon(client.with_watcher().get_children(&path("/node"))).await.unwrap();
    let (_, deleted) = soon(client.with_watcher().exists(&path("/node/child"))).await.unwrap();
    set(&client, "/node").await;
    create(&client, "/node/child").await;
    set(&client, "/node").await;
    assert_eq!(fired(created).await, at(EventType::NodeCreated, "/node"));
    assert_eq!(fired(changed).await, at(EventType::NodeDataChanged, "/node"));
    assert_eq!(fired(listed).await, at(EventType::NodeChildrenChanged, "/node"));
    assert_eq!(fired(deleted).await, at(EventType::NodeCreated, "/node/child"));
    assert!(soon(client.with_watcher().get_data(&path("/missing"))).await.is_err());
}

async fn the_session_wide_stream_tells_of_watches_and_states(world: World) {
    let (client, mut events) = world.options().connect_with_events().unwrap();
    create(&client, "/node").await;
    for _ in 0..3 {
        soon(client.watch().get_data(&path("/node"))).await.unwrap();
    }
    soon(client.watch().get_children(&path("/node"))).await.unwrap();
    soon(client.watch().exists(&path("/other"))).await.unwrap();
    set(&client, "/node").await;
    create(&client, "/node/child").await;
    create(&client, "/other").await;
    assert_eq!(next_watch(&mut events).await, at(EventType::NodeDataChanged, "/node"));
    assert_eq!(next_watch(&mut events).await, at(EventType::NodeChildrenChanged, "/node"));
    assert_eq!(next_watch(&mut events).await, at(EventType::NodeCreated, "/other"));
    world.link.cut();
    let lost = |event| matches!(event, Some(SessionEvent::State(state)) if !state.is_connected());
    assert!(lost(soon(events.next()).await));
    soon(client.close()).await;
    soon(async { while events.next().await.is_some() {} }).await;
}

async fn a_one_shot_watch_is_told_what_it_missed(world: World) {
    let (client, outsider) = (world.client(), world.outsider());
    create(&client, "/node").await;
    let (_, changed) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    let (_, listed) = soon(client.with_watcher().get_children(&path("/node"))).await.unwrap();
    let (_, created) = soon(client.with_watcher().exists(&path("/other"))).await.unwrap();
    let (_, still_armed) = soon(client.with_watcher().exists(&path("/third"))).await.unwrap();
    world.link.refuse();
    until(&client, |state| !state.is_connected()).await;
    set(&outsider, "/node").await;
    create(&outsider, "/node/child").await;
    create(&outsider, "/other").await;
    world.link.accept();
    assert_eq!(fired(changed).await, at(EventType::NodeDataChanged, "/node"));
    assert_eq!(fired(listed).await, at(EventType::NodeChildrenChanged, "/node"));
    assert_eq!(fired(created).await, at(EventType::NodeCreated, "/other"));
    create(&outsider, "/third").await;
    assert_eq!(fired(still_armed).await, at(EventType::NodeCreated, "/third"));
}

async fn a_one_shot_watch_ends_with_its_session(world: World) {
    let (client, mut events) = world.options().connect_with_events().unwrap();
    let token = soon(client.session()).await.unwrap();
    let (_, watcher) = soon(client.with_watcher().exists(&path("/node"))).await.unwrap();
    soon(client.watch().exists(&path("/node"))).await.unwrap();
    world.expire(&token).await;
    assert_eq!(soon(watcher).await, Some(Watched::Resync));
    soon(async { while events.next().await != Some(SessionEvent::WatchesLost) {} }).await;
    let (_, watcher) = soon(client.with_watcher().exists(&path("/node"))).await.unwrap();
    soon(client.close()).await;
    assert_eq!(soon(watcher).await, None);
}

async fn one_shot_watches_break_no_persistent_one(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let mut watcher = persistent(&client, WatchMode::Persistent).await;
    let (_, changed) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    let (_, listed) = soon(client.with_watcher().get_children(&path("/node"))).await.unwrap();
    for _ in 0..2 {
        set(&client, "/node").await;
        assert_eq!(next_event(&mut watcher).await, at(EventType::NodeDataChanged, "/node"));
    }
    for child in ["/node/a", "/node/b"] {
        create(&client, child).await;
        assert_eq!(next_event(&mut watcher).await, at(EventType::NodeChildrenChanged, "/node"));
    }
    assert_eq!(fired(changed).await, at(EventType::NodeDataChanged, "/node"));
    assert_eq!(fired(listed).await, at(EventType::NodeChildrenChanged, "/node"));
}

async fn one_shot_watches_break_no_recursive_one(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let adding = client.add_watch(&path("/node"), WatchMode::PersistentRecursive);
    // Submitted behind the watch, and sent while its reply is still out.
    let (stat, exists) = soon(client.with_watcher().exists(&path("/node"))).await.unwrap();
    let mut watcher = soon(adding).await.unwrap();
    assert!(stat.is_some());
    let (_, listed) = soon(client.with_watcher().get_children(&path("/node"))).await.unwrap();
    for number in 0..2 {
        let child = format!("/node/{number}");
        create(&client, &child).await;
        assert_eq!(next_event(&mut watcher).await, at(EventType::NodeCreated, &child));
        set(&client, "/node").await;
        assert_eq!(next_event(&mut watcher).await, at(EventType::NodeDataChanged, "/node"));
    }
    assert_eq!(fired(exists).await, at(EventType::NodeDataChanged, "/node"));
    assert_eq!(fired(listed).await, at(EventType::NodeChildrenChanged, "/node"));
}

async fn a_persistent_watch_that_goes_takes_no_one_shot_along(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let watcher = persistent(&client, WatchMode::PersistentRecursive).await;
    let (_, changed) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    let (_, listed) = soon(client.with_watcher().get_children(&path("/node"))).await.unwrap();
    drop(watcher);
    create(&client, "/node/child").await;
    set(&client, "/node").await;
    assert_eq!(fired(listed).await, at(EventType::NodeChildrenChanged, "/node"));
    assert_eq!(fired(changed).await, at(EventType::NodeDataChanged, "/node"));
    world.wait_unwatched(1).await;
}

async fn one_shots_beside_a_persistent_watch_are_told_what_they_missed(world: World) {
    let (client, outsider) = (world.client(), world.outsider());
    create(&client, "/node").await;
    let mut watcher = persistent(&client, WatchMode::Persistent).await;
    let (_, changed) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    let (_, listed) = soon(client.with_watcher().get_children(&path("/node"))).await.unwrap();
    world.link.refuse();
    until(&client, |state| !state.is_connected()).await;
    set(&outsider, "/node").await;
    world.link.accept();
    assert_eq!(fired(changed).await, at(EventType::NodeDataChanged, "/node"));
    soon(async { while next(&mut watcher).await != Watched::Resync {} }).await;
    for _ in 0..2 {
        set(&outsider, "/node").await;
        assert_eq!(next_event(&mut watcher).await, at(EventType::NodeDataChanged, "/node"));
    }
    create(&outsider, "/node/child").await;
    assert_eq!(fired(listed).await, at(EventType::NodeChildrenChanged, "/node"));
    assert_eq!(next_event(&mut watcher).await, at(EventType::NodeChildrenChanged, "/node"));
}

async fn dropped_one_shot_watches_leave_no_watch_behind(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let (_, first) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    let (_, second) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    let (_, other) = soon(client.with_watcher().get_children(&path("/node"))).await.unwrap();
    drop(first);
    set(&client, "/node").await;
    assert_eq!(fired(second).await, at(EventType::NodeDataChanged, "/node"));
    drop(other);
    world.wait_unwatched(1).await;
    let (_, never) = soon(client.with_watcher().exists(&path("/missing"))).await.unwrap();
    drop(never);
    world.wait_unwatched(2).await;
}

async fn watches_are_removed_for_all_who_hold_them(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let mut watcher = persistent(&client, WatchMode::Persistent).await;
    let (_, changed) = soon(client.with_watcher().get_data(&path("/node"))).await.unwrap();
    assert!(soon(client.remove_watches(&path("/node"), WatcherType::Any)).await);
    assert_eq!(next_event(&mut watcher).await, at(EventType::PersistentWatchRemoved, "/node"));
    assert_eq!(soon(watcher.next()).await, None);
    assert_eq!(fired(changed).await, at(EventType::DataWatchRemoved, "/node"));
    world.wait_unwatched(1).await;
    assert!(!soon(client.remove_watches(&path("/node"), WatcherType::Any)).await);
    let (_, listed) = soon(client.with_watcher().get_children(&path("/node"))).await.unwrap();
    assert!(soon(client.remove_watches(&path("/node"), WatcherType::Children)).await);
    assert_eq!(fired(listed).await, at(EventType::ChildWatchRemoved, "/node"));
    world.wait_unwatched(2).await;
}

async fn a_one_shot_watch_sees_paths_below_its_chroot(world: World) {
    let client = world.client();
    create(&client, "/app").await;
    let app = client.chroot(&path("/app"));
    create(&app, "/node").await;
    let (_, watcher) = soon(app.chroot(&path("/node")).with_watcher().get_data(&path("/"))).await.unwrap();
    let mut all = soon(app.add_watch(&path("/"), WatchMode::PersistentRecursive)).await.unwrap();
    set(&client, "/app/node").await;
    assert_eq!(fired(watcher).await, at(EventType::NodeDataChanged, "/"));
    assert_eq!(next_event(&mut all).await, at(EventType::NodeDataChanged, "/node"));
}

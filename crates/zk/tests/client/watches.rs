//! Watches: what they tell, when, and what becomes of them.

use std::time::{Duration, Instant};

use quorate_zk::{ErrorCode, EventType, OpCode, WatchMode, Watched};
use quorate_zk_fake::FakeZooKeeper;
use tokio::task::JoinSet;

use crate::world::{World, create, next, next_event, path, soon, until};

on_both_servers! {
    a_change_is_queued_before_a_reply_that_could_show_it,
    a_watch_survives_a_lost_connection,
    a_watch_survives_an_expired_session,
    a_watch_may_be_added_while_there_is_no_connection,
    a_slow_watcher_is_told_that_it_lagged,
    dropped_watchers_leave_no_watch_behind,
    a_watcher_dropped_without_a_connection_is_not_armed_again,
    more_watches_than_fit_into_a_packet_are_armed_again,
    watchers_end_with_the_client,
    a_chroot_holds_for_events_too,
}

async fn a_change_is_queued_before_a_reply_that_could_show_it(world: World) {
    let client = world.client();
    let outsider = world.outsider();
    let mut watcher = soon(client.add_watch(&path("/"), WatchMode::PersistentRecursive)).await.unwrap();
    for number in 0..50 {
        let node = format!("/node-{number}");
        create(&outsider, &node).await;
        soon(client.sync(&path("/"))).await.unwrap();
        assert!(soon(client.exists(&path(&node))).await.unwrap().is_some());
        let queued = std::future::poll_fn(|cx| {
            let next = std::pin::pin!(watcher.next());
            std::task::Poll::Ready(next.poll(cx).is_ready())
        });
        assert!(queued.await, "the event of {node} came late");
    }
}

async fn a_watch_survives_a_lost_connection(world: World) {
    let client = world.client();
    let outsider = world.outsider();
    let mut node = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    let mut all = soon(client.add_watch(&path("/"), WatchMode::PersistentRecursive)).await.unwrap();
    world.link.cut();
    assert_eq!((next(&mut node).await, next(&mut all).await), (Watched::Resync, Watched::Resync));
    create(&outsider, "/node").await;
    assert_eq!(next_event(&mut node).await, (EventType::NodeCreated, "/node".to_owned()));
    assert_eq!(next_event(&mut all).await, (EventType::NodeCreated, "/node".to_owned()));
}

async fn a_watch_survives_an_expired_session(world: World) {
    let client = world.client();
    let outsider = world.outsider();
    let token = soon(client.session()).await.unwrap();
    let mut node = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    let mut below = soon(client.add_watch(&path("/node"), WatchMode::PersistentRecursive)).await.unwrap();
    world.expire(&token).await;
    assert_eq!((next(&mut node).await, next(&mut below).await), (Watched::Resync, Watched::Resync));
    create(&outsider, "/node").await;
    create(&outsider, "/node/child").await;
    assert_eq!(next_event(&mut node).await, (EventType::NodeCreated, "/node".to_owned()));
    assert_eq!(next_event(&mut node).await, (EventType::NodeChildrenChanged, "/node".to_owned()));
    assert_eq!(next_event(&mut below).await, (EventType::NodeCreated, "/node".to_owned()));
    assert_eq!(next_event(&mut below).await, (EventType::NodeCreated, "/node/child".to_owned()));
}

async fn a_watch_may_be_added_while_there_is_no_connection(world: World) {
    world.link.refuse();
    let client = world.client();
    let adding = client.add_watch(&path("/"), WatchMode::PersistentRecursive);
    world.link.accept();
    let mut watcher = soon(adding).await.unwrap();
    create(&client, "/node").await;
    assert_eq!(next_event(&mut watcher).await, (EventType::NodeCreated, "/node".to_owned()));
}

async fn a_slow_watcher_is_told_that_it_lagged(world: World) {
    let client = world.options().watched_max(4).connect().unwrap();
    let mut watcher = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    create(&client, "/node").await;
    for _ in 0..4 {
        soon(client.set_data(&path("/node"), "", None)).await.unwrap();
    }
    assert_eq!(next(&mut watcher).await, Watched::Lagged);
    soon(client.delete(&path("/node"), None)).await.unwrap();
    assert_eq!(next_event(&mut watcher).await, (EventType::NodeDeleted, "/node".to_owned()));
}

async fn dropped_watchers_leave_no_watch_behind(world: World) {
    const COUNT: usize = 1000;
    let client = world.client();
    let mut adding = JoinSet::new();
    for number in 0..COUNT {
        adding.spawn(client.add_watch(&path(&format!("/node-{number}")), WatchMode::Persistent));
    }
    let watchers: Vec<_> = soon(adding.join_all()).await.into_iter().map(Result::unwrap).collect();
    let twin = soon(client.add_watch(&path("/node-0"), WatchMode::Persistent)).await.unwrap();
    drop(watchers);
    drop(twin);
    world.wait_unwatched(COUNT).await;
    let mut again = soon(client.add_watch(&path("/node-0"), WatchMode::Persistent)).await.unwrap();
    create(&client, "/node-0").await;
    assert_eq!(next_event(&mut again).await, (EventType::NodeCreated, "/node-0".to_owned()));
}

async fn a_watcher_dropped_without_a_connection_is_not_armed_again(world: World) {
    let client = world.client();
    let watcher = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    world.link.refuse();
    until(&client, |state| !state.is_connected()).await;
    drop(watcher);
    world.link.accept();
    soon(client.exists(&path("/node"))).await.unwrap();
    let op = OpCode::SetWatches2.code().to_be_bytes();
    assert!(world.link.frames().iter().all(|frame| frame.body.get(4..8) != Some(&op[..])));
    world.wait_unwatched(0).await;
}

async fn more_watches_than_fit_into_a_packet_are_armed_again(world: World) {
    let client = world.client();
    let long = "x".repeat(1000);
    let mut watchers = Vec::new();
    for number in 0..400 {
        let node = path(&format!("/{long}-{number}"));
        watchers.push(soon(client.add_watch(&node, WatchMode::Persistent)).await.unwrap());
    }
    world.link.cut();
    for watcher in &mut watchers {
        assert_eq!(next(watcher).await, Watched::Resync);
    }
    create(&client, &format!("/{long}-399")).await;
    assert_eq!(next_event(&mut watchers[399]).await.0, EventType::NodeCreated);
}

/// A hundred thousand paths, one in ten of them with a persistent watch, the others with one that fires once.
///
/// Sessions are long here: whoever is busy with so many does not lose one on a slow machine.
async fn watch_a_hundred_thousand_paths(world: World) {
    const COUNT: usize = 100_000;
    let client = world.options().session_timeout(Duration::from_secs(10)).connect().unwrap();
    let outsider = world.outsider();
    let node = |number: usize| path(&format!("/node-{number}"));
    let adding: Vec<_> =
        (0..COUNT).step_by(10).map(|number| client.add_watch(&node(number), WatchMode::Persistent)).collect();
    let setting: Vec<_> = (0..COUNT)
        .filter(|number| number % 10 != 0)
        .map(|number| client.with_watcher().exists(&node(number)))
        .collect();
    let (mut watchers, mut one_shots) = (Vec::new(), Vec::new());
    for watcher in adding {
        watchers.push(soon(watcher).await.unwrap());
    }
    for setting in setting {
        one_shots.push(soon(setting).await.unwrap().1);
    }
    world.link.cut();
    for watcher in &mut watchers {
        assert_eq!(next(watcher).await, Watched::Resync);
    }
    for number in [0, 1, COUNT / 2, COUNT / 2 + 1, COUNT - 10, COUNT - 1] {
        create(&outsider, node(number).as_str()).await;
    }
    for index in [0, COUNT / 20, watchers.len() - 1] {
        assert_eq!(next_event(&mut watchers[index]).await.0, EventType::NodeCreated);
    }
    for index in [0, COUNT / 2 * 9 / 10, one_shots.len() - 1] {
        assert!(matches!(soon(&mut one_shots[index]).await, Some(Watched::Event(_))));
    }
    // A hundred thousand removals would outlast the test.
    soon(client.close()).await;
}

#[tokio::test]
async fn a_server_that_is_too_busy_to_arm_a_watch_is_left_in_peace_for_a_while() {
    let world = World::fake().await;
    let client = world.client();
    soon(client.session()).await.unwrap();
    world.as_fake().refuse_next(OpCode::AddWatch, ErrorCode::ThrottledOp);
    let asked = Instant::now();
    let mut watcher = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(900));
    create(&client, "/node").await;
    assert_eq!(next_event(&mut watcher).await.0, EventType::NodeCreated);
}

#[tokio::test]
async fn a_hundred_thousand_watched_paths_are_armed_again() {
    let fake = FakeZooKeeper::builder().tick(Duration::from_secs(1)).start().await.unwrap();
    watch_a_hundred_thousand_paths(World::with_fake(fake).await).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_hundred_thousand_watched_paths_are_armed_again_at_a_real_server() {
    watch_a_hundred_thousand_paths(World::real().await).await;
}

async fn watchers_end_with_the_client(world: World) {
    let client = world.client();
    let mut watcher = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    create(&client, "/node").await;
    drop(client);
    assert!(matches!(next(&mut watcher).await, Watched::Event(_)));
    assert_eq!(soon(watcher.next()).await, None);
}

async fn a_chroot_holds_for_events_too(world: World) {
    let outsider = world.outsider();
    create(&outsider, "/app").await;
    let client = world.options().chroot(path("/app")).connect().unwrap();
    let mut watcher = soon(client.add_watch(&path("/"), WatchMode::PersistentRecursive)).await.unwrap();
    create(&outsider, "/app/node").await;
    assert_eq!(next_event(&mut watcher).await, (EventType::NodeCreated, "/node".to_owned()));
    assert_eq!(watcher.path(), &path("/"));
}

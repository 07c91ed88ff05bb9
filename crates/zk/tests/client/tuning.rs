//! Clients that trade time for work.

use std::time::Duration;

use quorate_testkit::Direction;
use quorate_zk::{ClientState, EventType, WatchMode};

use crate::world::{World, create, next_event, path, soon, until};

/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_secs(3600);

on_both_servers! {
    a_client_that_looks_for_replies_is_answered_and_told,
    a_reply_that_is_looked_for_in_vain_keeps_no_other_task_waiting,
    a_client_sleeps_until_there_is_a_reply_unless_it_is_told_otherwise,
    requests_that_wait_for_acknowledgements_are_answered,
}

async fn a_client_that_looks_for_replies_is_answered_and_told(world: World) {
    let client = world.options().busy_poll(LONG).connect().unwrap();
    create(&client, "/busy").await;
    let mut watcher = client.add_watch(&path("/busy"), WatchMode::Persistent).await.unwrap();
    for version in 1..=20 {
        let stat = soon(client.set_data(&path("/busy"), "x", None)).await.unwrap();
        assert_eq!(stat.version, version);
        assert_eq!(next_event(&mut watcher).await, (EventType::NodeDataChanged, "/busy".to_owned()));
    }
    world.link.cut();
    soon(async { while client.get_data(&path("/busy")).await.is_err() {} }).await;
    assert_eq!(world.link.connections(), 2);
    soon(client.close()).await;
}

async fn a_reply_that_is_looked_for_in_vain_keeps_no_other_task_waiting(world: World) {
    let client = world.options().busy_poll(LONG).connect().unwrap();
    create(&client, "/busy").await;
    world.link.hold(Direction::ToClient);
    let get = client.get_data(&path("/busy"));
    // All on one thread: timers and the link are served while the client looks, and so is its own clock.
    assert_eq!(sleeps_while_nothing_happens().await, 0);
    until(&client, |state| matches!(state, ClientState::Disconnected { .. })).await;
    world.link.release(Direction::ToClient);
    soon(get).await.unwrap_err();
    soon(client.get_data(&path("/busy"))).await.unwrap();
}

async fn a_client_sleeps_until_there_is_a_reply_unless_it_is_told_otherwise(world: World) {
    let client = world.client();
    create(&client, "/idle").await;
    world.link.hold(Direction::ToClient);
    let get = client.get_data(&path("/idle"));
    assert!(sleeps_while_nothing_happens().await > 0);
    world.link.release(Direction::ToClient);
    soon(get).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_several_threads_replies_are_looked_for_as_well() {
    let world = World::fake().await;
    let client = world.options().busy_poll(LONG).connect().unwrap();
    create(&client, "/busy").await;
    let set = |_| client.set_data(&path("/busy"), "x", None);
    for sets in [1, 100, 1].map(|count| (0..count).map(set).collect::<Vec<_>>()) {
        for set in sets {
            soon(set).await.unwrap();
        }
    }
    soon(client.close()).await;
}

/// How often the runtime goes to sleep, in a time that is short for a session.
async fn sleeps_while_nothing_happens() -> u64 {
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.worker_park_count(0);
    tokio::time::sleep(Duration::from_millis(200)).await;
    metrics.worker_park_count(0) - before
}

async fn requests_that_wait_for_acknowledgements_are_answered(world: World) {
    let client = world.options().nagle().connect().unwrap();
    create(&client, "/together").await;
    let sets: Vec<_> = (0..100).map(|_| client.set_data(&path("/together"), "x", None)).collect();
    for (set, version) in sets.into_iter().zip(1..) {
        assert_eq!(soon(set).await.unwrap().version, version);
    }
}

//! The same small story, with the connection cut at every packet of it in turn.

use std::time::Duration;

use quorate_zk::{Acl, Client, CreateMode, EventType, RequestError, WatchMode, Watched, Watcher};
use quorate_zk_fake::{Direction, FakeZooKeeper};

use crate::world::{World, next, path, soon};

/// Sets the data and asks again while nobody knows whether it was set. Returns how often it was done at most.
async fn set_data(client: &Client) -> Result<i32, RequestError> {
    let mut times = 1;
    loop {
        match soon(client.set_data(&path("/node"), "", None)).await {
            Ok(_) => return Ok(times),
            Err(error) if error.request_error().is_connection_lost() => {
                times += i32::from(error.request_error().maybe_applied());
            }
            Err(error) => return Err(error.request_error().clone()),
        }
    }
}

/// Waits for a sign of a change: the event, or that something may have been missed.
async fn sign(watcher: &mut Watcher) {
    loop {
        match next(watcher).await {
            Watched::Event(event) if event.event_type == EventType::NodeDataChanged => return,
            Watched::Resync => return,
            _ => {}
        }
    }
}

async fn story(client: &Client) {
    let token = soon(client.session()).await.unwrap();
    let mut watcher = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    let mut below = soon(client.add_watch(&path("/node"), WatchMode::PersistentRecursive)).await.unwrap();
    let times = set_data(client).await.unwrap();
    sign(&mut watcher).await;
    sign(&mut below).await;
    drop(below);
    let stat = loop {
        match soon(client.exists(&path("/node"))).await {
            Ok(stat) => break stat.expect("nobody deletes it"),
            Err(error) => assert!(error.request_error().is_connection_lost()),
        }
    };
    assert!((1..=times).contains(&stat.version), "set {} times, {times} at most", stat.version);
    assert!(!token.has_expired());
}

async fn walk(arm: impl Fn(&FakeZooKeeper, u64)) -> u64 {
    for count in 0.. {
        let fake = FakeZooKeeper::builder().tick(Duration::from_secs(1)).start().await.unwrap();
        let world = World::with_fake(fake).await;
        let client = world.outsider();
        let node = client.create(&path("/node"), "", CreateMode::Persistent, vec![Acl::open()]);
        soon(node).await.unwrap();
        arm(world.as_fake(), count);
        story(&client).await;
        if world.as_fake().is_cut_armed() {
            return count;
        }
    }
    unreachable!("the numbers do not end")
}

#[tokio::test]
async fn a_cut_before_any_request_is_survived() {
    let walked = walk(|fake, count| fake.cut_after_packets(Direction::Requests, count)).await;
    assert!(walked >= 4, "{walked} packets");
}

#[tokio::test]
async fn a_cut_before_any_reply_or_notification_is_survived() {
    let walked = walk(|fake, count| fake.cut_after_packets(Direction::Replies, count)).await;
    assert!(walked >= 5, "{walked} packets");
}

#[tokio::test]
async fn a_cut_at_any_byte_of_what_the_server_sends_is_survived() {
    let walked = walk(|fake, count| fake.cut_after_reply_bytes(count * 7)).await;
    assert!(walked >= 20, "{walked} places");
}

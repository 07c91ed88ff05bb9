//! Many subscribers, slow subscribers, and what is left when they are gone.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{Hub, Key, Memory, Outcome, Prefix, Publisher, Store, StoreExt};
use quorate_testkit::Rigged;
use tokio::runtime::Handle;
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(60);

fn key(text: &str) -> Key {
    Key::parse(text).expect("the rig works")
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = timeout(WAIT, async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    });
    assert!(waiting.await.is_ok(), "{what}");
}

// cn-infra: unregistering left goroutines, watches and registrations behind.
#[tokio::test]
async fn ten_thousand_subscriptions_leave_nothing_behind() {
    let (counting, store) = Rigged::over(Arc::new(Memory::new())).open();
    store.put(&key("/if/a"), "1").await.unwrap();
    let before = Handle::current().metrics().num_alive_tasks();
    let hub = Hub::new(&store);
    let mut subs = Vec::new();
    for at in 0..10_000 {
        let prefixes =
            [format!("/if/{}", at % 100), "/if".to_owned()].map(|text| Prefix::parse(&text).unwrap());
        subs.push(hub.subscribe(&at.to_string(), prefixes).await.unwrap());
    }
    for sub in &mut subs {
        timeout(WAIT, sub.next()).await.unwrap().unwrap().ack();
    }
    assert!(counting.watches() <= 2, "one watch serves them all");
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before + 1, "one task serves them all");
    drop(subs);
    until("no watch and no task is left", || {
        counting.watches() == 0 && Handle::current().metrics().num_alive_tasks() == before
    })
    .await;
    assert!(hub.subscribers().is_empty());
    let mut again = hub.subscribe("7", ["/if"]).await.unwrap();
    again.next().await.unwrap().ack();
}

#[tokio::test]
async fn subscriptions_that_were_never_polled_leave_nothing_behind() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let before = Handle::current().metrics().num_alive_tasks();
    let hub = Hub::new(&store);
    for at in 0..10_000 {
        drop(hub.subscribe("same", [Prefix::parse(&format!("/a/{at}")).unwrap()]).await.unwrap());
    }
    drop(hub);
    until("no task is left", || Handle::current().metrics().num_alive_tasks() == before).await;
}

#[tokio::test]
async fn a_publisher_leaves_no_task_behind() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let before = Handle::current().metrics().num_alive_tasks();
    let publisher = Publisher::new(&store);
    publisher.put("/a", &1).lifetime().await.unwrap();
    drop(publisher);
    until("no task is left", || Handle::current().metrics().num_alive_tasks() == before).await;
    assert!(store.entry(&key("/a")).await.unwrap().is_none());
}

// cn-infra: a consumer that was slow blocked the watch, and what came meanwhile was kept without bound.
#[tokio::test]
async fn a_subscriber_that_does_not_come_costs_what_it_is_behind_and_delays_nobody() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    store.put(&key("/if/kept"), "0").await.unwrap();
    let hub = Hub::new(&store);
    let mut asleep = hub.subscribe("asleep", ["/if"]).await.unwrap();
    let mut lively = hub.subscribe("lively", ["/if"]).await.unwrap();
    asleep.next().await.unwrap().ack();
    lively.next().await.unwrap().ack();
    let publisher = Publisher::new(&store);
    for at in 0..2_000 {
        publisher.put("/if/kept", &(at + 1)).await.unwrap();
        let passing = format!("/if/passing-{at}");
        publisher.put(passing.as_str(), &at).await.unwrap();
        publisher.delete(passing.as_str()).await.unwrap();
        if at % 100 == 0 {
            lively.next().await.unwrap().ack();
        }
    }
    until("the hub was told everything", || asleep.status().pending == 1).await;
    let delivery = asleep.next().await.unwrap();
    let [change] = delivery.changes() else { panic!("{delivery:?}") };
    assert_eq!(change.previous.as_ref().unwrap().bytes(), "0");
    assert_eq!(*change.value.as_ref().unwrap().decode_json::<u64>().unwrap(), 2_000);
}

#[tokio::test]
async fn one_decoding_serves_all_subscribers() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    store.put(&key("/if/a"), "[1,2,3]").await.unwrap();
    let hub = Hub::new(&store);
    let mut decoded = Vec::new();
    let mut held = Vec::new();
    for name in ["first", "second"] {
        let mut sub = hub.subscribe(name, ["/if"]).await.unwrap();
        let delivery = sub.next().await.unwrap();
        decoded.push(delivery.changes()[0].value.clone().unwrap().decode_json::<Vec<u64>>().unwrap());
        held.push((sub, delivery.changes()[0].clone()));
        delivery.ack();
        assert_eq!(held.last().unwrap().0.status().last, Some(Outcome::Applied));
    }
    assert!(Arc::ptr_eq(&decoded[0], &decoded[1]));
}

//! What subscriptions and publishers do on a store that misbehaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use futures_util::stream::{once, repeat};
use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{
    Error, ErrorKind, Hub, Key, Memory, Moment, Outcome, Publisher, RawChange, RawChanges, Revision,
    StoreExt, Txn,
};
use quorate_testkit::Rigged;
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(30);

fn key(text: &str) -> Key {
    Key::parse(text).expect("the rig works")
}

/// A watch that always has something to tell, once the content was loaded.
fn talk() -> RawChanges {
    let progress = RawChange::Progress { revision: Revision::ZERO, asked: Moment::ORIGIN };
    let first = async { tokio::time::sleep(Duration::from_millis(5)).await };
    RawChanges::new(once(first).flat_map(move |()| repeat(progress.clone())))
}

#[tokio::test]
async fn a_subscription_ends_when_its_store_panics() {
    let (_, store) = Rigged::over(Arc::new(Memory::new())).telling(|_, _| panic!("it panics")).open();
    let mut sub = Hub::new(&store).subscribe("if", ["/if"]).await.unwrap();
    assert!(timeout(WAIT, sub.next()).await.expect("it ends").is_none());
}

// cn-infra: it listed, then watched, and what was written in between was lost.
#[tokio::test]
async fn what_is_written_as_soon_as_the_content_was_listed_is_told() {
    let memory = Arc::new(Memory::new());
    let beside = memory.handle();
    let write =
        move || drop(beside.put(&key("/if/late"), "1").now_or_never().expect("it is written at once"));
    let (_, store) = Rigged::over(memory).when_listed(write).open();
    let mut sub = Hub::new(&store).subscribe("if", ["/if"]).await.unwrap();
    let mut is_told = false;
    while !is_told {
        let delivery = timeout(WAIT, sub.next()).await.expect("it is told").unwrap();
        is_told = delivery.changes().iter().any(|change| change.key == key("/if/late"));
        delivery.ack();
    }
}

#[test]
fn a_watch_that_always_has_something_to_tell_keeps_no_deadline_from_passing() {
    let (done, passed) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it is built");
        runtime.block_on(async {
            let (_, store) = Rigged::over(Arc::new(Memory::new())).telling(|_, _| talk()).open();
            let hub = Hub::builder(&store).accept(Duration::from_millis(20)).build();
            let mut reports = hub.reports();
            let _asleep = hub.subscribe("asleep", ["/if"]).await.expect("the name is free");
            let _ = done.send(reports.next().await);
        });
    });
    let report = passed.recv_timeout(WAIT).expect("the others have their turn").unwrap();
    assert!(matches!(report.outcome("asleep"), Some(Outcome::TimedOut(_))));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_put_anew_keeps_none_of_the_others_away() {
    let memory = Arc::new(Memory::new());
    let (denied, denies) = (key("/denied"), AtomicBool::new(false));
    // The second time, and from then on.
    let deny = move |txn: &Txn| match txn.keys().any(|key| *key == denied) && denies.swap(true, SeqCst) {
        true => Err(Error::new(ErrorKind::Denied, "commit").on(&denied)),
        false => Ok(()),
    };
    let (_, store) = Rigged::over(Arc::clone(&memory) as _).refusing(deny).open();
    let publisher = Publisher::new(&store);
    publisher.put("/denied", &1).lifetime().await.unwrap();
    publisher.put("/other", &1).lifetime().await.unwrap();
    memory.expire_leases();
    tokio::time::sleep(WAIT).await;
    assert!(store.entry(&key("/other")).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_may_not_see_a_commit_is_named_with_the_reason_and_delays_nobody() {
    let (_, store) = Rigged::over(Arc::new(Memory::new())).hiding(key("/secret/a")).open();
    let hub = Hub::new(&store);
    let _blind = hub.subscribe("blind", ["/secret"]).await.unwrap();
    let begun = tokio::time::Instant::now();
    for value in ["1", "2"] {
        let report = hub.publish(Txn::new().put(&key("/secret/a"), value)).applied().await.unwrap();
        let outcome = report.outcome("blind");
        assert!(matches!(outcome, Some(Outcome::Failed(why)) if why.contains("not allowed")), "{outcome:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
}

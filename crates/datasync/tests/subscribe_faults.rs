//! What subscriptions and publishers do when the store fails on the way.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{
    Delivery, Error, Hub, Key, KeyChange, LazyValue, Memory, Outcome, Publisher, ResyncCause, Store,
    StoreExt, Subscription, Txn,
};
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(20);

struct Rig {
    /// The handle that the faults are of.
    faulty: Arc<Memory>,
    store: Arc<dyn Store>,
    outside: Arc<dyn Store>,
    hub: Hub,
}

fn rig() -> Rig {
    let faulty = Arc::new(Memory::new());
    let outside: Arc<dyn Store> = Arc::new(faulty.handle());
    let store: Arc<dyn Store> = Arc::clone(&faulty) as Arc<dyn Store>;
    let hub = Hub::new(&store);
    Rig { faulty, store, outside, hub }
}

impl Rig {
    async fn put(&self, name: &str, value: &'static str) {
        self.outside.put(&key(name), value).await.expect("the rig works");
    }

    async fn delete(&self, name: &str) {
        self.outside.delete(&key(name)).await.expect("the rig works");
    }

    async fn subscribe(&self, name: &str, prefix: &str) -> Subscription {
        let mut sub = self.hub.subscribe(name, [prefix]).await.expect("the rig works");
        next(&mut sub).await.ack();
        sub
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("the rig works")
}

async fn next(sub: &mut Subscription) -> Delivery {
    timeout(WAIT, sub.next()).await.expect("a delivery comes in time").expect("the subscription goes on")
}

type Step = (String, Option<String>, Option<String>);

fn steps(delivery: &Delivery) -> Vec<Step> {
    let text = |value: &LazyValue| String::from_utf8_lossy(value.bytes()).into_owned();
    let step = |change: &KeyChange| {
        let (previous, value) = (change.previous.as_ref().map(text), change.value.as_ref().map(text));
        (change.key.to_string(), previous, value)
    };
    delivery.changes().iter().map(step).collect()
}

fn deleted(key: &str, previous: &str) -> Step {
    (key.to_owned(), Some(previous.to_owned()), None)
}

fn updated(key: &str, previous: &str, value: &str) -> Step {
    (key.to_owned(), Some(previous.to_owned()), Some(value.to_owned()))
}

// cn-infra: what was missed while the connection was lost made every previous value after it wrong.
#[tokio::test]
async fn a_delete_while_disconnected_is_told_once_with_its_previous_value() {
    let rig = rig();
    rig.put("/if/a", "1").await;
    rig.put("/if/b", "2").await;
    let mut sub = rig.subscribe("if", "/if").await;
    rig.faulty.disconnect();
    rig.delete("/if/a").await;
    rig.put("/if/b", "3").await;
    rig.faulty.reconnect();
    let delivery = next(&mut sub).await;
    assert!(delivery.is_resync());
    assert_eq!(delivery.content().unwrap()[0].values.len(), 1);
    assert_eq!(steps(&delivery), [deleted("/if/a", "1"), updated("/if/b", "2", "3")]);
    delivery.ack();
    rig.delete("/if/b").await;
    assert_eq!(steps(&next(&mut sub).await), [deleted("/if/b", "3")]);
}

// cn-infra: the order of resyncs was that of a map.
#[tokio::test]
async fn after_a_gap_subscribers_are_resynced_in_the_order_of_registration() {
    let rig = rig();
    let mut routes = None;
    let mut interfaces = rig.subscribe("interfaces", "/if").await;
    routes.replace(rig.subscribe("routes", "/route").await);
    let mut routes = routes.unwrap();
    let mut reports = rig.hub.reports();
    rig.faulty.disconnect();
    rig.put("/if/a", "1").await;
    rig.put("/route/b", "1").await;
    rig.faulty.reconnect();
    let first = next(&mut interfaces).await;
    assert!(!rig.hub.subscribers()[1].is_busy);
    assert!(futures_util::FutureExt::now_or_never(routes.next()).is_none(), "it is not its turn");
    first.nack("no such interface");
    next(&mut routes).await.ack();
    let report = timeout(WAIT, reports.next()).await.unwrap().unwrap();
    assert_eq!(report.cause, ResyncCause::Gap);
    let failed = Outcome::Failed("no such interface".into());
    assert_eq!(report.outcomes, [("interfaces".into(), failed), ("routes".into(), Outcome::Applied)]);
    let again = next(&mut interfaces).await;
    assert!(again.is_resync() && again.changes().len() == 1);
}

#[tokio::test]
async fn a_store_that_was_replaced_is_told_as_the_difference() {
    let rig = rig();
    rig.put("/if/a", "1").await;
    let mut sub = rig.subscribe("if", "/if").await;
    rig.faulty.wipe();
    rig.put("/if/b", "2").await;
    let mut gone = false;
    while !gone {
        let delivery = next(&mut sub).await;
        gone = delivery.changes().iter().any(|change| change.key == key("/if/a") && change.value.is_none());
        delivery.ack();
    }
    rig.put("/if/b", "3").await;
    while !next(&mut sub).await.changes().iter().any(|change| {
        let value = change.value.as_ref().map(|value| value.bytes().clone());
        value.is_some_and(|value| value == "3")
    }) {}
}

#[tokio::test]
async fn closing_the_store_ends_the_subscription_and_whoever_waits_for_answers() {
    let rig = rig();
    let mut sub = rig.subscribe("if", "/if").await;
    let publishing = tokio::spawn(rig.hub.publish(Txn::new().put(&key("/if/a"), "1")).applied());
    let unanswered = next(&mut sub).await;
    rig.store.close().await;
    let failed = timeout(WAIT, publishing).await.unwrap().unwrap().unwrap_err();
    assert!(failed.maybe_applied(), "{failed}");
    assert!(timeout(WAIT, sub.next()).await.unwrap().is_none());
    unanswered.ack();
    assert!(rig.hub.subscribe("late", ["/if"]).await.is_err());
    assert!(rig.hub.resync().await.is_err());
}

#[tokio::test]
async fn a_subscription_outlives_the_handle_of_its_hub() {
    let rig = rig();
    let mut sub = Hub::new(&rig.store).subscribe("if", ["/if"]).await.unwrap();
    next(&mut sub).await.ack();
    rig.put("/if/a", "1").await;
    assert_eq!(next(&mut sub).await.changes().len(), 1);
}

// A commit is told at once also while a wider watch takes the place of a narrower one.
#[tokio::test]
async fn a_commit_is_not_split_while_prefixes_come_and_go() {
    let rig = rig();
    let (left, right) = (key("/a/left/n"), key("/z/right/n"));
    let mut sub = rig.hub.subscribe("both", ["/a/left", "/z/right"]).await.unwrap();
    let mut held = (None, None);
    let outside = Arc::clone(&rig.outside);
    let (writing_left, writing_right) = (left.clone(), right.clone());
    let writer = tokio::spawn(async move {
        for at in 0..300 {
            let (value, txn) = (at.to_string(), Txn::new());
            outside.commit(txn.put(&writing_left, value.clone()).put(&writing_right, value)).await?;
        }
        Ok::<_, Error>(())
    });
    let mut round = 0;
    while held.0.as_deref() != Some("299") {
        let others = rig.hub.subscribe("other", [["/a/left", "/z", "/q/r", "/z/right"][round % 4]]).await;
        round += 1;
        let delivery = next(&mut sub).await;
        for change in delivery.changes() {
            let value =
                change.value.as_ref().map(|value| String::from_utf8_lossy(value.bytes()).into_owned());
            if change.key == left { held.0 = value } else { held.1 = value }
        }
        delivery.ack();
        assert_eq!(held.0, held.1, "a commit was split");
        drop(others);
    }
    writer.await.unwrap().unwrap();
}

// cn-infra: the end of the session was never noticed, and its keys never came back.
#[tokio::test(start_paused = true)]
async fn a_key_of_a_lifetime_comes_back_with_its_newest_value() {
    let rig = rig();
    let publisher = Publisher::new(&rig.store);
    publisher.put("/status/a", &1).lifetime().await.unwrap();
    publisher.put("/status/a", &2).lifetime().await.unwrap();
    publisher.put("/status/b", &1).lifetime().await.unwrap();
    publisher.delete("/status/b").await.unwrap();
    // Until whoever looks after the keys waits for the end of their lease.
    tokio::time::sleep(Duration::from_secs(1)).await;
    rig.faulty.expire_leases();
    assert!(rig.outside.entry(&key("/status/a")).await.unwrap().is_none());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(rig.outside.entry(&key("/status/a")).await.unwrap().unwrap().value, "2");
    assert!(rig.outside.entry(&key("/status/b")).await.unwrap().is_none(), "we deleted it");
}

#[tokio::test(start_paused = true)]
async fn a_key_of_a_lifetime_that_somebody_took_is_taken_again_when_it_is_free() {
    let rig = rig();
    let publisher = Publisher::new(&rig.store);
    publisher.put("/status/a", &1).lifetime().await.unwrap();
    rig.faulty.disconnect();
    rig.faulty.expire_leases();
    rig.put("/status/a", "theirs").await;
    rig.faulty.reconnect();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.outside.entry(&key("/status/a")).await.unwrap().unwrap().value, "theirs");
    rig.delete("/status/a").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.outside.entry(&key("/status/a")).await.unwrap().unwrap().value, "1");
}

#[tokio::test(start_paused = true)]
async fn a_refused_put_leaves_the_value_that_comes_back_as_it_was() {
    let rig = rig();
    let publisher = Publisher::new(&rig.store);
    let stat = publisher.put("/status/a", &1).lifetime().await.unwrap();
    publisher.put("/status/a", &2).lifetime().await.unwrap();
    publisher.put("/status/a", &3).if_version(stat.version).lifetime().await.unwrap_err();
    rig.faulty.expire_leases();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(rig.outside.entry(&key("/status/a")).await.unwrap().unwrap().value, "2");
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_was_lost_is_told_all_the_same() {
    let rig = rig();
    let _sub = rig.subscribe("if", "/if").await;
    let store: Arc<dyn Store> = Arc::new(rig.faulty.handle());
    let hub = Hub::new(&store);
    let mut sub = hub.subscribe("if", ["/if"]).await.unwrap();
    next(&mut sub).await.ack();
    rig.faulty.lose_next_reply();
    let lost = rig.hub.publish(Txn::new().put(&key("/if/a"), "1")).applied().await.unwrap_err();
    assert!(lost.maybe_applied());
    assert_eq!(next(&mut sub).await.changes().len(), 1, "it was applied");
}

#[tokio::test]
async fn reports_end_when_the_store_is_closed() {
    let rig = rig();
    let mut reports = rig.hub.reports();
    let mut sub = rig.subscribe("if", "/if").await;
    assert!(timeout(WAIT, reports.next()).await.unwrap().is_some());
    rig.put("/if/a", "1").await;
    let _unanswered = next(&mut sub).await;
    rig.store.close().await;
    assert!(timeout(WAIT, reports.next()).await.unwrap().is_none());
    assert!(timeout(WAIT, rig.hub.reports().next()).await.unwrap().is_none());
}

#[test]
fn whoever_subscribes_outside_of_a_runtime_leaves_nothing_behind() {
    let rig = rig();
    let subscribe = rig.hub.subscribe("if", ["/if"]);
    let outside = std::panic::AssertUnwindSafe(|| drop(IntoFuture::into_future(subscribe)));
    assert!(std::panic::catch_unwind(outside).is_err(), "there is no runtime");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { drop(rig.subscribe("if", "/if").await) });
}

#[test]
fn a_subscription_ends_with_the_runtime_that_its_hub_runs_on() {
    let rig = rig();
    let build = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = build();
    let mut sub = first.block_on(async { rig.subscribe("if", "/if").await });
    drop(first);
    build().block_on(async { assert!(timeout(WAIT, sub.next()).await.unwrap().is_none()) });
}

//! What subscribers may take, and what becomes of those who take longer. Time is paused, so it costs none.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{
    Deadline, Hub, Key, Memory, Outcome, Publisher, ResyncCause, Store, StoreExt, Subscription,
};
use tokio::time::{Instant, sleep};

const PAST_ACCEPT: Duration = Duration::from_millis(1100);
const PAST_FINISH: Duration = Duration::from_millis(10_100);

fn hub() -> (Arc<dyn Store>, Hub) {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let hub = Hub::new(&store);
    (store, hub)
}

async fn put(store: &Arc<dyn Store>, name: &str, value: &'static str) {
    store.put(&Key::parse(name).expect("the rig works"), value).await.expect("the rig works");
}

async fn ack(sub: &mut Subscription) {
    sub.next().await.expect("the subscription goes on").ack();
}

/// Lets the hub do what it does without being asked.
async fn pause() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn one_who_does_not_come_is_passed_over_and_can_still_come() {
    let (_store, hub) = hub();
    let mut reports = hub.reports();
    let mut late = hub.subscribe("late", ["/if"]).await.unwrap();
    let mut punctual = hub.subscribe("punctual", ["/if"]).await.unwrap();
    let begun = Instant::now();
    ack(&mut punctual).await;
    assert!(begun.elapsed() >= Duration::from_secs(1), "it was told after the other one's deadline");
    let report = reports.next().await.unwrap();
    assert_eq!(report.cause, ResyncCause::Start);
    assert_eq!(report.outcome("late"), Some(&Outcome::TimedOut(Deadline::Accept)));
    assert_eq!(report.outcome("punctual"), Some(&Outcome::Applied));
    assert_eq!(late.status().last, Some(Outcome::TimedOut(Deadline::Accept)));
    ack(&mut late).await;
    assert_eq!(late.status().last, Some(Outcome::Applied));
}

// cn-infra, resync/registration.go:58: an answer that came too late blocked the plugin for ever.
#[tokio::test(start_paused = true)]
async fn a_late_answer_counts_if_nothing_newer_was_taken() {
    let (store, hub) = hub();
    put(&store, "/if/a", "1").await;
    let mut sub = hub.subscribe("slow", ["/if"]).await.unwrap();
    let delivery = sub.next().await.unwrap();
    sleep(PAST_FINISH).await;
    assert_eq!(sub.status().last, Some(Outcome::TimedOut(Deadline::Finish)));
    delivery.ack();
    assert_eq!(sub.status().last, Some(Outcome::Applied));
    put(&store, "/if/a", "2").await;
    let next = sub.next().await.unwrap();
    assert!(!next.is_resync());
    assert_eq!(next.changes()[0].previous.as_ref().unwrap().bytes(), "1");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_more_after_its_deadline_is_told_again_and_the_old_answer_is_ignored() {
    let (store, hub) = hub();
    put(&store, "/if/a", "1").await;
    let mut sub = hub.subscribe("slow", ["/if"]).await.unwrap();
    let old = sub.next().await.unwrap();
    assert!(sub.next().now_or_never().is_none(), "the next comes after the answer");
    put(&store, "/if/a", "2").await;
    // It waits for the next while it holds the old one, and is given it when the deadline has passed.
    let again = sub.next().await.unwrap();
    assert!(again.is_resync());
    let change = &again.changes()[0];
    assert!(change.previous.is_none() && change.value.as_ref().unwrap().bytes() == "2");
    old.ack();
    assert!(sub.status().is_busy && sub.status().acked.is_none());
    again.ack();
    assert!(sub.status().acked.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_refused_delivery_is_told_again_after_a_wait() {
    let (store, hub) = hub();
    put(&store, "/if/a", "1").await;
    let mut sub = hub.subscribe("if", ["/if"]).await.unwrap();
    let begun = Instant::now();
    for _ in 0..20 {
        sub.next().await.unwrap().nack("not now");
    }
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(1) && waited < Duration::from_secs(100), "{waited:?}");
    ack(&mut sub).await;
}

#[tokio::test(start_paused = true)]
async fn deadlines_can_be_set_for_a_hub_and_for_a_subscriber() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let hub = Hub::builder(&store).accept(Duration::from_secs(5)).finish(Duration::from_secs(7)).build();
    let mut first = hub.subscribe("first", ["/if"]).await.unwrap();
    let second = hub.subscribe("second", ["/if"]).accept(Duration::from_secs(60)).await.unwrap();
    sleep(Duration::from_secs(4)).await;
    assert_eq!(first.status().last, None);
    let held = first.next().await.unwrap();
    sleep(Duration::from_secs(8)).await;
    assert_eq!(first.status().last, Some(Outcome::TimedOut(Deadline::Finish)));
    sleep(Duration::from_secs(50)).await;
    assert_eq!(second.status().last, None);
    sleep(Duration::from_secs(11)).await;
    assert_eq!(second.status().last, Some(Outcome::TimedOut(Deadline::Accept)));
    held.ack();
}

#[tokio::test(start_paused = true)]
async fn a_publisher_waits_no_longer_than_the_deadlines() {
    let (store, hub) = hub();
    let publisher = Publisher::new(&store);
    let mut sub = hub.subscribe("if", ["/if"]).await.unwrap();
    ack(&mut sub).await;
    let begun = Instant::now();
    let report = publisher.put("/if/a", &1).applied(&hub).await.unwrap();
    assert_eq!(report.outcomes, [("if".into(), Outcome::TimedOut(Deadline::Accept))]);
    assert!(begun.elapsed() < PAST_ACCEPT);
    let report = publisher.put("/if/a", &2).applied(&hub).await.unwrap();
    assert_eq!(report.outcomes, [("if".into(), Outcome::TimedOut(Deadline::Accept))]);
    assert!(begun.elapsed() < PAST_ACCEPT, "it did not come before, and is not waited for again");
    ack(&mut sub).await;
    assert_eq!(sub.status().pending, 0);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_leaves_is_waited_for_no_more() {
    let (store, hub) = hub();
    let publisher = Publisher::new(&store);
    let mut sub = hub.subscribe("if", ["/if"]).await.unwrap();
    ack(&mut sub).await;
    let put = publisher.put("/if/a", &1);
    let publishing = tokio::spawn({
        let hub = hub.clone();
        async move { put.applied(&hub).await }
    });
    let held = sub.next().await.unwrap();
    drop(sub);
    let report = publishing.await.unwrap().unwrap();
    assert_eq!(report.outcomes, [("if".into(), Outcome::Gone)]);
    held.nack("too late");
}

#[tokio::test(start_paused = true)]
async fn one_who_leaves_on_its_turn_is_passed_over() {
    let (_store, hub) = hub();
    let mut reports = hub.reports();
    let leaves = hub.subscribe("leaves", ["/if"]).await.unwrap();
    let mut stays = hub.subscribe("stays", ["/if"]).await.unwrap();
    pause().await;
    drop(leaves);
    ack(&mut stays).await;
    let report = reports.next().await.unwrap();
    assert_eq!(report.outcomes, [("leaves".into(), Outcome::Gone), ("stays".into(), Outcome::Applied)]);
}

#[tokio::test(start_paused = true)]
async fn a_resync_of_nobody_is_done_at_once() {
    let (_store, hub) = hub();
    assert!(hub.resync().await.unwrap().outcomes.is_empty());
}

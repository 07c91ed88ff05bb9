//! What a shared struct does when the store fails on the way.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{
    Change, Document, Key, Link, ListenerEvent, Memory, Origin, Shared, SharedEvent, Store, StoreExt,
    UpdateError,
};
use serde_json::{Value, json};
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(20);

struct Rig {
    /// The handle that the faults are of.
    faulty: Arc<Memory>,
    store: Arc<dyn Store>,
    outside: Arc<dyn Store>,
    counter: Shared<Value>,
}

async fn rig() -> Rig {
    let faulty = Arc::new(Memory::new());
    let outside: Arc<dyn Store> = Arc::new(faulty.handle());
    let store: Arc<dyn Store> = Arc::clone(&faulty) as Arc<dyn Store>;
    let open = Shared::open(&store, "/counter").bound(Duration::from_millis(400));
    let counter = open.create(json!({"n": 0})).await.expect("the rig works");
    Rig { faulty, store, outside, counter }
}

impl Rig {
    async fn increment(&self) -> Result<(), UpdateError> {
        self.counter.update(|value| value["n"] = json!(value["n"].as_u64().unwrap_or(0) + 1)).await.map(drop)
    }

    async fn stored(&self) -> u64 {
        let entry = self.outside.entry(&payload()).await.expect("the rig works").expect("the rig works");
        serde_json::from_slice::<Value>(&entry.value).expect("the rig works")["n"]
            .as_u64()
            .expect("the rig works")
    }

    async fn assert_lock_is_free(&self) {
        let lock = Document::below(&self.outside, key("/counter"))
            .expect("the rig works")
            .write_lock()
            .expect("the rig works");
        lock.acquire(WAIT).await.expect("the rig works").release().await.expect("the rig works");
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("the rig works")
}

fn payload() -> Key {
    key("/counter/payload")
}

#[tokio::test]
async fn a_lost_answer_to_the_lock_is_found_again() {
    let rig = rig().await;
    rig.faulty.lose_next_reply();
    rig.increment().await.unwrap();
    assert_eq!(rig.stored().await, 1);
    rig.assert_lock_is_free().await;
}

#[tokio::test]
async fn a_lost_request_for_the_lock_is_sent_again() {
    let rig = rig().await;
    rig.faulty.lose_next_request();
    rig.increment().await.unwrap();
    assert_eq!(rig.stored().await, 1);
    rig.assert_lock_is_free().await;
}

/// Loses the answer to, or the request of, the transaction that writes: the second commit of an update.
async fn with_a_fault_at_the_write(fault: fn(&Memory)) {
    let rig = rig().await;
    for round in 1..=20 {
        let faulty = Arc::clone(&rig.faulty);
        let done = rig
            .counter
            .update(|value| {
                fault(&faulty);
                value["n"] = json!(value["n"].as_u64().unwrap_or(0) + 1);
            })
            .await
            .expect("the outcome is found out");
        assert_eq!(done.value["n"], round);
        assert_eq!(rig.stored().await, round);
    }
    rig.assert_lock_is_free().await;
}

#[tokio::test]
async fn a_lost_answer_to_the_write_applies_it_once() {
    with_a_fault_at_the_write(Memory::lose_next_reply).await;
}

#[tokio::test]
async fn a_lost_request_of_the_write_applies_it_once() {
    with_a_fault_at_the_write(Memory::lose_next_request).await;
}

#[tokio::test]
async fn a_write_under_a_lease_that_ended_is_done_again_under_a_new_one() {
    let rig = rig().await;
    let faulty = Arc::clone(&rig.faulty);
    let mut runs = 0;
    let update = rig.counter.update(|value| {
        runs += 1;
        if runs == 1 {
            faulty.expire_leases();
        }
        value["n"] = json!(value["n"].as_u64().unwrap_or(0) + 1);
    });
    timeout(WAIT, update).await.unwrap().unwrap();
    assert_eq!((rig.stored().await, runs), (1, 2));
    rig.assert_lock_is_free().await;
}

#[tokio::test]
async fn an_open_write_whose_lease_ended_is_unknown_only_if_the_payload_moved() {
    let rig = rig().await;
    let faulty = Arc::clone(&rig.faulty);
    let error = rig
        .counter
        .update(|value| {
            faulty.lose_next_reply();
            let expiring = Arc::clone(&faulty);
            tokio::spawn(async move { expiring.expire_leases() });
            value["n"] = json!(1);
        })
        .await;
    // Applied for sure if the answer came before the end of the lease, else open: never said to be refused.
    assert!(error.as_ref().err().is_none_or(UpdateError::maybe_applied), "{error:?}");
    assert_eq!(rig.stored().await, 1);
    rig.assert_lock_is_free().await;
}

#[tokio::test]
async fn a_cut_off_copy_gets_stale_and_resyncs_with_the_difference() {
    let rig = rig().await;
    let mut changes = rig.counter.changes();
    rig.faulty.disconnect();
    rig.outside.put(&payload(), r#"{"n":7,"new":true}"#).await.unwrap();
    let mut status = rig.counter.status();
    let lost = status.wait_for(|status| matches!(status.link, Link::Lost { .. }));
    timeout(WAIT, lost).await.unwrap().unwrap();
    timeout(WAIT, async {
        while rig.counter.read().is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(rig.counter.peek()["n"], 0);
    rig.faulty.reconnect();
    let set = timeout(WAIT, changes.next()).await.unwrap().unwrap();
    assert_eq!((set.origin, set.changes.len()), (Origin::Remote, 2));
    timeout(WAIT, status.wait_for(|status| status.link == Link::Live)).await.unwrap().unwrap();
    assert_eq!(rig.counter.read().unwrap()["n"], 7);
}

#[tokio::test]
async fn a_delete_while_disconnected_is_told_once() {
    let rig = rig().await;
    let mut events = rig.counter.events();
    rig.faulty.disconnect();
    rig.outside.delete(&payload()).await.unwrap();
    rig.faulty.reconnect();
    let Some(SharedEvent::Changed(set)) = timeout(WAIT, events.next()).await.unwrap() else {
        panic!("the deletion is told");
    };
    assert_eq!(*set.changes, [Change::Removed { path: String::new(), value: json!({"n": 0}) }]);
    assert!(rig.counter.is_deleted());
}

#[tokio::test]
async fn a_wiped_store_goes_back_and_says_so() {
    let rig = rig().await;
    for _ in 0..3 {
        rig.increment().await.unwrap();
    }
    let before = rig.counter.snapshot().revision;
    let mut changes = rig.counter.changes();
    rig.faulty.wipe();
    assert!(timeout(WAIT, changes.next()).await.unwrap().unwrap().current.is_none());
    rig.outside.put(&payload(), r#"{"n":1}"#).await.unwrap();
    let set = timeout(WAIT, changes.next()).await.unwrap().unwrap();
    assert!(set.revision < before);
    assert_eq!(rig.counter.peek()["n"], 1);
}

#[tokio::test]
async fn a_listener_is_back_by_itself_after_its_lease_ended() {
    let rig = rig().await;
    let document = Document::below(&rig.outside, key("/counter")).unwrap();
    let before = document.listeners().await.unwrap();
    rig.faulty.expire_leases();
    timeout(WAIT, async {
        while document.listeners().await.unwrap() != before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(before.len(), 1);
}

#[tokio::test]
async fn closing_the_store_ends_streams_and_fails_what_follows() {
    let rig = rig().await;
    let mut changes = rig.counter.changes();
    rig.store.close().await;
    assert!(timeout(WAIT, changes.next()).await.unwrap().is_none());
    assert!(timeout(WAIT, rig.increment()).await.unwrap().is_err());
    assert_eq!(rig.counter.peek()["n"], 0);
}

#[tokio::test]
async fn an_update_while_disconnected_ends_in_time_and_was_not_applied() {
    let rig = rig().await;
    rig.faulty.disconnect();
    let update = rig.counter.update(|value| value["n"] = json!(9));
    let result = timeout(Duration::from_millis(500), update).await;
    rig.faulty.reconnect();
    // Given up by the caller while it was tried again: nothing was written, and the lock is free.
    assert!(result.is_err() || result.unwrap().is_err());
    assert_eq!(rig.stored().await, 0);
    rig.assert_lock_is_free().await;
}

#[tokio::test]
async fn a_struct_that_comes_back_undecodable_keeps_its_last_good_copy() {
    let rig = rig().await;
    let mut events = rig.counter.events();
    rig.outside.delete(&payload()).await.unwrap();
    rig.outside.put(&payload(), "not json").await.unwrap();
    rig.outside.put(&payload(), r#"{"n":5}"#).await.unwrap();
    let Some(SharedEvent::Changed(gone)) = timeout(WAIT, events.next()).await.unwrap() else {
        panic!("gone")
    };
    assert!(gone.current.is_none());
    assert!(matches!(timeout(WAIT, events.next()).await.unwrap(), Some(SharedEvent::Rejected(_))));
    assert_eq!(rig.counter.peek()["n"].as_u64().map(|n| n == 0 || n == 5), Some(true));
    let Some(SharedEvent::Changed(back)) = timeout(WAIT, events.next()).await.unwrap() else {
        panic!("back")
    };
    assert_eq!(*back.changes, [Change::Added { path: String::new(), value: json!({"n": 5}) }]);
    assert_eq!(rig.counter.read().unwrap()["n"], 5);
}

#[tokio::test]
async fn a_consistent_read_is_of_the_life_that_the_store_has_now() {
    let rig = rig().await;
    for _ in 0..5 {
        rig.increment().await.unwrap();
    }
    rig.faulty.wipe();
    rig.outside.put(&payload(), r#"{"n":100}"#).await.unwrap();
    assert_eq!(rig.counter.read_consistent().await.unwrap()["n"], 100);
    timeout(WAIT, async {
        while rig.counter.peek()["n"] != 100 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_copy_is_fresh_again_as_soon_as_a_good_payload_follows_a_bad_one() {
    let rig = rig().await;
    let mut events = rig.counter.events();
    rig.outside.put(&payload(), "bad").await.unwrap();
    assert!(matches!(timeout(WAIT, events.next()).await.unwrap(), Some(SharedEvent::Rejected(_))));
    timeout(WAIT, async {
        while rig.counter.read().is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("a bad payload does not renew the age");
    rig.outside.put(&payload(), r#"{"n":3}"#).await.unwrap();
    assert!(matches!(timeout(WAIT, events.next()).await.unwrap(), Some(SharedEvent::Changed(_))));
    assert_eq!(rig.counter.read().unwrap()["n"], 3);
}

#[tokio::test]
async fn streams_end_with_an_opening_that_failed() {
    let rig = rig().await;
    let mut opening = Shared::<Value>::open(&rig.store, "/absent");
    let mut events = opening.events().unwrap();
    assert!(opening.join().await.is_err());
    assert!(timeout(WAIT, events.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_wait_without_end_is_no_overflow() {
    let rig = rig().await;
    let lock = Document::below(&rig.outside, key("/counter")).unwrap().write_lock().unwrap();
    lock.acquire(Duration::MAX).await.unwrap().release().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_applied_is_reported_newest_only_and_once_in_five_seconds() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let level = Shared::<u64>::open(&store, "/level").report_applied().create(0).await.unwrap();
    let watching = Shared::<u64>::open(&store, "/level").unlisted().join().await.unwrap();
    let mut listeners = watching.watch_listeners().unwrap();
    assert!(matches!(listeners.next().await, Some(ListenerEvent::Snapshot(_))));
    let mut last = tokio::time::Instant::now();
    for round in 1..=3 {
        for step in 0..100 {
            level.update(|level| *level = round * 100 + step).await.unwrap();
        }
        let Some(ListenerEvent::Changed { current, .. }) = listeners.next().await else { panic!("a report") };
        assert_eq!(current.applied, Some(level.snapshot().revision));
        let pause = std::mem::replace(&mut last, tokio::time::Instant::now()).elapsed();
        assert!((5.0..6.5).contains(&pause.as_secs_f64()), "{pause:?}");
    }
}

#[tokio::test]
async fn a_stream_of_listeners_survives_the_end_of_their_leases() {
    let rig = rig().await;
    let outside = Shared::<Value>::open(&rig.outside, "/counter").unlisted().join().await.unwrap();
    let mut listeners = outside.watch_listeners().unwrap();
    let Some(ListenerEvent::Snapshot(first)) = listeners.next().await else { panic!("who is there") };
    rig.faulty.expire_leases();
    let left = timeout(WAIT, listeners.next()).await.unwrap();
    assert_eq!(left, Some(ListenerEvent::Left(first[0].clone())));
    let joined = timeout(WAIT, listeners.next()).await.unwrap();
    assert_eq!(joined, Some(ListenerEvent::Joined(first[0].clone())));
}

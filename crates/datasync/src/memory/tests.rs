//! What only this store does: its clock, its history, its faults. The rest is in the conformance suite.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use tokio::time::{Instant, advance};

use crate::{
    Conflict, ErrorKind, Key, Link, Memory, Prefix, RawChange, RawChanges, Replica, Revision, Selection,
    Store, StoreExt, Txn, Watch, WatchFrom,
};

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn everything() -> Selection {
    Selection::Prefix(Prefix::root())
}

async fn watch(store: &Memory, from: WatchFrom) -> RawChanges {
    store.watch(&everything(), from).await.unwrap()
}

/// All that can be told at once.
fn told(changes: &mut RawChanges) -> Vec<RawChange> {
    std::iter::from_fn(|| changes.next().now_or_never().flatten()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_waiting_watch_is_told_when_a_time_to_live_is_up() {
    let (store, ttl) = (Memory::new(), Duration::from_secs(5));
    let mut changes = watch(&store, WatchFrom::Now).await;
    let begun = Instant::now();
    store.commit(Txn::new().put_with_ttl(&key("/a"), "v", ttl)).await.unwrap();
    assert!(matches!(changes.next().await, Some(RawChange::Put(_))));
    assert!(matches!(changes.next().await, Some(RawChange::Progress { .. })));
    let deleted = changes.next().await;
    assert_eq!(deleted, Some(RawChange::Delete(key("/a"), Revision::new(2))));
    let late = begun.elapsed() - ttl;
    assert!(late <= Duration::from_millis(1), "{late:?} late");
}

#[tokio::test(start_paused = true)]
async fn a_time_to_live_is_up_though_nobody_watches() {
    let (store, ttl) = (Memory::new(), Duration::from_secs(5));
    store.put(&key("/a/below"), "v").await.unwrap();
    store.commit(Txn::new().put_with_ttl(&key("/a"), "v", ttl)).await.unwrap();
    advance(ttl - Duration::from_millis(1)).await;
    assert!(store.entry(&key("/a")).await.unwrap().is_some());
    advance(Duration::from_millis(1)).await;
    assert!(store.entry(&key("/a")).await.unwrap().is_none());
    assert!(store.entry(&key("/a/below")).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_write_begins_the_time_to_live_anew() {
    let (store, ttl) = (Memory::new(), Duration::from_secs(5));
    for _ in 0..3 {
        store.commit(Txn::new().put_with_ttl(&key("/a"), "v", ttl)).await.unwrap();
        advance(Duration::from_secs(4)).await;
    }
    assert!(store.entry(&key("/a")).await.unwrap().is_some());
    advance(Duration::from_secs(1)).await;
    assert!(store.entry(&key("/a")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_replay_is_what_a_watch_would_have_been_told() {
    let store = Memory::new();
    let mut live = watch(&store, WatchFrom::Now).await;
    store.commit(Txn::new().put(&key("/a"), "v").put(&key("/b"), "v")).await.unwrap();
    store.delete(&key("/a")).await.unwrap();
    let mut replayed = watch(&store, WatchFrom::After(Revision::ZERO)).await;
    let told_live = told(&mut live);
    assert_eq!(told_live.len(), 5);
    assert_eq!(told(&mut replayed), told_live);
}

#[tokio::test]
async fn a_past_that_was_forgotten_is_a_gap() {
    let (store, a) = (Memory::new(), key("/a"));
    for _ in 0..10_001 {
        store.put(&a, "v").await.unwrap();
    }
    let forgotten = WatchFrom::After(Revision::ZERO);
    assert_eq!(told(&mut watch(&store, forgotten).await), [RawChange::Gap]);
    let mut alone = store.watch(&Selection::Key(a.clone()), forgotten).await.unwrap();
    assert_eq!(told(&mut alone), [RawChange::Dirty(a)]);
    let kept = watch(&store, WatchFrom::After(Revision::new(9_999))).await;
    assert_eq!(told(&mut { kept }).len(), 4);
}

#[tokio::test]
async fn a_revision_that_was_never_reached_is_a_gap() {
    let store = Memory::new();
    let mut changes = watch(&store, WatchFrom::After(Revision::new(7))).await;
    assert_eq!(told(&mut changes), [RawChange::Gap]);
}

#[tokio::test]
async fn a_consumer_that_never_reads_is_told_one_gap_and_then_goes_on() {
    let store = Memory::new();
    let mut changes = watch(&store, WatchFrom::Now).await;
    for _ in 0..20_000 {
        store.put(&key("/a"), "v").await.unwrap();
    }
    let all = told(&mut changes);
    assert!(all.len() < 20_000);
    assert_eq!(all.iter().position(|change| *change == RawChange::Gap), Some(0));
    store.put(&key("/a"), "w").await.unwrap();
    assert!(matches!(told(&mut changes)[..], [RawChange::Put(_), RawChange::Progress { .. }]));
}

#[tokio::test]
async fn the_largest_transaction_is_told_whole() {
    let store = Memory::new();
    let mut changes = watch(&store, WatchFrom::Now).await;
    let writes = store.capabilities().txn_keys_max;
    let txn = (0..writes).fold(Txn::new(), |txn, n| txn.put(&key(&format!("/{n}")), "v"));
    store.commit(txn).await.unwrap();
    assert_eq!(told(&mut changes).len(), writes + 1);
}

#[tokio::test]
async fn a_lost_connection_fails_operations_and_ends_in_a_gap() {
    let store = Memory::new();
    let other = store.handle();
    let mut changes = watch(&store, WatchFrom::Now).await;
    store.disconnect();
    let error = store.put(&key("/a"), "v").await.unwrap_err();
    assert!(error.kind() == ErrorKind::Unreachable && !error.maybe_applied());
    assert!(matches!(store.status().borrow().link, Link::Lost { .. }));
    other.put(&key("/a"), "v").await.unwrap();
    assert_eq!(told(&mut changes), []);
    store.reconnect();
    assert_eq!(store.status().borrow().link, Link::Live);
    assert_eq!(told(&mut changes), [RawChange::Gap]);
    store.put(&key("/a"), "w").await.unwrap();
    assert_eq!(told(&mut changes).len(), 2);
}

#[tokio::test]
async fn a_wiped_store_begins_another_life() {
    let store = Memory::new();
    let mut changes = watch(&store, WatchFrom::Now).await;
    let lease = store.grant(Duration::from_secs(30)).await.unwrap();
    store.commit(Txn::new().put_under(&key("/a"), "v", &lease.reference())).await.unwrap();
    let before = store.status().borrow().incarnation;
    store.wipe();
    assert_ne!(store.status().borrow().incarnation, before);
    assert_eq!(told(&mut changes), [RawChange::Gap]);
    assert!(lease.has_ended());
    assert_eq!(store.put(&key("/b"), "v").await.unwrap(), Revision::new(1));
}

#[tokio::test]
async fn a_replica_follows_into_another_life() {
    let memory = Memory::new();
    let store: Arc<dyn Store> = Arc::new(memory.handle());
    for value in ["one", "two"] {
        store.put(&key("/old"), value).await.unwrap();
    }
    let (mut watch, mut replica) = (Watch::new(&store, everything()), Replica::new());
    for after in [key("/old"), key("/new")] {
        while replica.get(&after).is_none() {
            replica.apply(watch.next().await.unwrap().unwrap());
        }
        memory.wipe();
        store.put(&key("/new"), "v").await.unwrap();
    }
    assert!(replica.get(&key("/old")).is_none());
    assert_eq!(replica.get(&key("/new")).unwrap().revision, Revision::new(1));
}

#[tokio::test]
async fn a_lost_connection_learns_of_another_life_when_it_is_back() {
    let store = Memory::new();
    let before = store.status().borrow().incarnation;
    store.disconnect();
    store.handle().wipe();
    assert_eq!(store.status().borrow().incarnation, before);
    store.reconnect();
    assert_eq!(store.status().borrow().incarnation, store.handle().status().borrow().incarnation);
    assert_ne!(store.status().borrow().incarnation, before);
}

#[tokio::test]
async fn a_lost_reply_and_a_lost_request_look_the_same() {
    let (store, a) = (Memory::new(), key("/a"));
    store.lose_next_reply();
    let error = store.put(&a, "applied").await.unwrap_err();
    assert!(error.kind() == ErrorKind::Unreachable && error.maybe_applied());
    assert_eq!(store.entry(&a).await.unwrap().unwrap().value, "applied");
    store.lose_next_request();
    let error = store.put(&a, "lost").await.unwrap_err();
    assert!(error.kind() == ErrorKind::Unreachable && error.maybe_applied());
    assert_eq!(store.entry(&a).await.unwrap().unwrap().value, "applied");
    store.put(&a, "answered").await.unwrap();
}

#[tokio::test]
async fn an_expired_lease_is_told_and_takes_its_keys() {
    let store = Memory::new();
    let lease = store.grant(Duration::from_secs(30)).await.unwrap();
    store.commit(Txn::new().put_under(&key("/a"), "v", &lease.reference())).await.unwrap();
    store.handle().expire_leases();
    assert!(!lease.has_ended());
    store.expire_leases();
    lease.ended().await;
    assert!(store.entry(&key("/a")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_lease_is_good_for_its_own_handle_only() {
    let store = Memory::new();
    let lease = store.grant(Duration::from_secs(30)).await.unwrap();
    let txn = Txn::new().put_under(&key("/a"), "v", &lease.reference());
    for other in [store.handle(), Memory::new()] {
        let error = other.commit(txn.clone()).await.unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::LeaseEnded, Some(&key("/a"))));
    }
}

#[tokio::test]
async fn a_name_is_shared_while_somebody_holds_it() {
    let name = "a_name_is_shared_while_somebody_holds_it";
    let (one, two) = (Memory::named(name), Memory::named(name));
    one.put(&key("/a"), "v").await.unwrap();
    one.close().await;
    assert!(two.entry(&key("/a")).await.unwrap().is_some());
    assert!(Memory::named("another name").entry(&key("/a")).await.unwrap().is_none());
    drop((one, two));
    assert!(Memory::named(name).entry(&key("/a")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_name_that_was_put_by_hand_is_not_made_again() {
    let (store, jobs) = (Memory::new(), key("/jobs"));
    let lease = store.grant(Duration::from_secs(30)).await.unwrap();
    store.put(&key("/jobs/job-0000000001"), "by hand").await.unwrap();
    let txn = Txn::new().create_unique(&jobs, "job-", "v", &lease.reference());
    store.commit(txn).await.unwrap();
    let names = store.names(&jobs.below()).await.unwrap();
    assert_eq!(names, ["job-0000000001", "job-0000000002"]);
}

#[tokio::test]
async fn a_refused_transaction_leaves_a_key_to_its_lease() {
    let store = Memory::new();
    let lease = store.grant(Duration::from_secs(30)).await.unwrap();
    store.commit(Txn::new().put_under(&key("/leased"), "v", &lease.reference())).await.unwrap();
    store.put(&key("/p/child"), "v").await.unwrap();
    let error = store.commit(Txn::new().delete(&key("/leased")).delete(&key("/p"))).await.unwrap_err();
    assert_eq!(error.as_conflict(), Some(Conflict::HasChildren));
    assert!(store.entry(&key("/leased")).await.unwrap().is_some());
    lease.revoke().await.unwrap();
    assert!(store.entry(&key("/leased")).await.unwrap().is_none());
}

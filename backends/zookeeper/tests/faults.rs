//! What a shared struct on ZooKeeper does when the link or the session fails, on the fake server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use quorate_datasync::{
    Change, Consistency, Document, Key, Lock, Origin, Shared, Store, StoreExt, Txn, UpdateError, Want,
};
use quorate_zk::{ErrorCode, OpCode};
use quorate_zk_fake::{Direction, FakeZooKeeper};
use quorate_zookeeper::ZooKeeper;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counter {
    n: u64,
}

struct Rig {
    server: FakeZooKeeper,
    store: Arc<dyn Store>,
    counter: Shared<Counter>,
}

async fn open(server: &FakeZooKeeper) -> Arc<dyn Store> {
    let options = ZooKeeper::options([server.connect_string()]).session_timeout(Duration::from_secs(4));
    Arc::new(options.open().await.expect("a store opens"))
}

impl Rig {
    async fn start() -> Self {
        Self::on(FakeZooKeeper::start().await.expect("a fake server starts")).await
    }

    async fn on(server: FakeZooKeeper) -> Self {
        let store = open(&server).await;
        let counter = Shared::open(&store, "/counter").create(Counter::default()).await;
        Self { server, store, counter: counter.expect("the struct is created") }
    }

    fn stored(&self) -> u64 {
        let node = self.server.node("/counter/payload").expect("the payload is there");
        serde_json::from_slice::<Counter>(&node.data.unwrap_or_default()).expect("it is good").n
    }

    async fn increment(&self) -> Result<(), UpdateError> {
        let update = self.counter.update(|counter| counter.n += 1);
        timeout(WAIT, update).await.expect("an update ends in time").map(drop)
    }

    /// Whether nobody is left in the queue of the lock, once the background is done.
    async fn assert_lock_is_free(&self) {
        let free = self.server.wait_until(|server| server.children("/counter/write_lock").is_empty());
        timeout(WAIT, free).await.expect("the lock is free");
    }
}

#[tokio::test]
async fn an_update_takes_two_round_trips() {
    let rig = Rig::start().await;
    rig.increment().await.unwrap();
    for _ in 0..5 {
        let before = rig.server.counters().batches;
        rig.increment().await.unwrap();
        assert_eq!(rig.server.counters().batches - before, 2);
    }
}

/// Cuts the link at every packet of an update, before or after the server has applied it.
async fn every_cut_of_an_update_leaves_it_applied_once_or_not(direction: Direction) {
    let rig = Rig::start().await;
    for position in 0.. {
        let before = rig.stored();
        rig.server.cut_after_packets(direction, position);
        let result = rig.increment().await;
        let is_over = rig.server.is_cut_armed();
        rig.server.disarm_cut();
        match result {
            Ok(()) => assert_eq!(rig.stored(), before + 1, "cut {position}"),
            Err(error) => {
                assert!(!error.maybe_applied(), "the session lived, so the outcome is known: {error:?}");
                assert_eq!(rig.stored(), before, "cut {position}: {error:?}");
            }
        }
        rig.assert_lock_is_free().await;
        assert_eq!(rig.counter.read_consistent().await.expect("it is read").n, rig.stored());
        if is_over {
            assert!(position >= 4, "an update has a lock, two reads and a write");
            return;
        }
    }
}

#[tokio::test]
async fn a_cut_before_any_request_of_an_update_is_survived() {
    every_cut_of_an_update_leaves_it_applied_once_or_not(Direction::Requests).await;
}

#[tokio::test]
async fn a_cut_before_any_reply_of_an_update_is_survived() {
    every_cut_of_an_update_leaves_it_applied_once_or_not(Direction::Replies).await;
}

/// Cuts the link at every packet of an update, and ends the session before the client is back.
async fn every_cut_with_an_expiry_leaves_it_applied_once_or_not(direction: Direction) {
    for position in 0..64 {
        // A client that lost its connections again and again waits longer and longer, so each cut has its own.
        let rig = Rig::start().await;
        let before = rig.stored();
        rig.server.cut_after_packets(direction, position);
        let (result, ()) = tokio::join!(rig.increment(), async {
            // Armed until the cut happened or the update was over before it.
            let cut = rig.server.wait_until(|server| !server.is_cut_armed());
            if timeout(Duration::from_secs(1), cut).await.is_ok() {
                rig.server.expire_all();
            }
        });
        let is_over = rig.server.is_cut_armed();
        rig.server.disarm_cut();
        match result {
            Ok(()) => assert_eq!(rig.stored(), before + 1, "cut {position}"),
            // The session was lost: whether it was applied may be unknown, and only then.
            Err(error) if error.maybe_applied() => assert!(rig.stored() - before <= 1, "cut {position}"),
            Err(error) => assert_eq!(rig.stored(), before, "cut {position}: {error:?}"),
        }
        rig.assert_lock_is_free().await;
        if is_over {
            assert!(position >= 4, "an update has a lock, two reads and a write");
            return;
        }
    }
    panic!("an update has fewer packets");
}

#[tokio::test]
async fn an_expiry_after_a_cut_before_any_request_of_an_update_is_survived() {
    every_cut_with_an_expiry_leaves_it_applied_once_or_not(Direction::Requests).await;
}

#[tokio::test]
async fn an_expiry_after_a_cut_before_any_reply_of_an_update_is_survived() {
    every_cut_with_an_expiry_leaves_it_applied_once_or_not(Direction::Replies).await;
}

/// Cuts the link at every packet of several updates that share the lock.
async fn every_cut_of_a_shared_write_is_told_to_all_the_same(direction: Direction) {
    let rig = Rig::start().await;
    for position in 0..64 {
        let before = rig.stored();
        rig.server.cut_after_packets(direction, position);
        let results = join_all((0..4).map(|_| rig.increment())).await;
        let is_over = rig.server.is_cut_armed();
        rig.server.disarm_cut();
        let done = results.iter().filter(|result| result.is_ok()).count() as u64;
        assert!(!results.iter().any(|result| result.as_ref().is_err_and(UpdateError::maybe_applied)));
        assert_eq!(rig.stored(), before + done, "cut {position}: {results:?}");
        rig.assert_lock_is_free().await;
        if is_over {
            return;
        }
    }
    panic!("updates have fewer packets");
}

#[tokio::test]
async fn a_cut_before_any_request_of_a_shared_write_is_survived() {
    every_cut_of_a_shared_write_is_told_to_all_the_same(Direction::Requests).await;
}

#[tokio::test]
async fn a_cut_before_any_reply_of_a_shared_write_is_survived() {
    every_cut_of_a_shared_write_is_told_to_all_the_same(Direction::Replies).await;
}

/// Cuts the link at every packet of an optimistic update.
async fn every_cut_of_an_optimistic_update_is_told(direction: Direction) {
    let rig = Rig::start().await;
    for position in 0..64 {
        let before = rig.stored();
        rig.server.cut_after_packets(direction, position);
        let update = rig.counter.update_optimistic(|counter| counter.n += 1);
        let result = timeout(WAIT, update).await.expect("an update ends in time");
        let is_over = rig.server.is_cut_armed();
        rig.server.disarm_cut();
        match result {
            Ok(_) => assert_eq!(rig.stored(), before + 1, "cut {position}"),
            // Nothing marks the write, so what was applied without an answer is open.
            Err(error) if error.maybe_applied() => assert!(rig.stored() - before <= 1),
            Err(error) => assert_eq!(rig.stored(), before, "cut {position}: {error:?}"),
        }
        if is_over {
            return;
        }
    }
    panic!("an update has fewer packets");
}

#[tokio::test]
async fn a_cut_at_any_packet_of_an_optimistic_update_is_survived_or_told() {
    every_cut_of_an_optimistic_update_is_told(Direction::Requests).await;
    every_cut_of_an_optimistic_update_is_told(Direction::Replies).await;
}

#[tokio::test]
async fn a_writer_that_is_dropped_in_the_write_leaves_it_to_those_who_share_it() {
    let rig = Rig::start().await;
    for step in 0..80_u64 {
        let before = rig.stored();
        // The first has the turn, and would write for both.
        let dropped = timeout(Duration::from_micros(step * 25), rig.increment());
        let (dropped, stayed) = tokio::join!(dropped, rig.increment());
        stayed.expect("the one who stays is told");
        let applied = rig.stored() - before;
        assert!(applied == 2 || applied == 1 && dropped.is_err(), "{step}: {applied} {dropped:?}");
    }
    rig.assert_lock_is_free().await;
}

#[tokio::test]
async fn an_optimistic_update_is_one_round_trip_with_one_request() {
    let rig = Rig::start().await;
    let update = || rig.counter.update_optimistic(|counter| counter.n += 1);
    update().await.unwrap();
    rig.server.forget_requests();
    for _ in 0..5 {
        let before = rig.server.counters().batches;
        update().await.unwrap();
        assert!(rig.server.counters().batches - before <= 2);
    }
    let written = rig.server.requests().iter().filter(|request| request.op == OpCode::Multi).count();
    assert_eq!((written, rig.stored()), (5, 6));
}

#[tokio::test]
async fn the_age_of_a_copy_counts_from_when_its_proof_was_asked_for() {
    let rig = Rig::start().await;
    let bound = Duration::from_millis(800);
    let brief = Shared::<Counter>::open(&rig.store, "/counter").bound(bound).join().await.unwrap();
    let mut status = brief.status();
    let late = Duration::from_millis(300);
    for _ in 0..3 {
        rig.server.delay_next_reply(OpCode::Sync, late);
        let before = status.borrow_and_update().proved;
        let proved = timeout(WAIT, status.wait_for(|status| status.proved > before)).await;
        let proved = proved.expect("it is proved again").unwrap().proved.expect("a proof");
        if proved.elapsed() >= late {
            return;
        }
    }
    panic!("a late answer made the copy look young");
}

#[tokio::test]
async fn nothing_is_missed_or_repeated_over_lost_connections() {
    let rig = Rig::start().await;
    let mut changes = rig.counter.changes();
    let mut told = 0;
    for n in 1..=12 {
        if n % 4 == 0 {
            rig.server.drop_connections();
        }
        rig.server.set_raw("/counter/payload", format!("{{\"n\":{n}}}")).unwrap();
        while told < n {
            let set = timeout(WAIT, changes.next()).await.unwrap().unwrap();
            let [Change::Modified { old, new, .. }] = &set.changes[..] else { panic!("{:?}", set.changes) };
            assert_eq!(old.as_u64(), Some(told));
            told = new.as_u64().unwrap();
            assert_eq!(set.origin, Origin::Remote);
        }
    }
}

#[tokio::test]
async fn after_an_expiry_watch_and_listener_are_back_by_themselves() {
    let rig = Rig::start().await;
    let mut changes = rig.counter.changes();
    let listeners = rig.server.children("/counter/listeners");
    assert_eq!(listeners.len(), 1);
    let before = rig.server.sessions()[0].id;
    rig.server.expire_all();
    let back = rig.server.wait_until(|server| {
        server.sessions().iter().any(|session| session.id != before)
            && server.children("/counter/listeners") == listeners
    });
    timeout(WAIT, back).await.expect("the listener is back");
    rig.server.set_raw("/counter/payload", r#"{"n":41}"#).unwrap();
    let set = timeout(WAIT, changes.next()).await.unwrap().unwrap();
    assert_eq!(set.current.unwrap().value.n, 41);
    rig.increment().await.unwrap();
    assert_eq!(rig.stored(), 42);
    rig.assert_lock_is_free().await;
}

#[tokio::test]
async fn an_expiry_while_the_lock_is_held_writes_once_or_not() {
    let rig = Rig::start().await;
    for round in 0..3 {
        let before = rig.stored();
        let mut runs = 0;
        let update = rig.counter.update(|counter| {
            runs += 1;
            if runs == 1 {
                rig.server.expire_all();
            }
            counter.n += 1;
        });
        timeout(WAIT, update)
            .await
            .expect("it ends in time")
            .unwrap_or_else(|error| panic!("{round}: {error:?}"));
        assert_eq!((rig.stored(), runs), (before + 1, 2));
    }
    rig.assert_lock_is_free().await;
}

#[tokio::test]
async fn a_wiped_ensemble_is_a_new_incarnation() {
    let server = FakeZooKeeper::builder().tick(Duration::from_millis(100)).start().await.unwrap();
    let options = ZooKeeper::options([server.connect_string()]).session_timeout(Duration::from_millis(400));
    let store: Arc<dyn Store> = Arc::new(options.open().await.unwrap());
    let counter = Shared::open(&store, "/counter").create(Counter { n: 9 }).await.unwrap();
    for _ in 0..5 {
        counter.update(|counter| counter.n += 1).await.unwrap();
    }
    let rig = Rig { server, store, counter };
    let before = rig.counter.snapshot().revision;
    let first = rig.store.status().borrow().incarnation;
    let mut changes = rig.counter.changes();
    rig.server.wipe();
    let gone = timeout(WAIT, changes.next()).await.expect("the loss is told").unwrap();
    assert!(gone.current.is_none());
    assert_ne!(rig.store.status().borrow().incarnation, first);
    let document = Document::below(&open(&rig.server).await, Key::parse("/counter").unwrap()).unwrap();
    document.create(r#"{"n":1}"#).await.unwrap();
    let set = timeout(WAIT, changes.next()).await.expect("the new life is told").unwrap();
    assert!(set.revision < before);
    assert_eq!(rig.counter.peek().n, 1);
}

#[tokio::test]
async fn reads_that_are_asked_for_together_share_one_barrier() {
    let rig = Rig::start().await;
    for (at, op) in [(Consistency::Synced, OpCode::Sync), (Consistency::Linearizable, OpCode::Multi)] {
        rig.server.forget_requests();
        let key = Key::parse("/counter/payload").unwrap();
        let reads = (0..100).map(|_| rig.store.get(&key, Want::Stat, at));
        assert!(join_all(reads).await.into_iter().all(|read| read.is_ok_and(|read| read.stat().is_some())));
        let barriers = rig.server.requests().iter().filter(|request| request.op == op).count();
        assert_eq!(barriers, 1);
    }
}

#[tokio::test]
async fn listeners_and_lock_directories_are_not_reaped_when_idle() {
    let rig = Rig::start().await;
    rig.increment().await.unwrap();
    rig.assert_lock_is_free().await;
    rig.server.reap_containers();
    assert!(rig.server.node("/counter/write_lock").is_some());
    assert!(rig.server.node("/counter/listeners").is_some());
    rig.increment().await.unwrap();
    assert_eq!(rig.stored(), 2);
}

#[tokio::test]
async fn closing_the_store_ends_the_listener_at_once() {
    let rig = Rig::start().await;
    assert_eq!(rig.server.children("/counter/listeners").len(), 1);
    timeout(WAIT, rig.store.close()).await.unwrap();
    assert!(rig.server.children("/counter/listeners").is_empty());
    assert!(rig.server.sessions().is_empty());
}

#[tokio::test]
async fn a_dropped_wait_for_the_lock_leaves_nothing_though_its_handle_is_dropped_too() {
    let rig = Rig::start().await;
    for step in 0..60_u64 {
        let lock = Lock::new(&rig.store, Key::parse("/counter/write_lock").unwrap());
        let acquiring = lock.acquire(Duration::from_secs(5));
        drop(timeout(Duration::from_micros(step * 40), acquiring).await);
        drop(lock);
    }
    rig.assert_lock_is_free().await;
}

#[tokio::test]
async fn a_dropped_opening_leaves_no_listener() {
    let rig = Rig::start().await;
    for step in 0..60_u64 {
        let opening = Shared::<Counter>::open(&rig.store, "/counter").join();
        drop(timeout(Duration::from_micros(step * 60), opening).await);
    }
    let alone = rig.server.wait_until(|server| server.children("/counter/listeners").len() == 1);
    timeout(WAIT, alone).await.expect("only the one that lives is left");
}

#[tokio::test]
async fn clearing_empty_directories_away_deletes_nobodys_entry() {
    let rig = Rig::start().await;
    let other = open(&rig.server).await;
    let (parent, child) = (Key::parse("/p").unwrap(), Key::parse("/p/d/c").unwrap());
    let directory = Key::parse("/p/d").unwrap();
    for _ in 0..150 {
        rig.store.put(&parent, "parent").await.unwrap();
        rig.store.put(&child, "child").await.unwrap();
        rig.store.delete(&child).await.unwrap();
        let (_, put) = tokio::join!(rig.store.delete(&parent), other.put(&directory, "entry"));
        if put.is_ok() {
            assert!(
                rig.server.node("/p/d").is_some_and(|node| node.data.is_some_and(|data| !data.is_empty()))
            );
        }
        other.delete(&directory).await.unwrap();
    }
}

#[tokio::test]
async fn a_watch_that_a_server_refuses_to_arm_again_is_armed_later() {
    let rig = Rig::start().await;
    let mut changes = rig.counter.changes();
    rig.server.refuse_next(OpCode::AddWatch, ErrorCode::SystemError);
    rig.server.expire_all();
    let mut n = 10;
    let set = loop {
        n += 1;
        let _ = rig.server.set_raw("/counter/payload", format!("{{\"n\":{n}}}"));
        if let Ok(set) = timeout(Duration::from_millis(200), changes.next()).await {
            break set.expect("the struct lives");
        }
        assert!(n < 200, "the watch is never back");
    };
    assert!(set.current.unwrap().value.n > 10);
    rig.increment().await.unwrap();
    assert_eq!(rig.counter.read().unwrap().n, rig.stored());
}

/// What waits for the lock reads the queue and then, once at the front of it, the payload.
#[tokio::test]
async fn an_update_that_waited_for_the_lock_reads_the_queue_and_then_the_payload_once_more() {
    let rig = Rig::start().await;
    let other = open(&rig.server).await;
    let lock = Lock::new(&other, Key::parse("/counter/write_lock").unwrap());
    let guard = lock.acquire(WAIT).await.unwrap();
    rig.server.forget_requests();
    let mut reads = Vec::new();
    let update = rig.counter.update(|counter| {
        let ops = rig.server.requests().into_iter().map(|request| request.op);
        reads = ops.filter(|op| matches!(op, OpCode::GetChildren | OpCode::GetData)).collect();
        counter.n += 1;
    });
    let release = async {
        rig.server.wait_until(|server| server.children("/counter/write_lock").len() == 2).await;
        guard.release().await
    };
    let (updated, released) = tokio::join!(update, release);
    assert!(updated.is_ok() && released.is_ok(), "{updated:?}, {released:?}");
    let (queue, payload) = (OpCode::GetChildren, OpCode::GetData);
    assert_eq!(reads, [queue, payload, queue, payload]);
}

#[test]
fn a_lease_that_is_dropped_outside_of_the_runtime_takes_its_keys_with_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (rig, lease) = runtime.block_on(async {
        let rig = Rig::start().await;
        let lease = rig.store.grant(WAIT).await.unwrap();
        let leased = Key::parse("/leased").unwrap();
        rig.store.commit(Txn::new().put_under(&leased, "here", &lease.reference())).await.unwrap();
        (rig, lease)
    });
    drop(lease);
    runtime.block_on(async move {
        let gone = timeout(WAIT, rig.server.wait_until(|server| server.node("/leased").is_none()));
        gone.await.expect("the key is gone");
    });
}

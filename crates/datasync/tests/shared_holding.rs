//! What a shared struct does when the store is slow, and writers leave at bad moments.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{
    Capabilities, Document, Edit, Edited, Entry, ErrorKind, Key, Link, Lock, LockError, Memory, OpenError,
    Prefix, Shared, SharedMap, Store, StoreExt, UpdateError, UpdateOptions,
};
use quorate_testkit::{Held, Rigged};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

/// Polls once, for nobody.
fn is_pending<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> bool {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

/// A store that withholds its answers on demand, and what it is made of.
fn holding() -> (Arc<Memory>, Arc<Rigged>, Arc<dyn Store>) {
    let memory = Arc::new(Memory::new());
    let (holding, store) = Rigged::over(Arc::clone(&memory) as _).open();
    (memory, holding, store)
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

async fn contenders(store: &Arc<dyn Store>) -> Vec<String> {
    store.names(&Prefix::parse("/counter/write_lock").expect("a prefix")).await.expect("the names")
}

async fn stored(store: &Arc<dyn Store>) -> Value {
    let entry = store.entry(&key("/counter/payload")).await.expect("an answer").expect("an entry");
    serde_json::from_slice(&entry.value).expect("JSON")
}

/// Dropped where no runtime is entered, the lock stays for as long as the lease lives.
#[test]
fn a_guard_that_is_dropped_outside_of_the_runtime_frees_the_lock() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let lock = Lock::new(&store, key("/locks/a"));
    let guard = runtime.block_on(lock.acquire(Duration::from_secs(1))).unwrap();
    drop(guard);
    let again = runtime.block_on(lock.acquire(Duration::from_secs(2)));
    assert!(again.is_ok(), "{again:?}");
}

#[test]
fn an_update_that_is_dropped_outside_of_the_runtime_frees_the_lock() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_, holding, store) = holding();
    let open = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0}));
    let counter = runtime.block_on(open).unwrap();
    let mut update = Box::pin(counter.update(|value| value["n"] = json!(1)));
    holding.hold(Held::Answers);
    runtime.block_on(async { assert!(is_pending(&mut update)) });
    drop(update);
    holding.hold(Held::Nothing);
    let mut left = Vec::new();
    for _ in 0..100 {
        left = runtime.block_on(contenders(&store));
        if left.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the lock is left behind: {left:?}");
}

/// The request is lost, and somebody frees the lock by hand: nothing was written.
#[tokio::test]
async fn a_write_that_was_never_applied_is_not_said_to_be() {
    let faulty = Arc::new(Memory::new());
    let outside: Arc<dyn Store> = Arc::new(faulty.handle());
    let store: Arc<dyn Store> = Arc::clone(&faulty) as Arc<dyn Store>;
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    let mut runs = 0;
    let done = counter
        .update(|value| {
            runs += 1;
            if runs == 1 {
                faulty.lose_next_request();
                let outside = Arc::clone(&outside);
                tokio::spawn(async move {
                    for name in contenders(&outside).await {
                        outside.delete(&key("/counter/write_lock").join(&name).unwrap()).await.unwrap();
                    }
                });
            }
            value["n"] = json!(value["n"].as_u64().unwrap() + 1);
        })
        .await;
    let stored = stored(&outside).await;
    assert!(done.is_err() || stored == json!({"n": 1}), "{done:?}, but the store has {stored}");
}

// zkstruct: the copy was changed, and told, before the write, and stayed so when that failed; and whoever read it
// meanwhile waited for the network.
#[tokio::test]
async fn a_write_is_neither_read_nor_told_before_it_is_acknowledged_and_no_reader_waits() {
    let memory = Arc::new(Memory::new());
    let outside: Arc<dyn Store> = Arc::new(memory.handle());
    let (holding, store) = Rigged::over(memory).open();
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    let mut changes = counter.changes();
    let (writer, held) = (counter.clone(), Arc::clone(&holding));
    let update = tokio::spawn(async move {
        let change = |value: &mut Value| {
            held.hold(Held::Answers);
            value["n"] = json!(1);
        };
        writer.update(change).await.map(drop)
    });
    while stored(&outside).await == json!({"n": 0}) {
        tokio::task::yield_now().await;
    }
    assert_eq!(*counter.read().unwrap(), json!({"n": 0}));
    assert!(changes.next().now_or_never().is_none());
    holding.hold(Held::Nothing);
    update.await.unwrap().unwrap();
    assert_eq!(*counter.read().unwrap(), json!({"n": 1}));
}

// zkstruct: it looked, and then created; whoever came second failed, or put the other one's value back.
#[tokio::test(start_paused = true)]
async fn two_who_found_nothing_share_what_one_of_them_made() {
    let memory = Arc::new(Memory::new());
    let outside: Arc<dyn Store> = Arc::new(memory.handle());
    let (holding, store) = Rigged::over(memory).open();
    holding.hold(Held::Commits);
    let create = |n: u64| {
        let open = Shared::<Value>::open(&store, "/counter").unlisted();
        tokio::spawn(async move { open.create(json!({"n": n})).await })
    };
    let opening = [create(1), create(2)];
    tokio::time::sleep(Duration::from_secs(1)).await;
    holding.hold(Held::Nothing);
    let mut read = Vec::new();
    for opened in opening {
        read.push(opened.await.unwrap().unwrap().read().unwrap());
    }
    assert_eq!(read[0], read[1]);
    let entry = outside.entry(&key("/counter/payload")).await.unwrap().unwrap();
    assert_eq!(entry.created, entry.revision, "it was written once");
}

/// The payload is read before the names, and what was read is taken to be of under the lock.
#[tokio::test]
async fn what_an_exclusive_closure_sees_was_read_under_the_lock() {
    let (memory, holding, store) = holding();
    let outside: Arc<dyn Store> = Arc::new(memory.handle());
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    let lock = || Document::below(&outside, key("/counter")).unwrap().write_lock().unwrap();
    let (holder, leaver) = (lock(), lock());
    let guard = holder.acquire(Duration::from_secs(5)).await.unwrap();
    let leaving = tokio::spawn(async move { leaver.acquire(Duration::from_millis(300)).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let update = tokio::spawn(async move {
        counter.try_update(|value| if value["n"] == 0 { Err("it is zero") } else { Ok(()) }).await.map(drop)
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    holding.hold(Held::Lists);
    assert!(leaving.await.unwrap().is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The holder writes and frees the lock, while the other looks at the queue.
    outside.put(&key("/counter/payload"), r#"{"n":1}"#).await.unwrap();
    guard.release().await.unwrap();
    holding.hold(Held::Nothing);
    let result = timeout(Duration::from_secs(10), update).await.unwrap().unwrap();
    assert!(result.is_ok(), "the closure saw what was there before it had the lock: {result:?}");
}

/// A writer that has not written anything waits for what became of what others sent.
#[tokio::test(start_paused = true)]
async fn a_deadline_holds_though_somebody_left_a_write_behind() {
    let (_, holding, store) = holding();
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    let first = counter.clone();
    let held = Arc::clone(&holding);
    let first = tokio::spawn(async move {
        first
            .update(|value| {
                held.hold(Held::Commits);
                value["n"] = json!(1);
            })
            .await
            .map(drop)
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let second = counter.clone();
    let second = tokio::spawn(async move {
        let began = Instant::now();
        let soon = UpdateOptions::exclusive().deadline(Duration::from_secs(1));
        let result = second.update_with(soon, |value| value["n"] = json!(2)).await.map(drop);
        (began.elapsed(), result)
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    first.abort();
    let (took, result) = second.await.unwrap();
    assert!(took < Duration::from_secs(5), "{took:?}: {result:?}");
}

/// The lock of an update that changes nothing is freed by a commit that nobody bounds.
#[tokio::test(start_paused = true)]
async fn an_update_that_changes_nothing_ends() {
    let (_, holding, store) = holding();
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    let held = Arc::clone(&holding);
    let update = counter.update(|_| held.hold(Held::Commits));
    assert!(timeout(Duration::from_secs(3600), update).await.is_ok(), "an hour later it still waits");
}

/// What was read in an earlier life of the store is handed to the copy as of the new one.
#[tokio::test]
async fn an_update_that_changes_nothing_does_not_bring_an_earlier_life_back() {
    let (memory, holding, store) = holding();
    let outside: Arc<dyn Store> = Arc::new(memory.handle());
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    for n in 1..=20 {
        counter.update(|value| value["n"] = json!(n)).await.unwrap();
    }
    let held = Arc::clone(&holding);
    let idle = counter.clone();
    let update = tokio::spawn(async move { idle.update(|_| held.hold(Held::Answers)).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(50)).await;
    memory.wipe();
    outside.put(&key("/counter/payload"), r#"{"n":100}"#).await.unwrap();
    timeout(Duration::from_secs(5), counter.wait_for(|value| value["n"] == 100)).await.unwrap().unwrap();
    holding.hold(Held::Nothing);
    let _ = timeout(Duration::from_secs(5), update).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(counter.peek()["n"], 100);
}

/// Two members that leave at the same moment, on two threads.
#[test]
fn a_batch_that_all_leave_at_once_frees_the_lock() {
    type Update = Pin<Box<dyn Future<Output = Result<(), UpdateError>> + Send>>;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_, holding, store) = holding();
    let counter =
        runtime.block_on(Shared::<Value>::open(&store, "/counter").create(json!({"n": 0}))).unwrap();
    let arrived = Arc::new(AtomicUsize::new(0));
    let (send, take) = std::sync::mpsc::channel::<(usize, Update)>();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let (there, handle) = (Arc::clone(&arrived), runtime.handle().clone());
    let other = std::thread::spawn(move || {
        let _entered = handle.enter();
        while let Ok((round, update)) = take.recv() {
            there.fetch_add(1, Ordering::SeqCst);
            while there.load(Ordering::SeqCst) < 2 * round {
                std::hint::spin_loop();
            }
            drop(update);
            done.send(()).unwrap();
        }
    });
    let began = std::time::Instant::now();
    let mut round = 0;
    while began.elapsed() < Duration::from_millis(500) {
        round += 1;
        let update = || -> Update {
            let counter = counter.clone();
            Box::pin(async move { counter.update(|value| value["n"] = json!(1)).await.map(drop) })
        };
        let (mut first, mut second) = (update(), update());
        holding.hold(Held::Commits);
        runtime.block_on(async {
            assert!(is_pending(&mut first) && is_pending(&mut second));
            holding.hold(Held::Nothing);
            assert!(is_pending(&mut first) && is_pending(&mut second));
        });
        send.send((round, second)).unwrap();
        {
            let _entered = runtime.enter();
            arrived.fetch_add(1, Ordering::SeqCst);
            while arrived.load(Ordering::SeqCst) < 2 * round {
                std::hint::spin_loop();
            }
            for _ in 0..round % 400 {
                std::hint::spin_loop();
            }
            drop(first);
        }
        is_done.recv().unwrap();
        let mut tries = 0;
        while !runtime.block_on(contenders(&store)).is_empty() {
            tries += 1;
            assert!(tries < 2000, "round {round}: the lock is left behind");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    drop(send);
    other.join().unwrap();
}

/// The same of a write that was acknowledged in the life before.
#[tokio::test]
async fn a_late_answer_to_a_write_does_not_bring_an_earlier_life_back() {
    let (memory, holding, store) = holding();
    let outside: Arc<dyn Store> = Arc::new(memory.handle());
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    for n in 1..=20 {
        counter.update(|value| value["n"] = json!(n)).await.unwrap();
    }
    let held = Arc::clone(&holding);
    let writing = counter.clone();
    let update = tokio::spawn(async move {
        writing
            .update(|value| {
                held.hold(Held::Answers);
                value["n"] = json!(21);
            })
            .await
            .map(drop)
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    memory.wipe();
    outside.put(&key("/counter/payload"), r#"{"n":100}"#).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    holding.hold(Held::Nothing);
    let _ = timeout(Duration::from_secs(5), update).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(counter.peek()["n"], 100);
}

/// What others wrote just before is told as our own, and so kept from those who skip our own.
#[tokio::test]
async fn what_others_wrote_before_our_write_is_told_to_those_who_skip_our_own() {
    let inner = Memory::new();
    let outside: Arc<dyn Store> = Arc::new(inner.handle());
    let store: Arc<dyn Store> = Arc::new(inner);
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    let mut others = futures_util::StreamExt::map(counter.changes().skip_own(), |set| set.changes);
    outside.put(&key("/counter/payload"), r#"{"n":0,"other":1}"#).await.unwrap();
    counter.update(|value| value["n"] = json!(1)).await.unwrap();
    let told = timeout(Duration::from_secs(2), futures_util::StreamExt::next(&mut others)).await;
    assert!(told.is_ok(), "nobody tells of /other: the copy has {}", counter.peek());
}

/// The same among processes that all use the lock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_updated_is_told_to_those_who_skip_our_own() {
    let inner = Memory::new();
    let outside: Arc<dyn Store> = Arc::new(inner.handle());
    let store: Arc<dyn Store> = Arc::new(inner);
    let ours =
        Shared::<Value>::open(&store, "/counter").create(json!({"ours": 0, "theirs": 0})).await.unwrap();
    let theirs = Shared::<Value>::open(&outside, "/counter").join().await.unwrap();
    let mut others = ours.changes().skip_own();
    let rounds = 50;
    let add = |shared: Shared<Value>, field: &'static str| async move {
        for _ in 0..rounds {
            shared.update(|value| value[field] = json!(value[field].as_u64().unwrap() + 1)).await.unwrap();
        }
    };
    let (mine, yours) = (tokio::spawn(add(ours.clone(), "ours")), tokio::spawn(add(theirs, "theirs")));
    mine.await.unwrap();
    yours.await.unwrap();
    let mut seen = 0;
    while let Ok(Some(set)) =
        timeout(Duration::from_millis(500), futures_util::StreamExt::next(&mut others)).await
    {
        let current = set.current.unwrap();
        let before = set.previous.map_or(0, |previous| previous.document["theirs"].as_u64().unwrap());
        seen += current.document["theirs"].as_u64().unwrap() - before;
    }
    assert_eq!(seen, rounds);
}

/// A type whose code fails while the copy is being made.
#[derive(Debug, serde::Serialize)]
struct Brittle;

impl<'de> serde::Deserialize<'de> for Brittle {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("a bug of the user")
    }
}

#[tokio::test(start_paused = true)]
async fn a_payload_is_rejected_if_the_type_panics_while_it_is_decoded() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    store.put(&key("/counter/payload"), "{}").await.unwrap();
    let opened = timeout(Duration::from_secs(60), Shared::<Brittle>::open(&store, "/counter").join()).await;
    assert!(matches!(opened, Ok(Err(OpenError::Rejected { .. }))), "{opened:?}");
}

/// A type that fails when an old copy of it is given up.
#[derive(Debug, Deserialize, Serialize)]
struct Fatal(u8);

impl Drop for Fatal {
    fn drop(&mut self) {
        assert!(self.0 != 1, "a bug of the user");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_copy_whose_owner_has_died_of_its_type() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    store.put(&key("/counter/payload"), "1").await.unwrap();
    let fatal = Shared::<Fatal>::open(&store, "/counter").join().await.unwrap();
    let mut status = fatal.status();
    store.put(&key("/counter/payload"), "2").await.unwrap();
    let closed =
        timeout(Duration::from_secs(60), status.wait_for(|status| status.link == Link::Closed)).await;
    assert!(matches!(closed, Ok(Ok(_))));
    let waiting = timeout(Duration::from_secs(60), fatal.wait_for(|fatal| fatal.0 == 3)).await;
    assert!(matches!(waiting, Ok(Err(_))), "{waiting:?}");
}

/// An exclusive update takes the lock entry and the payload in one transaction.
#[tokio::test]
async fn a_store_of_single_keys_says_that_it_cannot_be_updated() {
    let (_, store) = Rigged::over(Arc::new(Memory::new())).promising(Capabilities::new(1 << 20)).open();
    store.put(&key("/counter/payload"), r#"{"n":0}"#).await.unwrap();
    let counter = Shared::<Value>::open(&store, "/counter").join().await.unwrap();
    let done = counter.update(|value| value["n"] = json!(1)).await;
    let Err(UpdateError::Store(error)) = done else { panic!("{done:?}") };
    assert_eq!((error.kind(), error.maybe_applied()), (ErrorKind::Unsupported, false));
    assert!(counter.update_optimistic(|value| value["n"] = json!(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_holds_for_a_writer_that_has_no_part_in_what_was_sent() {
    let (_, holding, store) = holding();
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    holding.hold(Held::Commits);
    let mut first = Box::pin(counter.update(|value| value["n"] = json!(1)));
    let soon = UpdateOptions::exclusive().deadline(Duration::from_secs(1));
    let mut second = Box::pin(counter.update_with(soon, |_| holding.hold(Held::Commits)));
    assert!(is_pending(&mut first) && is_pending(&mut second));
    holding.hold(Held::Nothing);
    while contenders(&store).await.is_empty() || holding.held() == Held::Nothing {
        assert!(is_pending(&mut first) && is_pending(&mut second));
    }
    assert!(is_pending(&mut first));
    drop(first);
    let began = Instant::now();
    let result = timeout(Duration::from_secs(30), second).await.expect("it ends");
    assert!(result.is_err() && began.elapsed() < Duration::from_secs(5), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_was_not_had_names_the_time_that_was_allowed() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let counter = Shared::<Value>::open(&store, "/counter").create(json!({"n": 0})).await.unwrap();
    let lock = Document::below(&store, key("/counter")).unwrap().write_lock().unwrap();
    let _held = lock.acquire(Duration::from_secs(1)).await.unwrap();
    let wait = Duration::from_secs(3);
    let soon = UpdateOptions::exclusive().deadline(wait);
    let (first, second) = tokio::join!(counter.update_with(soon, |_| ()), counter.update_with(soon, |_| ()));
    for refused in [first, second] {
        let Err(UpdateError::Lock(LockError::TimedOut { waited, .. })) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(waited, wait);
    }
}

#[tokio::test]
async fn deleting_what_is_absent_deletes_nothing_that_is_made_meanwhile() {
    let (memory, holding, store) = holding();
    let outside: Arc<dyn Store> = Arc::new(memory.handle());
    let document = Document::below(&store, key("/counter")).unwrap();
    let held = Arc::clone(&holding);
    let delete = tokio::spawn(async move {
        let decide = |_: Option<&Entry>| {
            held.hold(Held::Commits);
            Edit::Delete
        };
        document.edit(Duration::from_secs(5), decide).await
    });
    timeout(Duration::from_secs(5), holding.is_held(Held::Commits)).await.unwrap();
    outside.put(&key("/counter/payload"), r#"{"n":1}"#).await.unwrap();
    holding.hold(Held::Nothing);
    let edited = delete.await.unwrap();
    assert!(matches!(edited, Ok(Edited::Kept(None))), "{edited:?}");
    assert_eq!(stored(&outside).await, json!({"n": 1}));
}

#[tokio::test]
async fn a_creation_that_was_never_applied_is_not_said_to_be_a_deletion() {
    let faulty = Arc::new(Memory::new());
    let outside: Arc<dyn Store> = Arc::new(faulty.handle());
    let store: Arc<dyn Store> = Arc::clone(&faulty) as Arc<dyn Store>;
    let document = Document::below(&store, key("/counter")).unwrap();
    let mut runs = 0;
    let done = document
        .edit(Duration::from_secs(5), |_| {
            runs += 1;
            if runs == 1 {
                faulty.lose_next_request();
                let outside = Arc::clone(&outside);
                tokio::spawn(async move {
                    for name in contenders(&outside).await {
                        outside.delete(&key("/counter/write_lock").join(&name).unwrap()).await.unwrap();
                    }
                });
            }
            Edit::Put("1".into())
        })
        .await;
    let stored = outside.entry(&key("/counter/payload")).await.unwrap();
    let is_told = match &done {
        Ok(edited) => matches!(edited, Edited::Put(_)) && stored.is_some(),
        Err(error) => stored.is_none() || error.maybe_applied(),
    };
    assert!(is_told, "{done:?} in {runs} runs, but the store has {stored:?}");
}

#[tokio::test(start_paused = true)]
async fn a_removal_from_a_map_ends_though_the_store_does_not_answer() {
    let (holding, store) = Rigged::over(Arc::new(Memory::new())).open();
    let map = SharedMap::<u32, u64>::open(&store, "/map").unwrap();
    drop(map.get_or_create(&1, || 1).await.unwrap());
    holding.hold(Held::Reads);
    let removed = timeout(Duration::from_secs(120), map.remove(&1)).await.expect("it ends").unwrap_err();
    assert!(!removed.maybe_applied(), "{removed:?}");
    holding.hold(Held::Nothing);
    assert!(map.remove(&1).await.unwrap().is_some());
}

//! What programs without a runtime get.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use quorate::blocking::{self, Shared, Store};
use quorate::{ErrorKind, OpenStoreError, ReadError, StoreExt, UpdateError};

const SOON: Duration = Duration::from_millis(50);
const WAIT: Duration = Duration::from_secs(20);

type Counts = BTreeMap<String, u64>;

fn counts(store: &Store) -> Shared<Counts> {
    Shared::open(store, "/counts").create(Counts::new()).expect("memory does not fail")
}

fn increment(counts: &mut Counts) {
    *counts.entry("n".into()).or_default() += 1;
}

#[test]
fn a_struct_is_read_and_updated_without_a_runtime() {
    let store = blocking::open("mem:").unwrap();
    let counts = counts(&store);
    assert_eq!(counts.update(|counts| counts.insert("a".into(), 1)).unwrap().output, None);
    counts.update_strict(increment).unwrap();
    counts.update_optimistic(increment).unwrap();
    let refused = counts.try_update(|_| Err::<(), _>("no")).unwrap_err();
    assert!(matches!(refused, UpdateError::Aborted("no")));
    assert_eq!(counts.read().unwrap()["n"], 2);
    assert_eq!(counts.read_consistent().unwrap(), counts.peek());
    assert_eq!(counts.snapshot().document["n"], 2);
    assert_eq!(counts.listeners().unwrap().len(), 1);
    assert!(!counts.is_deleted());
}

#[test]
fn threads_of_several_stores_lose_no_update() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("state.db").display());
    thread::scope(|scope| {
        for _ in 0..4 {
            let counts = counts(&blocking::open(&url).unwrap());
            for counts in [counts.clone(), counts] {
                scope.spawn(move || (0..10).for_each(|_| drop(counts.update(increment).unwrap())));
            }
        }
    });
    assert_eq!(counts(&blocking::open(&url).unwrap()).read().unwrap()["n"], 80);
}

#[test]
fn changes_and_selections_are_iterators() {
    let store = blocking::open("mem:").unwrap();
    let counts = counts(&store);
    let (mut changes, mut part) = (counts.changes(), counts.select_by("/n".parse().unwrap()));
    let mut all = counts.select(|counts| counts);
    assert_eq!(changes.next_within(SOON).unwrap_err().waited, SOON);
    assert_eq!((part.next().unwrap().new, all.next().unwrap().new), (None, Some(Counts::new())));
    let writer = counts.clone();
    let writing = thread::spawn(move || (0..3).for_each(|_| drop(writer.update(increment).unwrap())));
    assert_eq!(changes.by_ref().take(3).count(), 3);
    writing.join().unwrap();
    assert_eq!(part.by_ref().take(3).last().unwrap().new, Some(3.into()));
    assert_eq!(all.next_within(WAIT).unwrap().unwrap().old, Some(Counts::new()));
    store.close();
    assert!(changes.next().is_none() && counts.events().next().is_none());
}

#[test]
fn waiting_ends_when_it_holds_or_in_time_or_with_the_store() {
    let store = blocking::open("mem:").unwrap();
    let counts = counts(&store);
    counts.wait_for(SOON, Counts::is_empty).unwrap();
    let late = counts.wait_for(SOON, |counts| counts.contains_key("n")).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::TimedOut);
    let writer = counts.clone();
    let writing = thread::spawn(move || (0..5).for_each(|_| drop(writer.update(increment).unwrap())));
    assert_eq!(counts.wait_for(WAIT, |counts| counts.get("n") == Some(&5)).unwrap()["n"], 5);
    writing.join().unwrap();
    store.close();
    assert_eq!(counts.wait_for(WAIT, |_| false).unwrap_err().kind(), ErrorKind::Closed);
    let closed = counts.read_consistent().unwrap_err();
    assert!(matches!(closed, ReadError::Store(error) if error.kind() == ErrorKind::Closed));
}

#[test]
fn a_handler_runs_on_the_background_thread_until_it_is_stopped() {
    let store = blocking::open("mem:").unwrap();
    let counts = counts(&store);
    let (tell, told) = mpsc::channel();
    let handler = counts.update_handler(move |set| {
        let name = thread::current().name().map(str::to_owned);
        let _ = tell.send((name, set.changes.len()));
    });
    counts.update(increment).unwrap();
    assert_eq!(told.recv_timeout(WAIT).unwrap(), (Some("quorate".into()), 1));
    handler.stop();
    counts.update(increment).unwrap();
    assert!(told.recv_timeout(WAIT).is_err(), "the handler is gone, and its sender with it");
}

#[test]
fn waiting_in_a_runtime_is_a_panic_that_says_so_and_no_deadlock() {
    let store = blocking::open("mem:").unwrap();
    let counts = counts(&store);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let inside = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async { drop(counts.read_consistent()) });
    }));
    let message = inside.unwrap_err().downcast::<&str>().unwrap();
    assert!(message.contains("from within a runtime"), "{message}");
    assert!(catch_unwind(|| runtime.block_on(async { drop(blocking::open("mem:")) })).is_err());
    // What waits for nothing may be called anywhere, and closures may not wait either.
    assert!(runtime.block_on(async { counts.read() }).is_ok());
    let again = counts.clone();
    let nested = catch_unwind(AssertUnwindSafe(|| drop(counts.update(|_| drop(again.update(increment))))));
    assert!(nested.is_err());
    assert_eq!(counts.update(|counts| counts.len()).unwrap().output, 0);
}

#[test]
fn spawn_blocking_may_wait() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let work = || counts(&blocking::open("mem:").unwrap()).update(increment).map(|done| done.value["n"]);
    assert_eq!(runtime.block_on(async { tokio::task::spawn_blocking(work).await }).unwrap().unwrap(), 1);
}

#[test]
fn the_store_is_closed_and_its_thread_ended_with_the_last_handle() {
    let store = blocking::open("mem:blocking-ends").unwrap();
    let counts = counts(&store);
    let changes = counts.changes();
    let weak = Arc::downgrade(store.store());
    let other = blocking::open("mem:blocking-ends").unwrap();
    let listeners = quorate::Prefix::parse("/counts/listeners").unwrap();
    let names = || other.block_on(other.store().names(&listeners)).unwrap();
    assert_eq!(names().len(), 1);
    drop((store, counts));
    assert!(weak.upgrade().is_some(), "somebody still listens to it");
    drop(changes);
    assert!(weak.upgrade().is_none());
    assert!(names().is_empty());
}

#[test]
fn the_last_handle_may_be_dropped_in_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = blocking::open("mem:").unwrap();
    let counts = counts(&store);
    runtime.block_on(async move { drop((store, counts)) });
}

#[test]
fn a_store_that_cannot_be_opened_says_why() {
    assert!(matches!(blocking::open("redis://h"), Err(OpenStoreError::Url(_))));
    let error = blocking::open("sqlite:/nowhere/at/all/state.db").unwrap_err();
    assert!(matches!(error, OpenStoreError::Store(_)));
}

#[test]
fn a_handler_that_does_not_return_does_not_keep_the_last_handle_from_being_dropped() {
    let store = blocking::open("mem:").unwrap();
    let counts = counts(&store);
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let _handler = counts.update_handler(move |_| {
        let _ = begun.send(());
        let _ = released.recv();
    });
    counts.update(increment).unwrap();
    has_begun.recv_timeout(WAIT).unwrap();
    let (tell, told) = mpsc::channel();
    let dropping = thread::spawn(move || {
        drop((counts, store));
        let _ = tell.send(());
    });
    let ended = told.recv_timeout(Duration::from_secs(10));
    drop(release);
    dropping.join().unwrap();
    assert!(ended.is_ok(), "it waits for the handler");
}

#[test]
fn a_copy_is_live_as_long_as_somebody_has_access_to_it() {
    let other = blocking::open("mem:blocking-access").unwrap();
    let there = counts(&other);
    let mut access = counts(&blocking::open("mem:blocking-access").unwrap()).access();
    there.update(increment).unwrap();
    let until = std::time::Instant::now() + WAIT;
    while access.peek().get("n") != Some(&1) {
        assert!(std::time::Instant::now() < until, "the copy is told nothing any more");
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(access.clone().read().unwrap()["n"], 1);
}

#[test]
fn a_closure_that_panics_leaves_everything_as_it_was() {
    let store = blocking::open("mem:").unwrap();
    let counts = counts(&store);
    for _ in 0..3 {
        let panicked = catch_unwind(AssertUnwindSafe(|| drop(counts.update(|_| panic!("boom")))));
        assert!(panicked.is_err());
        let panicked = catch_unwind(AssertUnwindSafe(|| drop(counts.wait_for(WAIT, |_| panic!("boom")))));
        assert!(panicked.is_err());
    }
    counts.update(increment).unwrap();
    assert_eq!(counts.read().unwrap()["n"], 1);
}

#[test]
fn the_last_handle_may_be_dropped_by_a_handler() {
    let store = blocking::open("mem:").unwrap();
    let counts = counts(&store);
    let weak = Arc::downgrade(store.store());
    let mut last = Some((store, counts.clone()));
    let (tell, told) = mpsc::channel();
    let _handler = counts.update_handler(move |_| drop((last.take(), tell.send(()))));
    counts.update(increment).unwrap();
    told.recv_timeout(WAIT).unwrap();
    drop(counts);
    let until = std::time::Instant::now() + WAIT;
    while weak.upgrade().is_some() {
        assert!(std::time::Instant::now() < until, "the store is not closed");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_store_that_is_never_reached_is_given_up_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("zk://{}?session_timeout=1s", silent.local_addr().unwrap());
    let store = blocking::open(&url).unwrap();
    let shared = || Shared::<Counts>::open(&store, "/counts").bound(SOON);
    let key = quorate::Key::parse("/a").unwrap();
    assert!(store.block_on_within(SOON, store.store().entry(&key)).is_err());
    assert!(shared().create(Counts::new()).is_err() && shared().expect(SOON).is_err());
    let began = std::time::Instant::now();
    drop(store);
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_handle_may_be_kept_by_a_thread_until_it_ends() {
    thread_local! {
        static KEPT: std::cell::RefCell<Option<Shared<Counts>>> = const { std::cell::RefCell::new(None) };
    }
    let store = blocking::open("mem:").unwrap();
    let shared = counts(&store);
    let kept = shared.clone();
    let work = move || {
        KEPT.with_borrow_mut(|place| *place = Some(kept));
        KEPT.with_borrow(|kept| kept.as_ref().map(|kept| kept.update(increment).unwrap().value["n"]))
    };
    assert_eq!(thread::spawn(work).join().unwrap(), Some(1));
    assert_eq!(shared.read().unwrap()["n"], 1);
    let (kept, weak) = (shared.clone(), Arc::downgrade(store.store()));
    drop((shared, store));
    let work = move || {
        KEPT.with_borrow_mut(|place| *place = Some(kept));
        KEPT.with_borrow(|kept| kept.as_ref().map(|kept| kept.update(increment).unwrap().value["n"]))
    };
    assert_eq!(thread::spawn(work).join().unwrap(), Some(2));
    assert!(weak.upgrade().is_none());
}

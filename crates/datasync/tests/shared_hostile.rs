//! What a shared struct does when its surroundings do what nobody expects of them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{
    ChangesOptions, ErrorKind, Key, Memory, OpenError, Revision, Shared, Store, StoreExt,
};
use quorate_testkit::{Held, Rigged};
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(20);

struct Rig {
    /// The handle that the faults are of.
    faulty: Arc<Memory>,
    outside: Arc<dyn Store>,
    level: Shared<u64>,
}

async fn rig() -> Rig {
    let faulty = Arc::new(Memory::new());
    let outside: Arc<dyn Store> = Arc::new(faulty.handle());
    let store: Arc<dyn Store> = Arc::clone(&faulty) as Arc<dyn Store>;
    let open = Shared::open(&store, "/level").bound(Duration::from_millis(400));
    let level = open.create(0).await.expect("the rig works");
    Rig { faulty, outside, level }
}

fn payload() -> Key {
    Key::parse("/level/payload").expect("the rig works")
}

#[tokio::test]
async fn a_consistent_read_does_not_take_a_version_of_another_life_for_its_own() {
    let rig = rig().await;
    let held = rig.level.snapshot().version;
    rig.faulty.wipe();
    rig.outside.put(&payload(), "100").await.unwrap();
    assert_eq!(rig.outside.entry(&payload()).await.unwrap().unwrap().version, held);
    assert_eq!(*rig.level.read_consistent().await.unwrap(), 100);
}

#[tokio::test]
async fn an_optimistic_update_is_not_made_on_what_another_life_held() {
    let rig = rig().await;
    rig.faulty.wipe();
    rig.outside.put(&payload(), "100").await.unwrap();
    rig.level.update_optimistic(|level| *level += 1).await.unwrap();
    assert_eq!(rig.outside.entry(&payload()).await.unwrap().unwrap().value, "101");
}

#[tokio::test]
async fn going_on_after_a_revision_of_the_future_ends_with_the_store() {
    let rig = rig().await;
    rig.faulty.close().await;
    let error = rig.level.changes_after(Revision::new(1_000)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn going_on_after_a_revision_of_another_life_is_unsupported() {
    let rig = rig().await;
    for _ in 0..10 {
        rig.level.update(|level| *level += 1).await.unwrap();
    }
    let seen = rig.level.snapshot().revision;
    let mut changes = rig.level.changes();
    rig.faulty.wipe();
    assert!(timeout(WAIT, changes.next()).await.unwrap().unwrap().current.is_none());
    let error = rig.level.changes_after(seen).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn one_change_is_no_net_change_however_short_the_queue() {
    let rig = rig().await;
    let mut changes = rig.level.changes_with(ChangesOptions::new().bound(0));
    rig.level.update(|level| *level = 1).await.unwrap();
    assert!(!changes.next().await.unwrap().coalesced);
    rig.level.update(|level| *level = 2).await.unwrap();
    rig.level.update(|level| *level = 3).await.unwrap();
    let set = changes.next().await.unwrap();
    assert!(set.coalesced && changes.next().now_or_never().is_none());
    assert_eq!((*set.previous.unwrap().value, *set.current.unwrap().value), (1, 3));
}

#[tokio::test]
async fn a_directory_without_room_for_the_parts_of_a_struct_is_refused_before_anything_is_written() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    for bytes in [900, 927, 928, 929, 940, 957, 958, 985, 990, 1010, 1016, 1024] {
        let directory = Key::parse(&format!("/{}", "d".repeat(bytes - 1))).unwrap();
        match Shared::<u64>::open(&store, directory.clone()).create(0).await {
            Ok(level) => drop(level.update(|level| *level = 1).await.unwrap()),
            Err(error) => {
                assert!(matches!(error, OpenError::Store(error) if error.kind() == ErrorKind::Invalid));
                let names = store.names(&directory.below()).await.unwrap();
                assert!(names.is_empty(), "{bytes}: {names:?}");
            }
        }
    }
}

#[tokio::test]
async fn asking_who_listens_ends_within_the_bound_of_the_copy() {
    let (holding, store) = Rigged::over(Arc::new(Memory::new())).open();
    let bound = Duration::from_millis(100);
    let level = Shared::<u64>::open(&store, "/level").bound(bound).create(0).await.unwrap();
    holding.hold(Held::Lists);
    let error = timeout(WAIT, level.listeners()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn what_was_applied_is_reported_also_if_another_life_of_the_store_counts_from_the_start() {
    let faulty = Memory::new();
    let outside: Arc<dyn Store> = Arc::new(faulty.handle());
    let store: Arc<dyn Store> = Arc::new(faulty.handle());
    let level = Shared::<u64>::open(&store, "/level").report_applied().create(0).await.unwrap();
    for _ in 0..100 {
        level.update(|level| *level += 1).await.unwrap();
    }
    let mut changes = level.changes();
    tokio::time::sleep(Duration::from_secs(10)).await;
    faulty.wipe();
    outside.put(&payload(), "5").await.unwrap();
    while changes.next().await.unwrap().current.is_none_or(|level| *level.value != 5) {}
    tokio::time::sleep(Duration::from_secs(20)).await;
    let listeners = level.listeners().await.unwrap();
    assert_eq!(listeners[0].applied, Some(level.snapshot().revision));
}

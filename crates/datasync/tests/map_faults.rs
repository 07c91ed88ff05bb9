//! What a map does when the store fails on the way.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{
    ErrorKind, Key, KeysChange, MapKeys, MapOptions, Memory, OpenError, SharedMap, Store, StoreExt,
};
use quorate_testkit::{Held, Rigged};
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(20);
const BOUND: Duration = Duration::from_millis(200);

type Map = SharedMap<u32, u64>;

struct Rig {
    /// The handle that the faults are of.
    faulty: Arc<Memory>,
    map: Map,
    outside: Map,
}

fn rig() -> Rig {
    let faulty = Arc::new(Memory::new());
    let outside: Arc<dyn Store> = Arc::new(faulty.handle());
    let store: Arc<dyn Store> = Arc::clone(&faulty) as Arc<dyn Store>;
    let map = Map::open_with(&store, "/map", MapOptions::new().bound(BOUND)).expect("the rig works");
    let outside = Map::open(&outside, "/map").expect("the rig works");
    Rig { faulty, map, outside }
}

async fn told(keys: &mut MapKeys<u32>) -> KeysChange<u32> {
    timeout(WAIT, keys.next()).await.expect("something is told in time").expect("the stream goes on")
}

fn is_timed_out(error: &OpenError) -> bool {
    matches!(error, OpenError::Store(error) if error.kind() == ErrorKind::TimedOut)
}

#[tokio::test]
async fn what_came_and_went_while_disconnected_is_told_as_one_difference() {
    let rig = rig();
    for key in [1, 2, 3] {
        rig.outside.get_or_create(&key, || 0).await.unwrap();
    }
    let mut keys = rig.map.watch_keys();
    assert_eq!(told(&mut keys).await.added, [1, 2, 3]);
    rig.faulty.disconnect();
    rig.outside.remove(&2).await.unwrap();
    rig.outside.remove(&3).await.unwrap();
    rig.outside.get_or_create(&3, || 0).await.unwrap();
    rig.outside.get_or_create(&4, || 0).await.unwrap();
    assert!(keys.next().now_or_never().is_none());
    rig.faulty.reconnect();
    let change = told(&mut keys).await;
    assert_eq!((change.added, change.removed), (vec![4], vec![2]));
}

#[tokio::test]
async fn the_keys_of_a_store_that_was_replaced_are_told() {
    let rig = rig();
    rig.outside.get_or_create(&1, || 0).await.unwrap();
    let mut keys = rig.map.watch_keys();
    assert_eq!(told(&mut keys).await.added, [1]);
    rig.faulty.wipe();
    assert_eq!(told(&mut keys).await.removed, [1]);
    rig.outside.get_or_create(&2, || 0).await.unwrap();
    assert_eq!(told(&mut keys).await.added, [2]);
}

#[tokio::test]
async fn what_was_removed_is_not_given_to_who_asks_next_though_its_copy_has_not_heard() {
    let rig = rig();
    let held = rig.map.get_or_create(&1, || 1).await.unwrap();
    // On this one thread the copy hears of nothing before it is its turn.
    let mut removal = Box::pin(rig.map.remove(&1));
    let removed = loop {
        if let Some(removed) = (&mut removal).now_or_never() {
            break removed.unwrap();
        }
        tokio::task::yield_now().await;
    };
    assert!(removed.is_some() && held.is_deleted());
    let again = rig.map.get_or_create(&1, || 2).await.unwrap();
    assert_eq!(*again.read().unwrap(), 2);
    assert_eq!((*held.read().unwrap(), rig.map.live()), (2, 1));
}

#[tokio::test]
async fn the_keys_end_with_their_store() {
    let rig = rig();
    let mut keys = rig.map.watch_keys();
    assert!(told(&mut keys).await.added.is_empty());
    rig.faulty.close().await;
    assert_eq!(timeout(WAIT, keys.next()).await.unwrap(), None);
    let closed = rig.map.get_or_create(&1, || 0).await.unwrap_err();
    assert!(matches!(closed, OpenError::Store(error) if error.kind() == ErrorKind::Closed));
}

#[tokio::test]
async fn what_is_no_key_of_the_map_is_neither_listed_nor_told() {
    let rig = rig();
    let store: Arc<dyn Store> = Arc::new(rig.faulty.handle());
    let texts = SharedMap::<String, u64>::open(&store, "/map").unwrap();
    let mut keys = rig.map.watch_keys();
    assert!(told(&mut keys).await.added.is_empty());
    texts.get_or_create(&"web".into(), || 0).await.unwrap();
    texts.get_or_create(&"007".into(), || 0).await.unwrap();
    texts.get_or_create(&"7".into(), || 0).await.unwrap();
    assert_eq!(rig.map.keys().await.unwrap(), [7]);
    assert_eq!(told(&mut keys).await.added, [7]);
}

#[tokio::test]
async fn opening_out_of_reach_ends_within_its_bound_also_for_those_who_wait() {
    let rig = rig();
    rig.faulty.disconnect();
    let openings = futures_util::future::join_all((0..4).map(|_| rig.map.get_or_create(&1, || 0)));
    for opened in timeout(WAIT, openings).await.unwrap() {
        let error = opened.unwrap_err();
        assert!(
            is_timed_out(&error) || matches!(&error, OpenError::Store(e) if e.is_retryable()),
            "{error:?}"
        );
    }
    rig.faulty.reconnect();
    let number = rig.map.get_or_create(&1, || 5).await.unwrap();
    assert_eq!((*number.read().unwrap(), rig.map.live()), (5, 1));
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_joined() {
    let rig = rig();
    rig.faulty.lose_next_reply();
    let number = rig.map.get_or_create(&1, || 5).await.unwrap();
    assert_eq!(*number.read().unwrap(), 5);
    assert_eq!(*rig.outside.join(&1).await.unwrap().read().unwrap(), 5);
}

#[tokio::test]
async fn keys_that_have_ended_stay_so() {
    let rig = rig();
    let mut keys = rig.map.watch_keys();
    assert!(told(&mut keys).await.added.is_empty());
    rig.faulty.close().await;
    assert_eq!(timeout(WAIT, keys.next()).await.unwrap(), None);
    assert_eq!(timeout(WAIT, keys.next()).await.unwrap(), None);
}

#[test]
fn a_copy_that_ended_with_its_runtime_is_not_given_to_who_asks_next() {
    let rig = rig();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let held = first.block_on(rig.map.get_or_create(&1, || 1)).unwrap();
    drop(first);
    runtime().block_on(async {
        rig.outside.join(&1).await.unwrap().update(|number| *number = 2).await.unwrap();
        assert_eq!(*rig.map.join(&1).await.unwrap().read_consistent().await.unwrap(), 2);
        tokio::time::sleep(2 * BOUND).await;
        assert!(rig.map.get_or_create(&1, || 0).await.unwrap().read().is_ok());
    });
    assert_eq!(*held.peek(), 1);
}

#[tokio::test]
async fn a_removal_whose_directories_stay_is_one_all_the_same() {
    let memory = Arc::new(Memory::new());
    let (holding, store) = Rigged::over(Arc::clone(&memory) as Arc<dyn Store>).open();
    let map = Map::open_with(&store, "/map", MapOptions::new().bound(BOUND)).unwrap();
    drop(map.get_or_create(&1, || 1).await.unwrap());
    let payload = Key::parse("/map/1/payload").unwrap();
    let mut removal = Box::pin(map.remove(&1));
    // Commit by commit, until the one that deletes.
    while memory.entry(&payload).await.unwrap().is_some() {
        holding.hold(Held::Commits);
        assert!((&mut removal).now_or_never().is_none());
        holding.hold(Held::Answers);
        assert!((&mut removal).now_or_never().is_none());
    }
    memory.disconnect();
    holding.hold(Held::Nothing);
    let removed = timeout(WAIT, removal).await.unwrap();
    assert!(removed.unwrap().is_some());
}

#[tokio::test]
async fn a_struct_that_was_deleted_under_its_copy_is_made_again_though_the_answer_is_lost() {
    let rig = rig();
    let held = rig.map.get_or_create(&1, || 1).await.unwrap();
    rig.outside.remove(&1).await.unwrap();
    let mut status = held.status();
    status.wait_for(|_| held.is_deleted()).await.unwrap();
    rig.faulty.lose_next_reply();
    let again = rig.map.get_or_create(&1, || 2).await.unwrap();
    assert_eq!(*again.read().unwrap(), 2);
    assert_eq!(*rig.outside.join(&1).await.unwrap().read().unwrap(), 2);
}

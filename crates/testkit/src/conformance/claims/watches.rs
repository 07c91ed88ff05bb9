//! What watches tell.

use futures_util::StreamExt;
use futures_util::future::join;
use quorate_datasync::{Key, RawChange, RawChanges, Result, Revision, Selection, StoreExt, Txn, WatchFrom};
use tokio::task::{JoinHandle, spawn, yield_now};

use crate::conformance::{Observer, Stage, next_change, within};

pub async fn a_watch_of_a_key_tells_its_creation_change_and_deletion(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let mut observer = Observer::start(&stage.second, Selection::Key(key.clone())).await?;
    for _ in 0..3 {
        stage.store.put(&key, "created").await?;
        observer.until_value(&key, "created").await?;
        stage.store.put(&key, "changed").await?;
        observer.until_value(&key, "changed").await?;
        stage.store.delete(&key).await?;
        observer.until_absent(&key).await?;
    }
    Ok(())
}

pub async fn a_watch_begins_with_what_is_there(stage: &Stage) -> Result<()> {
    let (one, two) = (stage.key("a"), stage.key("b/c"));
    stage.store.put(&one, "v").await?;
    stage.store.put(&two, "v").await?;
    let all = stage.observe().await?;
    assert_eq!(all.replica().iter().map(|entry| &entry.key).collect::<Vec<_>>(), [&one, &two]);
    let alone = Observer::start(&stage.second, Selection::Key(two.clone())).await?;
    assert_eq!(alone.replica().iter().map(|entry| &entry.key).collect::<Vec<_>>(), [&two]);
    Ok(())
}

pub async fn a_watch_of_a_key_is_not_told_of_others(stage: &Stage) -> Result<()> {
    let key = stage.key("d/k");
    stage.store.put(&key, "v").await?;
    let mut changes = stage.second.watch(&Selection::Key(key.clone()), WatchFrom::Now).await?;
    for other in ["d/k2", "d/k-", "d/sibling", "d/k/below", "d", "elsewhere"] {
        stage.store.put(&stage.key(other), "v").await?;
    }
    stage.store.put(&key, "w").await?;
    let told = keys_until(&mut changes, &key).await;
    assert!(told.iter().all(|told| *told == key), "a watch of {key} was told of {told:?}");
    Ok(())
}

pub async fn a_watch_of_a_prefix_tells_every_depth_and_no_neighbour(stage: &Stage) -> Result<()> {
    let inside = ["p/a", "p/b/c", "p/d/e/f/g"].map(|name| stage.key(name));
    let last = stage.key("p/last");
    let prefix = stage.key("p").below();
    let mut changes = stage.second.watch(&Selection::Prefix(prefix.clone()), WatchFrom::Now).await?;
    for name in ["p", "pq", "p-", "q/p/a"] {
        stage.store.put(&stage.key(name), "v").await?;
    }
    for key in inside.iter().chain([&last]) {
        stage.store.put(key, "v").await?;
    }
    let told = keys_until(&mut changes, &last).await;
    assert!(inside.iter().all(|key| told.contains(key)), "not all were told: {told:?}");
    // A store that tells only `Dirty` may name a directory; reading it finds nothing.
    let is_ours = |key: &Key| {
        prefix.contains(key) && inside.iter().chain([&last]).any(|one| lies_at_or_above(key, one))
    };
    assert!(told.iter().all(is_ours), "a watch of {prefix} was told of {told:?}");
    Ok(())
}

pub async fn a_replica_of_a_prefix_follows_every_depth(stage: &Stage) -> Result<()> {
    let mut observer = stage.observe().await?;
    let [a, b, c] = ["a", "b/c", "b/c/d/e"].map(|name| stage.key(name));
    for key in [&a, &b, &c] {
        stage.store.put(key, "v").await?;
        observer.until_value(key, "v").await?;
    }
    stage.store.delete(&c).await?;
    observer.until_absent(&c).await?;
    assert_eq!(observer.replica().iter().map(|entry| &entry.key).collect::<Vec<_>>(), [&a, &b]);
    Ok(())
}

pub async fn a_change_right_after_a_watch_is_armed_is_told(stage: &Stage) -> Result<()> {
    for n in 0..20 {
        let key = stage.key(&format!("d{n}/k"));
        let by_prefix = Selection::Prefix(stage.key(&format!("d{n}")).below());
        for what in [Selection::Key(key.clone()), by_prefix] {
            let mut changes = stage.second.watch(&what, WatchFrom::Now).await?;
            stage.store.put(&key, "v").await?;
            let told = keys_until(&mut changes, &key).await;
            assert!(told.contains(&key));
        }
    }
    Ok(())
}

pub async fn a_watch_that_sleeps_is_woken_by_a_change(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    for what in [Selection::Key(key.clone()), Selection::Prefix(stage.all())] {
        let mut changes = stage.second.watch(&what, WatchFrom::Now).await?;
        let put = after_a_yield({
            let (store, key) = (stage.store.clone(), key.clone());
            async move { store.put(&key, "v").await }
        });
        let (told, put) = join(keys_until(&mut changes, &key), put).await;
        put.await.expect("a put does not panic")?;
        assert_eq!(told, std::slice::from_ref(&key));
    }
    Ok(())
}

pub async fn a_watch_that_tells_whole_commits_says_where_they_end(stage: &Stage) -> Result<()> {
    if !stage.capabilities().atomic_watch {
        return Ok(());
    }
    let mut changes = stage.second.watch(&Selection::Prefix(stage.all()), WatchFrom::Now).await?;
    for n in 0..3 {
        let put = stage.store.put(&stage.key("a"), format!("{n}")).await?;
        let is_end =
            |change: &RawChange| matches!(change, RawChange::Progress { revision, .. } if *revision >= put);
        within("the end of a commit is told", async {
            while !is_end(&changes.next().await.expect("the store is open")) {}
        })
        .await;
    }
    Ok(())
}

pub async fn a_watch_from_the_past_replays_or_says_that_it_cannot(stage: &Stage) -> Result<()> {
    let [one, two, last] = ["a", "b", "last"].map(|name| stage.key(name));
    let past = stage.store.put(&one, "before").await?;
    stage.store.put(&two, "after").await?;
    stage.store.put(&one, "after").await?;
    let from = WatchFrom::After(past);
    let mut all = stage.store.watch(&Selection::Prefix(stage.all()), from).await?;
    let mut alone = stage.store.watch(&Selection::Key(one.clone()), from).await?;
    stage.store.put(&last, "v").await?;
    if stage.capabilities().history {
        let mut told = keys_until(&mut all, &last).await;
        told.dedup();
        assert_eq!(told, [two, one.clone(), last]);
        let change = next_change(&mut alone, "the replay of one key").await;
        assert!(
            change_revision(&change).is_none_or(|revision| revision > past),
            "{change:?} is not after {past}"
        );
        assert_eq!(change.key(), Some(&one));
    } else {
        let first = next_change(&mut all, "a gap, since there is no history").await;
        assert_eq!(first, RawChange::Gap);
        let first = next_change(&mut alone, "doubt about one key, since there is no history").await;
        assert!([RawChange::Dirty(one), RawChange::Gap].contains(&first), "{first:?} in place of a replay");
    }
    Ok(())
}

pub async fn a_watch_from_the_present_replays_nothing(stage: &Stage) -> Result<()> {
    if !stage.capabilities().history {
        return Ok(());
    }
    let key = stage.key("a");
    let now = stage.store.put(&key, "before").await?;
    let mut changes = stage.store.watch(&Selection::Prefix(stage.all()), WatchFrom::After(now)).await?;
    stage.second.put(&key, "after").await?;
    let change = next_change(&mut changes, "the first change after the present").await;
    assert!(change_revision(&change).is_none_or(|revision| revision > now), "{change:?} was told again");
    assert_ne!(change, RawChange::Gap);
    Ok(())
}

pub async fn everybody_who_watches_is_told(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let mut observers = Vec::new();
    for store in [&stage.store, &stage.second, &stage.store] {
        observers.push(Observer::start(store, Selection::Key(key.clone())).await?);
        observers.push(Observer::start(store, Selection::Prefix(stage.all())).await?);
    }
    let dropped = Observer::start(&stage.store, Selection::Key(key.clone())).await?;
    stage.store.put(&key, "one").await?;
    drop(dropped);
    stage.store.put(&key, "two").await?;
    for observer in &mut observers {
        observer.until_value(&key, "two").await?;
    }
    Ok(())
}

pub async fn the_deletion_of_many_is_told_for_each(stage: &Stage) -> Result<()> {
    let keys: Vec<Key> = (0..20).map(|n| stage.key(&format!("d/{n}"))).collect();
    for key in &keys {
        stage.store.put(key, "v").await?;
    }
    let mut observer = stage.observe().await?;
    if stage.capabilities().txn_keys_max >= keys.len() {
        stage.store.commit(keys.iter().fold(Txn::new(), Txn::delete)).await?;
    } else {
        for key in &keys {
            stage.store.delete(key).await?;
        }
    }
    observer.until("a watch tells that all are gone", |replica| replica.iter().next().is_none()).await
}

/// All keys that are told, up to this one.
async fn keys_until(changes: &mut RawChanges, last: &Key) -> Vec<Key> {
    let mut told = Vec::new();
    while told.last() != Some(last) {
        let change = next_change(changes, &format!("a change of {last}")).await;
        told.push(change.key().expect("a gap was told where nothing was missed").clone());
    }
    told
}

fn change_revision(change: &RawChange) -> Option<Revision> {
    match change {
        RawChange::Put(entry) => Some(entry.revision),
        RawChange::Delete(_, revision) | RawChange::Progress { revision, .. } => Some(*revision),
        RawChange::Dirty(_) | RawChange::Gap => None,
    }
}

fn lies_at_or_above(key: &Key, other: &Key) -> bool {
    key == other || key.below().contains(other)
}

/// Has something done by another task, once whoever is joined with this has gone to sleep: only a wake-up gets it
/// on.
pub(super) async fn after_a_yield<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    yield_now().await;
    spawn(work)
}

/// Demands that a stream of changes ends.
pub(super) async fn assert_ends(changes: &mut RawChanges) {
    within("a watch of a store that is closed ends", async { while changes.next().await.is_some() {} }).await;
}

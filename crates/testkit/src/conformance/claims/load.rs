//! Watches under load: order, whole commits, slow consumers.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::StreamExt;
use quorate_datasync::{
    Conflict, Consistency, Delta, Error, Key, List, RawChange, Replica, Result, Revision, Selection, Store,
    StoreExt, Txn, WatchFrom,
};

use crate::conformance::{Stage, within};

pub async fn a_replica_under_concurrent_writes_ends_like_the_store(stage: &Stage) -> Result<()> {
    let mut observer = stage.observe().await?;
    let write = async |store: &Arc<dyn Store>, writer: usize| -> Result<()> {
        for n in 0..50 {
            let key = stage.key(&format!("k{}", (n + writer) % 7));
            let txn = if n % 5 == 4 {
                Txn::new().delete(&key)
            } else {
                Txn::new().put(&key, format!("{writer}-{n}"))
            };
            store.commit(txn).await?;
        }
        Ok(())
    };
    let writers = async {
        let (here, there) = (&stage.store, &stage.second);
        tokio::try_join!(write(here, 0), write(there, 1), write(here, 2), write(there, 3))?;
        // The last word, so that the end can be seen.
        stage.store.put(&stage.key("last"), "done").await
    };
    let last = stage.key("last");
    tokio::try_join!(writers, observer.until_value(&last, "done"))?;
    let listing = stage.store.list(&stage.all(), List::Entries, Consistency::Synced).await?.into_entries();
    let is_equal = |replica: &Replica| replica.iter().eq(&listing);
    observer.until("a replica is as the listing", is_equal).await
}

pub async fn changes_of_one_key_come_in_order(stage: &Stage) -> Result<()> {
    const LAST: u64 = 200;
    let key = stage.key("a");
    let mut changes = stage.second.watch(&Selection::Key(key.clone()), WatchFrom::Now).await?;
    let write = async {
        for n in 0..=LAST {
            stage.store.put(&key, n.to_string()).await?;
        }
        Ok::<_, Error>(())
    };
    let mut newest = Revision::ZERO;
    let read = async {
        loop {
            let told = within("the next change of a key", changes.next()).await.expect("the store is open");
            let entry = match told {
                RawChange::Put(entry) => Some(entry),
                RawChange::Dirty(_) | RawChange::Gap => stage.second.entry(&key).await?,
                RawChange::Delete(..) => panic!("the key was never deleted"),
                RawChange::Progress { .. } => None,
            };
            let Some(entry) = entry else { continue };
            assert!(newest <= entry.revision, "from {newest} back to {}", entry.revision);
            newest = entry.revision;
            if entry.value == LAST.to_string() {
                return Ok::<_, Error>(());
            }
        }
    };
    tokio::try_join!(write, read).map(|_| ())
}

pub async fn a_commit_of_two_keys_is_seen_whole_where_promised(stage: &Stage) -> Result<()> {
    const LAST: u32 = 100;
    if stage.lacks_keys(2).await? {
        return Ok(());
    }
    let is_atomic = stage.capabilities().atomic_watch;
    let (a, b) = (stage.key("x/a"), stage.key("y/b"));
    let mut observer = stage.observe().await?;
    let write = async {
        for n in 0..=LAST {
            stage.store.commit(Txn::new().put(&a, n.to_string()).put(&b, n.to_string())).await?;
        }
        Ok::<_, Error>(())
    };
    let values = |replica: &Replica| [&a, &b].map(|key| replica.get(key).map(|entry| entry.value.clone()));
    let read = within("both keys at their last value", async {
        loop {
            let deltas = observer.step().await?;
            let [of_a, of_b] = values(observer.replica());
            if is_atomic && matches!(deltas.last(), Some(Delta::Current { .. })) {
                assert_eq!(of_a, of_b, "half of a commit was told as current");
            }
            if of_a == of_b && of_a.is_some_and(|value| value == LAST.to_string()) {
                return Ok::<_, Error>(());
            }
        }
    });
    tokio::try_join!(write, read).map(|_| ())
}

pub async fn progress_is_told_after_all_that_it_covers(stage: &Stage) -> Result<()> {
    let mut observer = stage.observe().await?;
    let write = async {
        let mut put = Vec::new();
        for n in 0..100 {
            let key = stage.key(&format!("k{n}"));
            put.push((stage.store.put(&key, "v").await?, key));
        }
        stage.store.put(&stage.key("last"), "v").await?;
        Ok::<_, Error>(put)
    };
    let last = stage.key("last");
    let read = within("the last of many keys", async {
        let mut proofs: Vec<(Revision, HashSet<Key>)> = Vec::new();
        while observer.replica().get(&last).is_none() {
            if let Some(Delta::Current { revision, .. }) = observer.step().await?.last() {
                proofs.push((*revision, observer.replica().iter().map(|entry| entry.key.clone()).collect()));
            }
        }
        Ok::<_, Error>(proofs)
    });
    let (put, proofs) = tokio::try_join!(write, read)?;
    for (revision, held) in proofs {
        let missing = put.iter().find(|(at, key)| *at <= revision && !held.contains(key));
        assert!(missing.is_none(), "{missing:?} was not told when {revision} was said to be complete");
    }
    Ok(())
}

pub async fn a_slow_consumer_is_told_all_or_a_gap(stage: &Stage) -> Result<()> {
    let mut changes = stage.second.watch(&Selection::Prefix(stage.all()), WatchFrom::Now).await?;
    let (keys, last) = flood(stage).await?;
    let mut told = HashSet::new();
    loop {
        let change = within("all of a flood, or a gap", changes.next()).await.expect("the store is open");
        match change {
            RawChange::Gap => return Ok(()),
            RawChange::Put(entry) => drop(told.insert(entry.key)),
            RawChange::Delete(key, _) | RawChange::Dirty(key) => drop(told.insert(key)),
            RawChange::Progress { .. } => {}
        }
        if told.contains(&last) {
            let missing = keys.iter().find(|key| !told.contains(*key));
            assert_eq!(missing, None, "no gap was told, and not all of the changes");
            return Ok(());
        }
    }
}

pub async fn a_slow_consumer_catches_up(stage: &Stage) -> Result<()> {
    let mut observer = stage.observe().await?;
    flood(stage).await?;
    let listing = stage.store.list(&stage.all(), List::Entries, Consistency::Synced).await?.into_entries();
    observer.until("a slow replica is as the listing", |replica| replica.iter().eq(&listing)).await?;
    stage.store.put(&stage.key("after"), "v").await?;
    observer.until_value(&stage.key("after"), "v").await
}

pub async fn a_thousand_watches_come_and_go(stage: &Stage) -> Result<()> {
    const COUNT: usize = 1_000;
    let key = stage.key("d/a");
    let selections = [Selection::Key(key.clone()), Selection::Prefix(stage.all())];
    let mut watches = Vec::new();
    for what in selections.iter().cycle().take(COUNT) {
        watches.push(stage.store.watch(what, WatchFrom::Now).await?);
    }
    stage.second.put(&key, "v").await?;
    for changes in &mut watches {
        crate::conformance::next_change(changes, "each of a thousand watches is told").await;
    }
    drop(watches);
    let mut observer = stage.observe().await?;
    stage.store.put(&key, "w").await?;
    observer.until_value(&key, "w").await
}

pub async fn a_local_read_never_goes_back(stage: &Stage) -> Result<()> {
    const LAST: u32 = 200;
    let key = stage.key("a");
    stage.store.put(&key, "0").await?;
    let write = async {
        for n in 1..=LAST {
            stage.store.put(&key, n.to_string()).await?;
        }
        Ok::<_, Error>(())
    };
    let read = within("a local read sees the last write some day", async {
        let mut newest = Revision::ZERO;
        loop {
            // Until the first time that it is seen it may be absent, wherever is nearest.
            let Some(entry) = stage.second.entry(&key).await? else {
                assert_eq!(newest, Revision::ZERO, "a key was seen, and then not");
                continue;
            };
            assert!(newest <= entry.revision, "from {newest} back to {}", entry.revision);
            newest = entry.revision;
            if entry.value == LAST.to_string() {
                return Ok::<_, Error>(());
            }
        }
    });
    tokio::try_join!(write, read).map(|_| ())
}

pub async fn creation_is_a_race_that_one_wins(stage: &Stage) -> Result<()> {
    for n in 0..20 {
        let key = stage.key(&format!("r{n}"));
        let (here, there) =
            tokio::join!(stage.store.create(&key, "here"), stage.second.create(&key, "there"));
        let (winner, loser) = if here.is_ok() { ("here", there) } else { ("there", here) };
        let error = loser.expect_err("two created the same key");
        assert_eq!(error.as_conflict(), Some(Conflict::Present));
        assert_eq!(stage.entry(&key).await?.value, winner);
    }
    Ok(())
}

/// Writes 10,000 changes of 500 keys, and then the last one. Gives back the keys and the last.
async fn flood(stage: &Stage) -> Result<(Vec<Key>, Key)> {
    let keys: Vec<Key> = (0..500).map(|n| stage.key(&format!("d{}/{n}", n % 10))).collect();
    let batch = stage.capabilities().txn_keys_max.min(100);
    for round in 0..20 {
        for some in keys.chunks(batch) {
            let txn = some.iter().fold(Txn::new(), |txn, key| txn.put(key, format!("round {round}")));
            stage.store.commit(txn).await?;
        }
    }
    let last = stage.key("last");
    stage.store.put(&last, "v").await?;
    Ok((keys, last))
}

//! What a transaction demands before it writes.

use quorate_datasync::{Conflict, ErrorKind, Result, StoreExt, Txn};

use crate::conformance::{Stage, assert_conflict, assert_refused, fresh};

pub async fn a_write_at_the_current_version_is_applied(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    stage.store.put(&key, "one").await?;
    for value in ["two", "three"] {
        let version = stage.entry(&key).await?.version;
        stage.second.put_at(&key, value, version).await?;
        assert_eq!(stage.entry(&key).await?.value, value);
    }
    Ok(())
}

pub async fn a_write_at_an_old_version_is_refused(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    stage.store.put(&key, "one").await?;
    let old = stage.entry(&key).await?.version;
    stage.second.put(&key, "two").await?;
    let current = stage.entry(&key).await?;
    let txn = || Txn::new().check_version(&key, old);
    assert_conflict(stage.store.commit(txn().put(&key, "three")).await, Conflict::Version, &key);
    assert_conflict(stage.store.commit(txn().delete(&key)).await, Conflict::Version, &key);
    assert_eq!(stage.entry(&key).await?, current);
    Ok(())
}

pub async fn a_delete_at_the_current_version_is_applied(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    stage.store.put(&key, "one").await?;
    let version = stage.entry(&key).await?.version;
    stage.store.commit(Txn::new().check_version(&key, version).delete(&key)).await?;
    assert_eq!(fresh(&stage.store, &key).await?, None);
    Ok(())
}

pub async fn a_version_of_a_key_that_is_gone_is_refused(stage: &Stage) -> Result<()> {
    let (key, other) = (stage.key("a"), stage.key("b"));
    stage.store.put(&key, "one").await?;
    stage.store.put(&key, "two").await?;
    let version = stage.entry(&key).await?.version;
    stage.store.delete(&key).await?;
    let txn = || Txn::new().check_version(&key, version).put(&other, "v");
    assert_conflict(stage.store.commit(txn()).await, Conflict::Version, &key);
    // Made again, and written less often than the one before.
    stage.store.put(&key, "one").await?;
    assert_conflict(stage.store.commit(txn()).await, Conflict::Version, &key);
    assert_eq!(fresh(&stage.store, &other).await?, None);
    Ok(())
}

pub async fn a_key_is_created_once(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let txn = |value| Txn::new().check_absent(&key).put(&key, value);
    stage.store.commit(txn("first")).await?;
    assert_conflict(stage.second.commit(txn("second")).await, Conflict::Present, &key);
    assert_eq!(stage.entry(&key).await?.value, "first");
    stage.store.delete(&key).await?;
    stage.second.commit(txn("third")).await?;
    assert_eq!(stage.entry(&key).await?.value, "third");
    Ok(())
}

pub async fn a_directory_counts_as_absent(stage: &Stage) -> Result<()> {
    let (directory, below) = (stage.key("d"), stage.key("d/a"));
    stage.store.put(&below, "v").await?;
    let present = Txn::new().check_present(&directory).put(&below, "w");
    assert_conflict(stage.store.commit(present).await, Conflict::Absent, &directory);
    stage.store.create(&directory, "now an entry").await?;
    assert_eq!(stage.entry(&directory).await?.value, "now an entry");
    assert_eq!(stage.entry(&below).await?.value, "v");
    Ok(())
}

pub async fn a_presence_check_holds_while_the_key_exists(stage: &Stage) -> Result<()> {
    let (key, other) = (stage.key("a"), stage.key("b"));
    let txn = || Txn::new().check_present(&key).put(&other, "v");
    assert_conflict(stage.store.commit(txn()).await, Conflict::Absent, &key);
    assert_eq!(fresh(&stage.store, &other).await?, None);
    stage.store.put(&key, "here").await?;
    stage.store.commit(txn()).await?;
    assert_eq!(stage.entry(&other).await?.value, "v");
    Ok(())
}

pub async fn a_check_alone_is_a_commit(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    assert_conflict(stage.store.commit(Txn::new().check_present(&key)).await, Conflict::Absent, &key);
    let put = stage.store.put(&key, "v").await?;
    let committed = stage.store.commit(Txn::new().check_present(&key)).await?;
    assert!(committed.revision >= put && committed.written.is_empty());
    Ok(())
}

pub async fn the_first_refused_check_is_named(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(4).await? {
        return Ok(());
    }
    let [good, absent, old, target] = ["good", "absent", "old", "target"].map(|name| stage.key(name));
    stage.store.put(&good, "v").await?;
    stage.store.put(&old, "v").await?;
    let version = stage.entry(&old).await?.version;
    stage.store.put(&old, "w").await?;
    let txn = Txn::new().check_present(&good);
    let absent_first = txn.clone().check_present(&absent).check_version(&old, version).put(&target, "v");
    let old_first = txn.check_version(&old, version).check_present(&absent).put(&target, "v");
    assert_conflict(stage.store.commit(absent_first).await, Conflict::Absent, &absent);
    assert_conflict(stage.store.commit(old_first).await, Conflict::Version, &old);
    assert_eq!(fresh(&stage.store, &target).await?, None);
    Ok(())
}

pub async fn a_refused_check_comes_before_a_refused_write(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(2).await? {
        return Ok(());
    }
    let (parent, absent) = (stage.key("p"), stage.key("absent"));
    stage.store.put(&stage.key("p/child"), "v").await?;
    let txn = Txn::new().delete(&parent).check_present(&absent);
    assert_conflict(stage.store.commit(txn).await, Conflict::Absent, &absent);
    Ok(())
}

pub async fn a_refused_transaction_writes_nothing(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(4).await? {
        return Ok(());
    }
    let [new, changed, deleted, parent] = ["new", "changed", "deleted", "p"].map(|name| stage.key(name));
    for key in [&changed, &deleted, &stage.key("p/child")] {
        stage.store.put(key, "before").await?;
    }
    let before = stage.store.entries(&stage.all()).await?;
    // The last write is the one that is refused.
    let txn = Txn::new().put(&new, "after").put(&changed, "after").delete(&deleted).delete(&parent);
    assert_conflict(stage.store.commit(txn).await, Conflict::HasChildren, &parent);
    assert_eq!(stage.store.entries(&stage.all()).await?, before);
    Ok(())
}

pub async fn an_absence_check_is_only_for_a_key_that_is_put(stage: &Stage) -> Result<()> {
    let (key, other) = (stage.key("a"), stage.key("b"));
    let txn = Txn::new().check_absent(&key).put(&other, "v");
    assert_refused(stage.store.commit(txn).await, ErrorKind::Invalid);
    assert_eq!(fresh(&stage.store, &other).await?, None);
    Ok(())
}

pub async fn two_writers_that_compare_and_set_lose_no_increment(stage: &Stage) -> Result<()> {
    const EACH: u32 = 50;
    let key = stage.key("counter");
    stage.store.put(&key, "0").await?;
    let count = async |store: &dyn quorate_datasync::Store| -> Result<()> {
        let mut done = 0;
        while done < EACH {
            let entry = store.entry(&key).await?.expect("the counter is never deleted");
            let number: u32 =
                std::str::from_utf8(&entry.value).ok().and_then(|n| n.parse().ok()).unwrap_or(0);
            match store.put_at(&key, (number + 1).to_string(), entry.version).await {
                Ok(_) => done += 1,
                Err(error) if error.as_conflict() == Some(Conflict::Version) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    tokio::try_join!(count(&*stage.store), count(&*stage.second))?;
    assert_eq!(stage.entry(&key).await?.value, (2 * EACH).to_string());
    Ok(())
}

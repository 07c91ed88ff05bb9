//! What a transaction writes, and what it reads afterwards.

use quorate_datasync::{Answer, Conflict, ErrorKind, Result, StoreExt, Txn, Written};

use crate::conformance::{Stage, assert_conflict, assert_refused, fresh};

pub async fn the_writes_of_one_transaction_share_a_revision(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(3).await? {
        return Ok(());
    }
    let keys = ["a", "b/c", "d/e/f"].map(|name| stage.key(name));
    let txn = keys.iter().fold(Txn::new(), |txn, key| txn.put(key, "v"));
    let committed = stage.store.commit(txn).await?;
    for key in &keys {
        let entry = stage.entry(key).await?;
        assert_eq!((entry.revision, entry.created), (committed.revision, committed.revision));
    }
    Ok(())
}

pub async fn deleting_what_is_absent_succeeds(stage: &Stage) -> Result<()> {
    let (never, gone) = (stage.key("never/was"), stage.key("gone"));
    let before = stage.store.put(&gone, "v").await?;
    stage.store.delete(&gone).await?;
    for key in [&never, &gone] {
        let committed = stage.store.commit(Txn::new().delete(key)).await?;
        assert_eq!(committed.written, [Written::Deleted]);
        assert!(committed.revision >= before);
    }
    Ok(())
}

pub async fn a_delete_of_nothing_stops_no_other_write(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(3).await? {
        return Ok(());
    }
    let [never, new, old] = ["never", "new", "old"].map(|name| stage.key(name));
    stage.store.put(&old, "v").await?;
    let committed = stage.store.commit(Txn::new().delete(&never).put(&new, "v").delete(&old)).await?;
    assert!(matches!(committed.written[..], [Written::Deleted, Written::Put(_), Written::Deleted]));
    assert_eq!(fresh(&stage.store, &old).await?, None);
    assert_eq!(stage.entry(&new).await?.revision, committed.revision);
    Ok(())
}

pub async fn a_key_with_keys_below_it_is_not_deleted(stage: &Stage) -> Result<()> {
    let (parent, child) = (stage.key("p"), stage.key("p/q/child"));
    stage.store.put(&parent, "v").await?;
    stage.store.put(&child, "v").await?;
    assert_conflict(stage.second.commit(Txn::new().delete(&parent)).await, Conflict::HasChildren, &parent);
    assert_eq!(stage.entry(&parent).await?.value, "v");
    stage.store.delete(&child).await?;
    Ok(())
}

pub async fn a_directory_with_keys_below_it_is_not_deleted(stage: &Stage) -> Result<()> {
    // It is no entry, but whoever deletes it means what is below it, and should hear that this stays.
    let directory = stage.key("d");
    stage.store.put(&stage.key("d/e/child"), "v").await?;
    let deleted = stage.second.commit(Txn::new().delete(&directory)).await;
    assert_conflict(deleted, Conflict::HasChildren, &directory);
    Ok(())
}

pub async fn a_parent_is_deleted_after_its_child_in_one_transaction(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(2).await? {
        return Ok(());
    }
    let (parent, child) = (stage.key("p"), stage.key("p/child"));
    stage.store.put(&parent, "v").await?;
    stage.store.put(&child, "v").await?;
    let wrong_order = Txn::new().delete(&parent).delete(&child);
    assert_conflict(stage.store.commit(wrong_order).await, Conflict::HasChildren, &parent);
    stage.store.commit(Txn::new().delete(&child).delete(&parent)).await?;
    assert_eq!(stage.store.entries(&stage.all()).await?, []);
    Ok(())
}

pub async fn a_parent_and_its_child_are_put_in_either_order(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(2).await? {
        return Ok(());
    }
    let [p, pc, q, qc] = ["p", "p/c", "q", "q/c"].map(|name| stage.key(name));
    stage.store.commit(Txn::new().put(&p, "v").put(&pc, "v")).await?;
    stage.store.commit(Txn::new().put(&qc, "v").put(&q, "v")).await?;
    let entries = stage.store.entries(&stage.all()).await?;
    assert_eq!(entries.iter().map(|entry| &entry.key).collect::<Vec<_>>(), [&p, &pc, &q, &qc]);
    assert!(entries.iter().all(|entry| entry.created == entry.revision));
    Ok(())
}

pub async fn a_key_written_twice_is_invalid(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    for txn in [Txn::new().put(&key, "v").put(&key, "w"), Txn::new().put(&key, "v").delete(&key)] {
        assert_refused(stage.store.commit(txn).await, ErrorKind::Invalid);
    }
    assert_eq!(fresh(&stage.store, &key).await?, None);
    Ok(())
}

pub async fn trailing_reads_see_the_writes_before_them(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(3).await? {
        return Ok(());
    }
    let [a, b, old, never] = ["d/a", "d/b/c", "d/old", "never"].map(|name| stage.key(name));
    stage.store.put(&old, "v").await?;
    let reads = Txn::new().then_get(&a).then_get(&old).then_get(&never).then_names(&stage.key("d").below());
    let txn = reads.put(&a, "new").put(&b, "new").delete(&old);
    let committed = stage.store.commit(txn).await?;
    let [Answer::Entry(new), gone, absent, Answer::Names(names)] = &committed.answers[..] else {
        panic!("one answer for each read, in order: {:?}", committed.answers);
    };
    assert_eq!(new.as_ref(), Some(&stage.entry(&a).await?));
    assert_eq!((gone, absent), (&Answer::Entry(None), &Answer::Entry(None)));
    let mut names = names.clone();
    names.sort();
    assert_eq!(names, ["a", "b"]);
    Ok(())
}

pub async fn a_transaction_may_only_read(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let put = stage.store.put(&key, "v").await?;
    let committed = stage.store.commit(Txn::new().then_get(&key)).await?;
    assert_eq!(committed.answers, [Answer::Entry(Some(stage.entry(&key).await?))]);
    assert!(committed.revision >= put && committed.written.is_empty());
    Ok(())
}

pub async fn a_refused_transaction_reads_nothing(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let txn = Txn::new().check_present(&key).then_get(&key);
    assert_conflict(stage.store.commit(txn).await, Conflict::Absent, &key);
    Ok(())
}

pub async fn directories_are_kept_and_removed_or_ignored(stage: &Stage) -> Result<()> {
    let directory = stage.key("d");
    for _ in 0..2 {
        let committed = stage.store.commit(Txn::new().keep_directory(&directory)).await?;
        assert_eq!(committed.written, [Written::Directory]);
    }
    assert_eq!(fresh(&stage.store, &directory).await?, None);
    for _ in 0..2 {
        let committed = stage.store.commit(Txn::new().remove_directory(&directory)).await?;
        assert_eq!(committed.written, [Written::Directory]);
    }
    stage.store.put(&directory, "an entry after all").await?;
    assert_eq!(stage.entry(&directory).await?.value, "an entry after all");
    Ok(())
}

pub async fn a_directory_is_made_together_with_what_is_put(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(3).await? {
        return Ok(());
    }
    let [payload, listeners, lock] = ["s/payload", "s/listeners", "s/lock"].map(|name| stage.key(name));
    let txn = Txn::new().check_absent(&payload).put(&payload, "v").keep_directory(&listeners);
    if !stage.lacks_keys(4).await? {
        stage.store.commit(txn.clone().keep_directory(&lock)).await?;
        assert_conflict(stage.second.commit(txn).await, Conflict::Present, &payload);
    }
    let keys: Vec<_> = stage.store.entries(&stage.all()).await?.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, [payload]);
    Ok(())
}

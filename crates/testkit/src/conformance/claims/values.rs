//! Values, and where they stand in the store's order.

use quorate_datasync::{Consistency, Found, KEY_BYTES_MAX, Key, Result, StoreExt, Txn, Want, Written};

use crate::conformance::{Stage, fresh};

pub async fn a_value_that_was_put_is_read_back(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let committed = stage.store.commit(Txn::new().put(&key, "one")).await?;
    let entry = stage.entry(&key).await?;
    assert_eq!((&entry.key, &*entry.value, entry.lease), (&key, &b"one"[..], None));
    assert_eq!((entry.created, entry.revision), (committed.revision, committed.revision));
    assert_eq!(fresh(&stage.second, &key).await?, Some(entry));
    Ok(())
}

pub async fn a_commit_says_how_its_writes_stand(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    for value in ["one", "and two"] {
        let committed = stage.store.commit(Txn::new().put(&key, value)).await?;
        assert_eq!(committed.written, [Written::Put(stage.entry(&key).await?.stat())]);
    }
    let committed = stage.store.commit(Txn::new().delete(&key)).await?;
    assert_eq!(committed.written, [Written::Deleted]);
    Ok(())
}

pub async fn a_put_replaces_the_value(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    stage.store.put(&key, "long ago").await?;
    stage.second.put(&key, "now").await?;
    assert_eq!(stage.entry(&key).await?.value, "now");
    Ok(())
}

pub async fn a_handle_reads_its_own_writes_from_wherever_is_nearest(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    for n in 0..20 {
        let value = n.to_string();
        stage.store.put(&key, value.clone()).await?;
        let read = stage.store.get(&key, Want::Value, Consistency::Local).await?;
        assert_eq!(read.into_entry().expect("the key was put").value, value);
    }
    Ok(())
}

pub async fn a_deleted_key_is_absent(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    stage.store.put(&key, "one").await?;
    stage.store.delete(&key).await?;
    for store in [&stage.store, &stage.second] {
        assert_eq!(store.get(&key, Want::Value, Consistency::Synced).await?.found, Found::Absent);
        assert_eq!(store.get(&key, Want::Stat, Consistency::Synced).await?.found, Found::Absent);
    }
    Ok(())
}

pub async fn a_stat_carries_the_length_and_not_the_value(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    stage.store.put(&key, "four").await?;
    let read = stage.store.get(&key, Want::Stat, Consistency::Synced).await?;
    let Found::Stat(stat) = read.found else { panic!("a stat was asked for: {:?}", read.found) };
    assert_eq!(stat.value_bytes, 4);
    assert_eq!(stat, stage.entry(&key).await?.stat());
    Ok(())
}

pub async fn an_absence_is_read_at_a_revision(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    stage.store.put(&key, "one").await?;
    let deleted = stage.store.delete(&key).await?;
    for want in [Want::Value, Want::Stat] {
        let read = stage.store.get(&key, want, Consistency::Synced).await?;
        assert!(read.revision >= deleted, "read at {}, deleted at {deleted}", read.revision);
    }
    Ok(())
}

pub async fn a_value_may_be_any_bytes(stage: &Stage) -> Result<()> {
    let bytes: Vec<u8> = (0..=255).chain([0, 0, 0]).collect();
    let key = stage.key("a");
    stage.store.put(&key, bytes.clone()).await?;
    assert_eq!(stage.entry(&key).await?.value, bytes);
    Ok(())
}

pub async fn a_key_may_have_any_letters(stage: &Stage) -> Result<()> {
    for name in ["Grüße", "鍵", "with space", "a.b", "...", "100%", "*?'\"\\", "_", "ключ鍵", "A", "Ä"]
    {
        let key = stage.key(name);
        stage.store.put(&key, name).await?;
        assert_eq!(stage.entry(&key).await?.value, name);
    }
    let lower = stage.key("a");
    assert!(fresh(&stage.store, &lower).await?.is_none(), "upper and lower case are different keys");
    Ok(())
}

pub async fn the_longest_key_is_kept(stage: &Stage) -> Result<()> {
    let rest = KEY_BYTES_MAX - stage.base().as_str().len() - 1;
    let key = stage.key(&"k".repeat(rest));
    assert_eq!(key.as_str().len(), KEY_BYTES_MAX);
    stage.store.put(&key, "far").await?;
    assert_eq!(stage.entry(&key).await?.value, "far");
    Ok(())
}

pub async fn a_write_moves_the_revision_and_not_created(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    stage.store.put(&key, "one").await?;
    let first = stage.entry(&key).await?;
    // The same value again is a write like any other.
    let revision = stage.store.put(&key, "one").await?;
    let second = stage.entry(&key).await?;
    assert_eq!((second.created, second.revision), (first.created, revision));
    assert!(second.revision > first.revision);
    assert_ne!(second.version, first.version);
    Ok(())
}

pub async fn a_key_made_again_has_another_version_and_creation(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let mut seen = Vec::new();
    for _ in 0..5 {
        stage.store.put(&key, "same").await?;
        let entry = stage.entry(&key).await?;
        assert!(seen.iter().all(|(created, version)| *created < entry.created && *version != entry.version));
        seen.push((entry.created, entry.version));
        stage.store.delete(&key).await?;
    }
    Ok(())
}

pub async fn revisions_grow_over_keys_and_handles(stage: &Stage) -> Result<()> {
    let mut last = None;
    for n in 0..20 {
        let store = if n % 2 == 0 { &stage.store } else { &stage.second };
        let key: Key = stage.key(&format!("k{}", n % 3));
        let revision = if n % 5 == 4 { store.delete(&key).await? } else { store.put(&key, "v").await? };
        assert!(last < Some(revision), "{revision} follows {last:?}");
        last = Some(revision);
    }
    Ok(())
}

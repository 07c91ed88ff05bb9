//! Limits, and what is said at them.

use std::time::{Duration, Instant};

use quorate_datasync::{ErrorKind, Result, StoreExt, Txn};

use crate::conformance::{Stage, assert_refused, fresh};

/// The longest value that is sent to see that it arrives.
const SENT_MAX: usize = 32 * 1024 * 1024;

/// The most writes that are sent in one transaction.
const WRITES_MAX: usize = 500;

pub async fn an_empty_value_needs_a_lease(stage: &Stage) -> Result<()> {
    let (key, leased) = (stage.key("a"), stage.key("b"));
    let error = assert_refused(stage.store.commit(Txn::new().put(&key, "")).await, ErrorKind::Invalid);
    assert_eq!(error.key(), Some(&key));
    assert_eq!(fresh(&stage.store, &key).await?, None);
    let lease = stage.store.grant(Duration::from_secs(30)).await?;
    stage.store.commit(Txn::new().put_under(&leased, "", &lease.reference())).await?;
    assert_eq!(stage.entry(&leased).await?.value, "");
    Ok(())
}

pub async fn the_longest_value_is_kept(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let value = vec![b'x'; stage.capabilities().value_bytes_max.min(SENT_MAX)];
    stage.store.put(&key, value.clone()).await?;
    assert!(stage.entry(&key).await?.value == value, "a long value came back different");
    Ok(())
}

pub async fn a_value_that_is_too_long_is_refused_by_both_sizes(stage: &Stage) -> Result<()> {
    if stage.lacks_keys(2).await? {
        return Ok(());
    }
    let (small, large) = (stage.key("small"), stage.key("large"));
    let limit = stage.capabilities().value_bytes_max;
    let txn = Txn::new().put(&small, "v").put(&large, vec![0; limit + 1]);
    let error = assert_refused(stage.store.commit(txn).await, ErrorKind::TooLarge);
    assert_eq!(error.key(), Some(&large));
    let text = error.to_string();
    assert!(text.contains(&limit.to_string()) && text.contains(&(limit + 1).to_string()), "{text}");
    assert_eq!(fresh(&stage.store, &small).await?, None);
    Ok(())
}

pub async fn as_many_writes_as_promised_are_committed(stage: &Stage) -> Result<()> {
    let writes = stage.capabilities().txn_keys_max.min(WRITES_MAX);
    let key = |n| stage.key(&format!("{n:05}"));
    let txn = (0..writes).fold(Txn::new(), |txn, n| txn.put(&key(n), "v"));
    let committed = stage.store.commit(txn).await?;
    assert_eq!(committed.written.len(), writes);
    assert_eq!(stage.store.entries(&stage.all()).await?.len(), writes);
    Ok(())
}

pub async fn more_writes_than_promised_are_refused(stage: &Stage) -> Result<()> {
    let writes = stage.capabilities().txn_keys_max.saturating_add(1);
    if writes > 100_000 {
        return Ok(());
    }
    assert!(stage.lacks_keys(writes).await?);
    Ok(())
}

pub async fn a_key_lives_as_long_as_it_was_told_or_is_refused(stage: &Stage) -> Result<()> {
    let key = stage.key("short");
    let Some(step) = stage.capabilities().ttl_granularity else {
        let txn = Txn::new().put_with_ttl(&key, "v", Duration::from_secs(60));
        assert_refused(stage.store.commit(txn).await, ErrorKind::Unsupported);
        assert_eq!(fresh(&stage.store, &key).await?, None);
        return Ok(());
    };
    let ttl = step.max(Duration::from_millis(200));
    let mut observer = stage.observe().await?;
    let begun = Instant::now();
    stage.store.commit(Txn::new().put_with_ttl(&key, "v", ttl)).await?;
    observer.until_value(&key, "v").await?;
    observer.until_absent(&key).await?;
    assert!(begun.elapsed() >= ttl, "gone after {:?} of {ttl:?}", begun.elapsed());
    assert_eq!(fresh(&stage.store, &key).await?, None);
    Ok(())
}

pub async fn a_put_without_a_time_to_live_makes_a_key_stay(stage: &Stage) -> Result<()> {
    let Some(step) = stage.capabilities().ttl_granularity else { return Ok(()) };
    let (stays, goes) = (stage.key("stays"), stage.key("goes"));
    let mut observer = stage.observe().await?;
    let ttl = step.max(Duration::from_millis(200));
    stage.store.commit(Txn::new().put_with_ttl(&stays, "v", ttl)).await?;
    stage.store.put(&stays, "w").await?;
    // When this one is gone, the time of the other one would have been up too.
    stage.store.commit(Txn::new().put_with_ttl(&goes, "v", ttl)).await?;
    observer.until_value(&goes, "v").await?;
    observer.until_absent(&goes).await?;
    assert_eq!(stage.entry(&stays).await?.value, "w");
    Ok(())
}

pub async fn a_time_to_live_below_the_step_is_refused(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let ttl = stage.capabilities().ttl_granularity.map_or(Duration::ZERO, |step| step / 2);
    let txn = Txn::new().put_with_ttl(&key, "v", ttl);
    assert_refused(stage.store.commit(txn).await, ErrorKind::Unsupported);
    assert_eq!(fresh(&stage.store, &key).await?, None);
    Ok(())
}

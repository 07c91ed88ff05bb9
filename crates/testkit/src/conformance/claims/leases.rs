//! Leases, and the keys under them.

use std::time::Duration;

use quorate_datasync::{Conflict, ErrorKind, Replica, Result, StoreExt, Txn};

use crate::conformance::{Stage, assert_conflict, assert_refused, fresh, within};

const TTL: Duration = Duration::from_secs(30);

pub async fn an_entry_shows_its_lease(stage: &Stage) -> Result<()> {
    let (leased, plain) = (stage.key("leased"), stage.key("plain"));
    let lease = stage.store.grant(TTL).await?;
    assert!(!lease.has_ended() && lease.ttl() > Duration::ZERO);
    stage.store.commit(Txn::new().put_under(&leased, "v", &lease.reference())).await?;
    stage.store.put(&plain, "v").await?;
    let entries = [stage.entry(&leased).await?, stage.entry(&plain).await?];
    assert_eq!(entries.each_ref().map(|entry| entry.lease), [Some(lease.id()), None]);
    assert_eq!(entries[0].stat().lease, Some(lease.id()));
    assert_eq!(stage.store.entries(&stage.all()).await?, entries);
    assert_eq!(fresh(&stage.second, &leased).await?.as_ref(), Some(&entries[0]));
    Ok(())
}

pub async fn a_revoked_lease_takes_its_keys_and_others_are_told(stage: &Stage) -> Result<()> {
    let [one, two, plain] = ["d/one", "e/two", "plain"].map(|name| stage.key(name));
    let lease = stage.store.grant(TTL).await?;
    stage.store.put(&plain, "v").await?;
    for key in [&one, &two] {
        stage.store.commit(Txn::new().put_under(key, "v", &lease.reference())).await?;
    }
    let mut observer = stage.observe().await?;
    assert_eq!(observer.replica().iter().count(), 3);
    lease.revoke().await?;
    assert_eq!(fresh(&stage.store, &one).await?, None, "a revocation that was answered leaves no keys");
    observer.until_absent(&one).await?;
    observer.until_absent(&two).await?;
    assert_eq!(observer.replica().get(&plain).map(|entry| entry.lease), Some(None));
    Ok(())
}

pub async fn a_dropped_lease_takes_its_keys(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let mut observer = stage.observe().await?;
    let lease = stage.store.grant(TTL).await?;
    stage.store.commit(Txn::new().put_under(&key, "v", &lease.reference())).await?;
    observer.until_value(&key, "v").await?;
    drop(lease);
    observer.until_absent(&key).await
}

pub async fn a_lease_takes_only_its_own_keys(stage: &Stage) -> Result<()> {
    let keys = ["one", "two", "theirs"].map(|name| stage.key(name));
    let (one, two) = (stage.store.grant(TTL).await?, stage.store.grant(TTL).await?);
    let theirs = stage.second.grant(TTL).await?;
    let leases = [(&stage.store, &one), (&stage.store, &two), (&stage.second, &theirs)];
    for ((store, lease), key) in leases.into_iter().zip(&keys) {
        store.commit(Txn::new().put_under(key, "v", &lease.reference())).await?;
    }
    one.revoke().await?;
    assert_eq!(fresh(&stage.store, &keys[0]).await?, None);
    assert!(fresh(&stage.store, &keys[1]).await?.is_some(), "a lease took the key of another one");
    assert!(fresh(&stage.second, &keys[2]).await?.is_some(), "a lease took the key of another client");
    assert!(!two.has_ended() && !theirs.has_ended());
    Ok(())
}

pub async fn the_end_of_a_lease_is_told_to_whoever_waits(stage: &Stage) -> Result<()> {
    let lease = stage.store.grant(TTL).await?;
    let reference = lease.reference();
    assert!(!reference.has_ended());
    let (revoked, ()) = tokio::join!(lease.revoke(), within("the end of a lease is told", reference.ended()));
    revoked?;
    assert!(reference.has_ended());
    Ok(())
}

pub async fn a_commit_under_an_ended_lease_is_refused(stage: &Stage) -> Result<()> {
    let (leased, parent) = (stage.key("a"), stage.key("queue"));
    let lease = stage.store.grant(TTL).await?;
    let reference = lease.reference();
    lease.revoke().await?;
    let put = Txn::new().put_under(&leased, "v", &reference);
    assert_refused(stage.store.commit(put).await, ErrorKind::LeaseEnded);
    let create = Txn::new().create_unique(&parent, "job-", "v", &reference);
    assert_refused(stage.store.commit(create).await, ErrorKind::LeaseEnded);
    assert_eq!(stage.store.entries(&stage.all()).await?, []);
    Ok(())
}

pub async fn nothing_is_put_below_a_leased_key(stage: &Stage) -> Result<()> {
    let (leased, below) = (stage.key("a"), stage.key("a/b"));
    let lease = stage.store.grant(TTL).await?;
    stage.store.commit(Txn::new().put_under(&leased, "v", &lease.reference())).await?;
    for store in [&stage.store, &stage.second] {
        assert_conflict(store.commit(Txn::new().put(&below, "v")).await, Conflict::BelowLeased, &below);
    }
    let deeper = stage.key("a/b/c");
    assert_conflict(stage.store.commit(Txn::new().put(&deeper, "v")).await, Conflict::BelowLeased, &deeper);
    let unique = Txn::new().create_unique(&leased, "job-", "v", &lease.reference());
    assert_refused(stage.store.commit(unique).await, ErrorKind::Conflict(Conflict::BelowLeased));
    assert_eq!(stage.store.entries(&stage.all()).await?.len(), 1);
    Ok(())
}

pub async fn a_key_with_keys_below_it_is_not_put_under_a_lease(stage: &Stage) -> Result<()> {
    let (above, below) = (stage.key("a"), stage.key("a/b"));
    let lease = stage.store.grant(TTL).await?;
    stage.store.put(&below, "v").await?;
    let error = stage.store.commit(Txn::new().put_under(&above, "v", &lease.reference())).await;
    let error = error.expect_err("a key under a lease has nothing below it");
    assert!(error.as_conflict().is_some() && error.key() == Some(&above), "{error}");
    assert_eq!(fresh(&stage.store, &above).await?, None);
    Ok(())
}

pub async fn a_put_never_changes_the_lease_of_a_key(stage: &Stage) -> Result<()> {
    let (leased, plain) = (stage.key("leased"), stage.key("plain"));
    let (lease, theirs) = (stage.store.grant(TTL).await?, stage.second.grant(TTL).await?);
    stage.store.put(&plain, "v").await?;
    stage.store.commit(Txn::new().put_under(&leased, "v", &lease.reference())).await?;
    let before = stage.store.entries(&stage.all()).await?;
    let without = Txn::new().put(&leased, "w");
    assert_conflict(stage.store.commit(without).await, Conflict::LeaseChange, &leased);
    let with = Txn::new().put_under(&plain, "w", &lease.reference());
    assert_conflict(stage.store.commit(with).await, Conflict::LeaseChange, &plain);
    let other = Txn::new().put_under(&leased, "w", &theirs.reference());
    assert_conflict(stage.second.commit(other).await, Conflict::LeaseChange, &leased);
    assert_eq!(stage.store.entries(&stage.all()).await?, before);
    Ok(())
}

pub async fn a_leased_key_is_written_again_under_its_lease(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let lease = stage.store.grant(TTL).await?;
    for value in ["one", "", "three"] {
        stage.store.commit(Txn::new().put_under(&key, value, &lease.reference())).await?;
        let entry = stage.entry(&key).await?;
        assert_eq!((&*entry.value, entry.lease), (value.as_bytes(), Some(lease.id())));
    }
    Ok(())
}

pub async fn anybody_may_delete_a_leased_key(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let lease = stage.store.grant(TTL).await?;
    stage.store.commit(Txn::new().put_under(&key, "v", &lease.reference())).await?;
    stage.second.delete(&key).await?;
    assert!(!lease.has_ended(), "a lease does not depend on its keys");
    // The key is free for others, and no longer the lease's to take.
    stage.second.put(&key, "plain").await?;
    lease.revoke().await?;
    assert_eq!(stage.entry(&key).await?.value, "plain");
    Ok(())
}

pub async fn a_closed_store_gives_up_its_leases_at_once(stage: &Stage) -> Result<()> {
    let keys = ["a", "b"].map(|name| stage.key(name));
    let mut observer = stage.observe().await?;
    let leases = [stage.store.grant(TTL).await?, stage.store.grant(TTL).await?];
    for (key, lease) in keys.iter().zip(&leases) {
        stage.store.commit(Txn::new().put_under(key, "v", &lease.reference())).await?;
        observer.until_value(key, "v").await?;
    }
    stage.store.close().await;
    for lease in &leases {
        within("a lease of a closed store ends", lease.ended()).await;
    }
    let is_empty = |replica: &Replica| replica.iter().next().is_none();
    observer.until("the keys of a closed store vanish", is_empty).await
}

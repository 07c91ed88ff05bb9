//! Opening, closing, and what one handle sees of another.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join;
use quorate_datasync::{
    Consistency, ErrorKind, Link, List, Result, Selection, StoreExt, Txn, Want, Watch, WatchFrom,
};

use crate::conformance::{Stage, assert_refused, within};

use super::watches::{after_a_yield, assert_ends};

pub async fn an_open_store_is_live_and_a_closed_one_closed(stage: &Stage) -> Result<()> {
    let mut status = stage.store.status();
    let is_live = status.wait_for(|status| status.link == Link::Live);
    let live = within("an open store is live", is_live).await.expect("the store is open").clone();
    assert!(live.incarnation.is_some() && live.server.is_some(), "{live:?}");
    stage.store.close().await;
    let is_closed = status.wait_for(|status| status.link == Link::Closed);
    let closed = within("a closed store is closed", is_closed).await.map(|status| status.link.clone());
    assert_eq!(closed.ok(), Some(Link::Closed));
    assert_eq!(stage.store.status().borrow().link, Link::Closed);
    Ok(())
}

pub async fn two_handles_see_the_same_incarnation(stage: &Stage) -> Result<()> {
    let mut incarnations = Vec::new();
    for store in [&stage.store, &stage.second] {
        let mut status = store.status();
        let known = status.wait_for(|status| status.incarnation.is_some());
        let known = within("a store that was reached has an incarnation", known).await;
        incarnations.push(known.expect("the store is open").incarnation);
    }
    assert_eq!(incarnations[0], incarnations[1]);
    Ok(())
}

pub async fn after_its_end_a_store_is_closed_to_everything(stage: &Stage) -> Result<()> {
    let (store, key) = (&stage.store, stage.key("a"));
    store.close().await;
    store.close().await;
    for at in [Consistency::Local, Consistency::Synced, Consistency::Linearizable] {
        assert_refused(store.get(&key, Want::Value, at).await, ErrorKind::Closed);
        assert_refused(store.list(&stage.all(), List::Names, at).await, ErrorKind::Closed);
    }
    assert_refused(store.commit(Txn::new().put(&key, "v")).await, ErrorKind::Closed);
    assert_refused(store.watch(&Selection::Key(key.clone()), WatchFrom::Now).await, ErrorKind::Closed);
    assert_refused(store.grant(Duration::from_secs(30)).await, ErrorKind::Closed);
    Ok(())
}

pub async fn a_store_that_is_closed_ends_its_watches(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    let mut by_key = stage.store.watch(&Selection::Key(key.clone()), WatchFrom::Now).await?;
    let mut by_prefix = stage.store.watch(&Selection::Prefix(stage.all()), WatchFrom::Now).await?;
    let mut watch = Watch::new(&stage.store, Selection::Key(key.clone()));
    within("the first event of a watch", watch.next()).await.expect("the store is open")?;
    stage.store.close().await;
    assert_ends(&mut by_key).await;
    assert_ends(&mut by_prefix).await;
    within("a watch ends with its store", async { while watch.next().await.is_some() {} }).await;
    Ok(())
}

pub async fn a_watch_that_waits_is_ended_by_the_close(stage: &Stage) -> Result<()> {
    let mut changes = stage.store.watch(&Selection::Prefix(stage.all()), WatchFrom::Now).await?;
    let store = stage.store.clone();
    let close = after_a_yield(async move { store.close().await });
    let ((), close) = join(assert_ends(&mut changes), close).await;
    close.await.expect("a close does not panic");
    Ok(())
}

pub async fn one_handle_is_closed_without_the_other(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    stage.store.put(&key, "one").await?;
    let mut observer = stage.observe().await?;
    stage.store.close().await;
    stage.second.put(&key, "two").await?;
    observer.until_value(&key, "two").await?;
    assert_eq!(stage.second.status().borrow().link, Link::Live);
    Ok(())
}

pub async fn a_linearizable_read_sees_what_was_acknowledged(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    if !stage.capabilities().linearizable {
        let read = stage.second.get(&key, Want::Value, Consistency::Linearizable).await;
        assert_refused(read, ErrorKind::Unsupported);
        return Ok(());
    }
    for n in 0..50 {
        let put = stage.store.put(&key, n.to_string()).await?;
        let read = stage.second.get(&key, Want::Value, Consistency::Linearizable).await?;
        assert!(read.revision >= put);
        assert_eq!(read.into_entry().expect("the key was put").value, n.to_string());
        let listing = stage.second.list(&stage.all(), List::Entries, Consistency::Linearizable).await?;
        assert_eq!(listing.into_entries()[0].revision, put);
    }
    Ok(())
}

pub async fn a_synced_read_sees_what_was_acknowledged(stage: &Stage) -> Result<()> {
    let key = stage.key("a");
    for n in 0..50 {
        let put = stage.store.put(&key, n.to_string()).await?;
        let read = stage.second.get(&key, Want::Stat, Consistency::Synced).await?;
        assert!(read.revision >= put);
        assert_eq!(read.stat().expect("the key was put").revision, put);
    }
    Ok(())
}

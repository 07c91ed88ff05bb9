//! Sources that come, go, are lost and come back; and the end of an overlay.

use std::sync::Arc;

use futures_util::StreamExt;
use quorate_datasync::{
    Consistency, ErrorKind, Link, List, Overlay, Prefix, Selection, Shared, Sources, Store, StoreExt, Txn,
    Want, WatchFrom,
};
use quorate_testkit::Rigged;
use quorate_testkit::conformance::within;

use crate::support::{delete, key, low_and_high, memory, observe, prefix, put};

async fn until_link(overlay: &Overlay, wanted: impl Fn(&Link) -> bool) {
    let mut status = overlay.status();
    let told = status.wait_for(|status| wanted(&status.link));
    within("the overlay says how its sources are", told).await.expect("it is open");
}

#[tokio::test]
async fn a_source_that_is_not_connected_holds_nobody_up() {
    let ((_, low), (away, high)) = (memory(), memory());
    away.disconnect();
    put(&low, "/a", "low").await;
    let overlay = low_and_high(&low, &high);
    let mut observer = observe(&overlay).await;
    observer.until_value(&key("/a"), "low").await.unwrap();
    until_link(&overlay, |link| *link == Link::Live).await;
    let named: Vec<(String, bool)> =
        overlay.sources().borrow().iter().map(|source| (source.name.to_string(), source.is_synced)).collect();
    assert_eq!(named, [("low".to_owned(), true), ("high".to_owned(), false)]);
    put(&(Arc::new(away.handle()) as Arc<dyn Store>), "/a", "high").await;
    away.reconnect();
    observer.until_value(&key("/a"), "high").await.unwrap();
    overlay.synced().await;
}

#[tokio::test]
async fn a_resync_of_one_source_deletes_nothing_of_another() {
    let ((lost, low), (_, high)) = (memory(), memory());
    for at in ["/a", "/b", "/both"] {
        put(&low, at, "low").await;
    }
    put(&high, "/c", "high").await;
    put(&high, "/both", "high").await;
    let overlay = low_and_high(&low, &high);
    overlay.synced().await;
    let mut observer = observe(&overlay).await;
    lost.disconnect();
    let elsewhere: Arc<dyn Store> = Arc::new(lost.handle());
    delete(&elsewhere, "/a").await;
    delete(&elsewhere, "/both").await;
    lost.reconnect();
    observer.until_absent(&key("/a")).await.unwrap();
    let left: Vec<&str> = observer.replica().iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(left, ["/b", "/both", "/c"]);
}

#[tokio::test]
async fn a_wiped_source_takes_only_its_own_keys() {
    let ((wiped, low), (_, high)) = (memory(), memory());
    put(&low, "/a", "low").await;
    put(&high, "/c", "high").await;
    let overlay = low_and_high(&low, &high);
    overlay.synced().await;
    let mut observer = observe(&overlay).await;
    wiped.wipe();
    observer.until_absent(&key("/a")).await.unwrap();
    assert!(observer.replica().get(&key("/c")).is_some());
    // The same revision of another life is another write.
    put(&low, "/a", "again").await;
    observer.until_value(&key("/a"), "again").await.unwrap();
}

#[tokio::test]
async fn a_lost_source_shows_what_it_told_last_and_proves_nothing() {
    let ((lost, low), (_, high)) = (memory(), memory());
    put(&low, "/a", "low").await;
    let overlay = low_and_high(&low, &high);
    overlay.synced().await;
    until_link(&overlay, |link| *link == Link::Live).await;
    lost.disconnect();
    until_link(&overlay, |link| matches!(link, Link::Lost { reason } if reason.contains("low"))).await;
    assert!(overlay.entry(&key("/a")).await.unwrap().is_some());
    assert!(overlay.list(&Prefix::root(), List::Keys, Consistency::Synced).await.is_ok());
    let error = overlay.get(&key("/a"), Want::Value, Consistency::Synced).await.unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::Unreachable, Some(&key("/a"))));
    lost.reconnect();
    until_link(&overlay, |link| *link == Link::Live).await;
    assert!(overlay.get(&key("/a"), Want::Value, Consistency::Synced).await.is_ok());
}

#[tokio::test]
async fn a_removed_source_takes_or_uncovers_only_its_own_keys() {
    let ((_, low), (_, high)) = (memory(), memory());
    put(&low, "/both", "low").await;
    put(&low, "/low", "v").await;
    put(&high, "/both", "high").await;
    put(&high, "/high", "v").await;
    let overlay = low_and_high(&low, &high);
    overlay.synced().await;
    let mut observer = observe(&overlay).await;
    overlay.remove("high");
    overlay.remove("nobody");
    let listed = overlay.entries(&Prefix::root()).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|entry| (entry.key.as_str(), &entry.value[..])).collect();
    assert_eq!(listed, [("/both", &b"low"[..]), ("/low", b"v")]);
    observer.until_absent(&key("/high")).await.unwrap();
    assert!(high.entry(&key("/both")).await.unwrap().is_some(), "the store of a source stays open");
    overlay.add("high", &high, Prefix::root(), -1).unwrap();
    observer.until_value(&key("/high"), "v").await.unwrap();
    assert_eq!(observer.replica().get(&key("/both")).unwrap().value, "low");
}

#[tokio::test]
async fn names_are_given_once() {
    let (_, store) = memory();
    let twice = Sources::new().add("a", &store, Prefix::root(), 0).add("a", &store, prefix("/x"), 0);
    assert_eq!(twice.open().unwrap_err().kind(), ErrorKind::Invalid);
    let overlay = Sources::new().add("a", &store, Prefix::root(), 0).open().unwrap();
    let again = overlay.add("a", &store, Prefix::root(), 0).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn what_an_overlay_cannot_do_it_refuses() {
    let (_, store) = memory();
    let overlay = Sources::new().add("a", &store, Prefix::root(), 0).open().unwrap();
    let at = key("/a");
    assert_eq!(overlay.put(&at, "v").await.unwrap_err().kind(), ErrorKind::ReadOnly);
    let ttl = std::time::Duration::from_secs(1);
    assert_eq!(overlay.grant(ttl).await.unwrap_err().kind(), ErrorKind::ReadOnly);
    let proved = overlay.get(&at, Want::Value, Consistency::Linearizable).await;
    assert_eq!(proved.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn closing_ends_the_overlay_and_leaves_its_sources_open() {
    let (_, store) = memory();
    let overlay = Sources::new().add("a", &store, Prefix::root(), 0).open().unwrap();
    let mut changes = overlay.watch(&Selection::Prefix(Prefix::root()), WatchFrom::Now).await.unwrap();
    overlay.close().await;
    overlay.close().await;
    assert!(within("the watch ends", changes.next()).await.is_none());
    assert_eq!(overlay.entry(&key("/a")).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(overlay.commit(Txn::new()).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(overlay.add("b", &store, Prefix::root(), 0).unwrap_err().kind(), ErrorKind::Closed);
    put(&store, "/a", "v").await;
}

#[tokio::test]
async fn a_dropped_overlay_leaves_no_watch_behind() {
    let (_, store) = memory();
    let count = Arc::strong_count(&store);
    let overlay = Sources::new().add("a", &store, Prefix::root(), 0).open().unwrap();
    overlay.synced().await;
    let mut changes = overlay.watch(&Selection::Prefix(Prefix::root()), WatchFrom::Now).await.unwrap();
    drop(overlay);
    assert!(within("the watch ends", changes.next()).await.is_none());
    within("the task that watched the source ends", async {
        while Arc::strong_count(&store) > count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_store_that_is_closed_is_a_source_that_is_lost() {
    let ((_, low), (_, high)) = (memory(), memory());
    put(&low, "/a", "v").await;
    let overlay = low_and_high(&low, &high);
    overlay.synced().await;
    low.close().await;
    until_link(&overlay, |link| matches!(link, Link::Lost { reason } if reason.contains("low"))).await;
    overlay.remove("low");
    until_link(&overlay, |link| *link == Link::Live).await;
    assert!(overlay.entry(&key("/a")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_struct_is_read_through_an_overlay() {
    let ((_, low), (_, high)) = (memory(), memory());
    put(&low, "/agents/web", "{\"interval\":5}").await;
    let overlay: Arc<dyn Store> = low_and_high(&low, &high);
    let shared = Shared::<serde_json::Value>::at_key(&overlay, "/agents/web").join();
    // The sources have not told anything yet, perhaps.
    let shared = match shared.await {
        Ok(shared) => shared,
        Err(_) => Shared::at_key(&overlay, "/agents/web").wait().await.unwrap(),
    };
    let mut changes = shared.changes();
    assert_eq!(shared.read().unwrap()["interval"], 5);
    put(&high, "/agents/web", "{\"interval\":7}").await;
    within("the change is told", changes.next()).await.unwrap();
    assert_eq!(shared.read().unwrap()["interval"], 7);
}

#[tokio::test]
async fn whole_commits_are_promised_only_if_all_sources_tell_them() {
    let (memory, whole) = memory();
    let vague: Arc<dyn Store> = Rigged::vague(memory);
    let overlay = Sources::new().add("whole", &whole, Prefix::root(), 0).open().unwrap();
    assert!(overlay.capabilities().atomic_watch);
    let refused = overlay.add("vague", &vague, Prefix::root(), 1).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    let any = Sources::new().add("whole", &whole, Prefix::root(), 0).taking_any().open().unwrap();
    any.add("vague", &vague, Prefix::root(), 1).unwrap();
    let both = Sources::new().add("vague", &vague, Prefix::root(), 1).open().unwrap();
    assert!(!any.capabilities().atomic_watch && !both.capabilities().atomic_watch);
}

#[tokio::test]
async fn a_source_that_is_back_counts_once_it_told_what_it_missed() {
    let ((lost, low), (_, high)) = (memory(), memory());
    put(&low, "/a", "old").await;
    let overlay = low_and_high(&low, &high);
    overlay.synced().await;
    lost.disconnect();
    until_link(&overlay, |link| matches!(link, Link::Lost { .. })).await;
    put(&(Arc::new(lost.handle()) as Arc<dyn Store>), "/a", "new").await;
    lost.reconnect();
    until_link(&overlay, |link| *link == Link::Live).await;
    let read = overlay.get(&key("/a"), Want::Value, Consistency::Synced).await.unwrap();
    assert_eq!(read.into_entry().unwrap().value, "new");
}

#[tokio::test]
async fn what_an_overlay_shows_is_not_part_of_its_debug_text() {
    let (_, store) = memory();
    put(&store, "/a", "a secret").await;
    let sources = Sources::new().add("a", &store, Prefix::root(), 0);
    assert!(!format!("{sources:?}").contains("secret"));
    let overlay = sources.open().unwrap();
    overlay.synced().await;
    assert!(format!("{overlay:?}").contains("SourceStatus"));
    assert!(!format!("{overlay:?}").contains("secret"));
}

//! Which source shows.

use std::sync::Arc;

use quorate_datasync::{Delta, Key, Memory, Prefix, Sources, Store, StoreExt, Txn};
use quorate_testkit::conformance::within;

use crate::support::{delete, key, low_and_high, memory, observe, prefix, put};

#[tokio::test]
async fn the_highest_priority_wins_and_uncovers_the_next_as_an_update() {
    let ((_, low), (_, high)) = (memory(), memory());
    put(&low, "/mtu", "1500").await;
    put(&high, "/mtu", "9000").await;
    let overlay = low_and_high(&low, &high);
    let mut observer = observe(&overlay).await;
    observer.until_value(&key("/mtu"), "9000").await.unwrap();
    let created = observer.replica().get(&key("/mtu")).unwrap().created;
    delete(&high, "/mtu").await;
    let deltas = within("the next source shows", async {
        loop {
            let deltas = observer.step().await.unwrap();
            if deltas.iter().any(|delta| !matches!(delta, Delta::Current { .. })) {
                return deltas;
            }
        }
    })
    .await;
    assert!(matches!(&deltas[..], [Delta::Put { entry, previous: Some(previous) }]
        if entry.value == "1500" && previous.value == "9000" && entry.created == created));
    assert_eq!(&*overlay.provenance(&key("/mtu")).unwrap().source, "low");
}

#[tokio::test]
async fn what_is_covered_changes_nothing_that_shows() {
    let ((_, low), (_, high)) = (memory(), memory());
    put(&high, "/mtu", "9000").await;
    let overlay = low_and_high(&low, &high);
    let mut observer = observe(&overlay).await;
    observer.until_value(&key("/mtu"), "9000").await.unwrap();
    let before = observer.replica().get(&key("/mtu")).unwrap().revision;
    put(&low, "/mtu", "1500").await;
    put(&low, "/other", "v").await;
    observer.until_value(&key("/other"), "v").await.unwrap();
    assert_eq!(observer.replica().get(&key("/mtu")).unwrap().revision, before);
}

#[tokio::test]
async fn provenance_names_the_source_its_key_and_its_revision() {
    let (_, site) = memory();
    put(&site, "/elsewhere", "v").await;
    let revision = site.put(&key("/sites/7/mtu"), "9000").await.unwrap();
    let overlay =
        Sources::new().add("site", &site, prefix("/sites/7"), 0).at(prefix("/config")).open().unwrap();
    overlay.synced().await;
    let entry = overlay.entry(&key("/config/mtu")).await.unwrap().unwrap();
    let provenance = overlay.provenance(&entry.key).unwrap();
    assert_eq!((&*provenance.source, &provenance.key), ("site", &key("/sites/7/mtu")));
    assert_eq!((provenance.revision, provenance.created), (revision, revision));
    assert_eq!(Some(provenance.incarnation), site.status().borrow().incarnation);
    assert_eq!(provenance.shown, entry.revision);
    assert_eq!(overlay.names(&Prefix::root()).await.unwrap(), ["config"]);
    assert!(overlay.provenance(&key("/config")).is_none());
}

#[tokio::test]
async fn among_equals_the_first_wins() {
    let ((_, one), (_, two)) = (memory(), memory());
    put(&one, "/a", "one").await;
    put(&two, "/a", "two").await;
    let overlay = Sources::new()
        .add("one", &one, Prefix::root(), 5)
        .add("two", &two, Prefix::root(), 5)
        .open()
        .unwrap();
    overlay.synced().await;
    assert_eq!(overlay.entry(&key("/a")).await.unwrap().unwrap().value, "one");
}

#[tokio::test]
async fn a_commit_of_a_source_is_one_commit_of_the_overlay() {
    let ((_, low), (_, high)) = (memory(), memory());
    let overlay = low_and_high(&low, &high);
    overlay.synced().await;
    let mut observer = observe(&overlay).await;
    let txn = Txn::new().put(&key("/a"), "1").put(&key("/b"), "1");
    high.commit(txn).await.unwrap();
    observer.until_value(&key("/b"), "1").await.unwrap();
    let revision = |at: Key| observer.replica().get(&at).map(|entry| entry.revision);
    assert_eq!(revision(key("/a")), revision(key("/b")));
}

#[tokio::test]
async fn a_key_may_come_and_go_above_the_keys_of_another_source() {
    let ((_, low), (_, high)) = (memory(), memory());
    put(&low, "/a/b", "below").await;
    let overlay = low_and_high(&low, &high);
    let mut observer = observe(&overlay).await;
    put(&high, "/a", "above").await;
    observer.until_value(&key("/a"), "above").await.unwrap();
    delete(&high, "/a").await;
    observer.until_absent(&key("/a")).await.unwrap();
    assert!(observer.replica().get(&key("/a/b")).is_some());
}

#[tokio::test]
async fn a_key_that_was_made_again_is_another_key() {
    let (_, low) = memory();
    put(&low, "/a", "one").await;
    let overlay = Sources::new().add("low", &low, Prefix::root(), 0).open().unwrap();
    overlay.synced().await;
    let before = overlay.entry(&key("/a")).await.unwrap().unwrap();
    let txn = Txn::new().delete(&key("/a"));
    low.commit(txn).await.unwrap();
    put(&low, "/a", "two").await;
    let after = within("the new key shows", async {
        loop {
            let entry = overlay.entry(&key("/a")).await.unwrap();
            match entry {
                Some(entry) if entry.value == "two" => return entry,
                _ => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    assert_ne!(before.created, after.created);
}

#[tokio::test]
async fn an_entry_under_a_lease_shows_as_one() {
    let ((_, low), (_, high)) = (memory(), memory());
    let mut leases = Vec::new();
    for (store, at) in [(&low, "/low"), (&high, "/high")] {
        let lease = store.grant(std::time::Duration::from_secs(30)).await.unwrap();
        store.commit(Txn::new().put_under(&key(at), "", &lease.reference())).await.unwrap();
        leases.push(lease);
    }
    let overlay = low_and_high(&low, &high);
    overlay.synced().await;
    let lease = async |at: &str| overlay.entry(&key(at)).await.unwrap().unwrap().lease;
    let (low, high) = (lease("/low").await, lease("/high").await);
    assert!(low.is_some() && high.is_some() && low != high, "{low:?} {high:?}");
}

#[tokio::test]
async fn a_key_that_would_be_too_long_does_not_show() {
    let (_, low) = memory();
    let long = format!("/s/{}", "k".repeat(1000));
    put(&low, &long, "long").await;
    put(&low, "/s/short", "short").await;
    let at = prefix(&format!("/{}", "p".repeat(100)));
    let overlay = Sources::new().add("low", &low, prefix("/s"), 0).at(at.clone()).open().unwrap();
    overlay.synced().await;
    assert_eq!(overlay.names(&at).await.unwrap(), ["short"]);
}

#[tokio::test]
async fn one_store_may_be_two_sources() {
    let (_, store) = memory();
    put(&store, "/defaults/a", "default").await;
    put(&store, "/mine/a", "mine").await;
    let overlay = Sources::new()
        .add("defaults", &store, prefix("/defaults"), 0)
        .add("mine", &store, prefix("/mine"), 1)
        .open()
        .unwrap();
    overlay.synced().await;
    assert_eq!(overlay.entry(&key("/a")).await.unwrap().unwrap().value, "mine");
    overlay.remove("mine");
    assert_eq!(overlay.entry(&key("/a")).await.unwrap().unwrap().value, "default");
}

#[tokio::test]
async fn an_overlay_may_be_a_source() {
    let ((_, low), (_, high)) = (memory(), memory());
    put(&low, "/a", "v").await;
    let inner: Arc<dyn Store> = low_and_high(&low, &high);
    let outer = Sources::new().add("inner", &inner, Prefix::root(), 0).open().unwrap();
    let outer = Arc::new(outer);
    observe(&outer).await.until_value(&key("/a"), "v").await.unwrap();
    let itself: Arc<dyn Store> = Arc::clone(&outer) as _;
    assert!(outer.add("itself", &itself, Prefix::root(), 0).is_err());
    assert!(outer.add("memory", &(Arc::new(Memory::new()) as _), Prefix::root(), 0).is_ok());
}

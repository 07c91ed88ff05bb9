//! What is copied, deleted and left alone.

use std::time::Duration;

use quorate_datasync::{Consistency, ErrorKind, List, Mirror, Store, StoreExt, Txn};

use crate::support::{Pair, content, delete, key, next, prefix, put, until_in_sync};

#[tokio::test]
async fn only_the_difference_is_written() {
    let pair = Pair::new();
    for at in ["/same", "/other", "/new"] {
        put(&pair.source, at, "value").await;
    }
    put(&pair.target, "/same", "value").await;
    put(&pair.target, "/other", "old").await;
    put(&pair.target, "/extra", "kept").await;
    let same = pair.target.entry(&key("/same")).await.unwrap().unwrap();
    let mut mirroring = pair.mirror().start().unwrap();
    assert_eq!(until_in_sync(&mut mirroring).await, ["create /new 5", "replace /other 5"]);
    assert_eq!(pair.target.entry(&key("/same")).await.unwrap().unwrap(), same);
    assert_eq!(content(&pair.target).await.len(), 4);
    let progress = mirroring.progress();
    assert_eq!((progress.source_keys, progress.target_keys, progress.kept), (3, 4, 1));
    assert_eq!((progress.written, progress.written_bytes, progress.pending), (2, 10, 0));
}

#[tokio::test]
async fn a_second_run_writes_nothing() {
    let pair = Pair::new();
    put(&pair.source, "/a", "v").await;
    assert_eq!(until_in_sync(&mut pair.mirror().start().unwrap()).await.len(), 1);
    let revision = pair.target.entry(&key("/a")).await.unwrap().unwrap().revision;
    assert_eq!(until_in_sync(&mut pair.mirror().deleting().start().unwrap()).await.len(), 0);
    assert_eq!(pair.target.entry(&key("/a")).await.unwrap().unwrap().revision, revision);
}

#[tokio::test]
async fn changes_of_the_source_follow_and_drift_of_the_target_is_set_right() {
    let pair = Pair::new();
    put(&pair.source, "/a", "one").await;
    let mut mirroring = pair.mirror().deleting().start().unwrap();
    until_in_sync(&mut mirroring).await;
    put(&pair.source, "/a", "two").await;
    assert_eq!(until_in_sync(&mut mirroring).await, ["replace /a 3"]);
    put(&pair.target, "/a", "somebody else's").await;
    assert_eq!(until_in_sync(&mut mirroring).await, ["replace /a 3"]);
    delete(&pair.target, "/a").await;
    assert_eq!(until_in_sync(&mut mirroring).await, ["create /a 3"]);
    put(&pair.target, "/b", "extra").await;
    assert_eq!(until_in_sync(&mut mirroring).await, ["delete /b"]);
    delete(&pair.source, "/a").await;
    assert_eq!(until_in_sync(&mut mirroring).await, ["delete /a"]);
}

#[tokio::test]
async fn what_is_deleted_at_the_source_is_kept_without_deleting() {
    let pair = Pair::new();
    put(&pair.source, "/a", "v").await;
    put(&pair.source, "/b", "v").await;
    let mut mirroring = pair.mirror().start().unwrap();
    until_in_sync(&mut mirroring).await;
    delete(&pair.source, "/a").await;
    put(&pair.source, "/b", "w").await;
    assert_eq!(until_in_sync(&mut mirroring).await, ["replace /b 1"]);
    assert_eq!((content(&pair.target).await.len(), mirroring.progress().kept), (2, 1));
}

#[tokio::test]
async fn what_is_under_a_lease_is_neither_copied_nor_touched() {
    let pair = Pair::new();
    let mut leases = Vec::new();
    for (store, at) in [(&pair.source, "/agents/one"), (&pair.target, "/mine")] {
        let lease = store.grant(Duration::from_secs(30)).await.unwrap();
        store.commit(Txn::new().put_under(&key(at), "", &lease.reference())).await.unwrap();
        leases.push(lease);
    }
    put(&pair.source, "/plain", "v").await;
    let mut mirroring = pair.mirror().deleting().start().unwrap();
    assert_eq!(until_in_sync(&mut mirroring).await, ["create /plain 1"]);
    let keys: Vec<_> = content(&pair.target).await.into_keys().collect();
    assert_eq!(keys, [key("/mine"), key("/plain")]);
    assert_eq!((mirroring.progress().leased, mirroring.progress().kept), (1, 1));
}

#[tokio::test]
async fn a_key_that_is_leased_in_the_source_is_not_deleted_in_the_target() {
    let pair = Pair::new();
    let lease = pair.source.grant(Duration::from_secs(30)).await.unwrap();
    pair.source.commit(Txn::new().put_under(&key("/a"), "v", &lease.reference())).await.unwrap();
    put(&pair.target, "/a", "plain").await;
    let mut mirroring = pair.mirror().deleting().start().unwrap();
    assert!(until_in_sync(&mut mirroring).await.is_empty());
    lease.revoke().await.unwrap();
    assert_eq!(until_in_sync(&mut mirroring).await, ["delete /a"]);
}

#[tokio::test]
async fn children_are_deleted_before_their_parents_and_written_after_them() {
    let pair = Pair::new();
    for at in ["/t", "/t/a", "/t/a/b", "/t-2"] {
        put(&pair.target, at, "old").await;
    }
    for at in ["/s", "/s/a", "/s/a/b"] {
        put(&pair.source, at, "new").await;
    }
    let told = until_in_sync(&mut pair.mirror().deleting().start().unwrap()).await;
    let expected = ["create /s 3", "create /s/a 3", "create /s/a/b 3"];
    assert_eq!(told[..3], expected);
    assert_eq!(told[3..], ["delete /t/a/b", "delete /t/a", "delete /t-2", "delete /t"]);
    assert_eq!(content(&pair.target).await, content(&pair.source).await);
}

#[tokio::test]
async fn a_prefix_is_copied_elsewhere_and_its_neighbours_are_not() {
    let pair = Pair::new();
    for at in ["/a", "/a/x", "/ab"] {
        put(&pair.source, at, "v").await;
    }
    let mirror = Mirror::new(&pair.from(), &pair.to(), prefix("/a")).to(prefix("/b/c"));
    assert_eq!(until_in_sync(&mut mirror.start().unwrap()).await, ["create /b/c/x 1"]);
}

#[tokio::test]
async fn a_dry_run_tells_all_and_writes_nothing() {
    let pair = Pair::new();
    put(&pair.source, "/new", "v").await;
    put(&pair.source, "/other", "v").await;
    put(&pair.target, "/other", "old").await;
    put(&pair.target, "/extra", "v").await;
    let before = content(&pair.target).await;
    let mut mirroring = pair.mirror().deleting().dry().start().unwrap();
    let told = until_in_sync(&mut mirroring).await;
    assert_eq!(told, ["create /new 1", "replace /other 1", "delete /extra"]);
    assert!(next(&mut mirroring).await.is_none());
    assert_eq!(content(&pair.target).await, before);
}

#[tokio::test]
async fn a_copy_of_a_store_into_itself_is_refused() {
    let pair = Pair::new();
    let refused = |from: &str, to: &str| {
        let mirror = Mirror::new(&pair.from(), &pair.from(), prefix(from)).to(prefix(to));
        let other: std::sync::Arc<dyn Store> = std::sync::Arc::new(pair.source.handle());
        let by_life = Mirror::new(&pair.from(), &other, prefix(from)).to(prefix(to)).start();
        assert_eq!(mirror.clone().start().is_err(), by_life.is_err());
        mirror.start().is_err_and(|error| error.kind() == ErrorKind::Invalid)
    };
    assert!(refused("/a", "/a") && refused("/a", "/a/b") && refused("/a/b", "/a") && refused("/", "/a"));
    assert!(!refused("/a", "/b") && !refused("/a", "/ab"));
    assert!(pair.mirror().start().is_ok());
}

#[tokio::test]
async fn many_keys_are_written_in_few_transactions_and_counted() {
    let pair = Pair::new();
    for batch in 0..10 {
        let txn = (0..1000).fold(Txn::new(), |txn, n| txn.put(&key(&format!("/k/{batch}/{n}")), "v"));
        pair.source.commit(txn).await.unwrap();
    }
    let mut mirroring = pair.mirror().start().unwrap();
    assert_eq!(until_in_sync(&mut mirroring).await.len(), 10_000);
    let progress = mirroring.progress();
    assert_eq!((progress.written, progress.pending, progress.target_keys), (10_000, 0, 10_000));
    let listing = pair.target.list(&prefix("/"), List::Names, Consistency::Local).await.unwrap();
    assert!(listing.revision.get() <= 10_000 / 128 + 1);
}

#[tokio::test]
async fn the_end_of_a_store_ends_a_mirror() {
    for closes_source in [true, false] {
        let pair = Pair::new();
        let mut mirroring = pair.mirror().start().unwrap();
        until_in_sync(&mut mirroring).await;
        if closes_source {
            pair.source.close().await
        } else {
            pair.target.close().await
        }
        let error = next(&mut mirroring).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(next(&mut mirroring).await.is_none());
    }
}

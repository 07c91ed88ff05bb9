//! Writes to several stores at once.

use futures_util::future::join_all;
use quorate_datasync::{ErrorKind, Prefix, Publishers, StoreExt, Txn};

use crate::support::{key, memory};

#[tokio::test]
async fn a_write_goes_to_every_store() {
    let ((_, one), (_, two)) = (memory(), memory());
    let both = Publishers::new().add("one", &one).add("two", &two);
    let published = both.put(&key("/a"), "v").await.unwrap();
    assert_eq!(published.committed.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["one", "two"]);
    for store in [&one, &two] {
        assert_eq!(store.entry(&key("/a")).await.unwrap().unwrap().value, "v");
    }
    both.delete(&key("/a")).await.unwrap();
    assert!(two.entry(&key("/a")).await.unwrap().is_none());
}

#[tokio::test]
async fn failures_are_told_by_name_and_nothing_is_taken_back() {
    let ((_, one), (lost, two)) = (memory(), memory());
    lost.disconnect();
    let both = Publishers::new().add("one", &one).add("two", &two);
    let failures = both.put(&key("/a"), "v").await.unwrap_err();
    assert_eq!(&*failures.committed[0].0, "one");
    assert_eq!((&*failures.failed[0].0, failures.failed[0].1.kind()), ("two", ErrorKind::Unreachable));
    assert!(failures.maybe_applied());
    assert_eq!(
        failures.to_string(),
        "1 of 2 stores did not take the write: two: commit: the store cannot be reached"
    );
    assert!(one.entry(&key("/a")).await.unwrap().is_some());
}

#[tokio::test]
async fn best_effort_fails_only_where_all_fail() {
    let ((first, one), (second, two)) = (memory(), memory());
    second.disconnect();
    let both = Publishers::new().add("one", &one).add("two", &two);
    let txn = || Txn::new().put(&key("/a"), "v");
    let published = both.commit_best_effort(txn()).await.unwrap();
    assert_eq!((published.committed.len(), published.failed.len()), (1, 1));
    first.disconnect();
    let failures = both.commit_best_effort(txn()).await.unwrap_err();
    assert_eq!(failures.failed.len(), 2);
    assert!(!failures.maybe_applied());
}

#[tokio::test]
async fn writes_reach_each_store_in_the_order_of_their_calls() {
    let ((_, one), (_, two)) = (memory(), memory());
    let both = Publishers::new().add("one", &one).add("two", &two);
    let writes = (0..100).map(|n| {
        let both = both.clone();
        async move { both.put(&key("/a"), n.to_string()).await.map(|_| ()) }
    });
    assert!(join_all(writes).await.iter().all(Result::is_ok));
    for store in [&one, &two] {
        assert_eq!(store.entry(&key("/a")).await.unwrap().unwrap().value, "99");
    }
}

#[tokio::test]
async fn a_name_that_is_given_again_is_another_store() {
    let ((_, one), (_, two)) = (memory(), memory());
    let only = Publishers::new().add("main", &one).add("main", &two);
    only.put(&key("/a"), "v").await.unwrap();
    assert!(one.entries(&Prefix::root()).await.unwrap().is_empty());
    assert_eq!(two.entries(&Prefix::root()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_to_write_to_is_no_failure() {
    assert!(Publishers::new().put(&key("/a"), "v").await.unwrap().committed.is_empty());
}

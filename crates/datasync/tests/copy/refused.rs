//! What the target does not take.

use std::sync::Arc;
use std::time::Duration;

use quorate_datasync::{Capabilities, Error, ErrorKind, Mirror, Prefix, Store, Txn};
use quorate_testkit::Rigged;

use crate::support::{Pair, content, delete, key, next, put, until_in_sync};

/// The target, which hears of others late, with limits.
fn limited(pair: &Pair, value_bytes_max: usize, txn_keys_max: usize) -> Rigged {
    let capabilities = Capabilities::new(value_bytes_max).txn_keys_max(txn_keys_max);
    Rigged::over(Arc::new(pair.target.handle())).promising(capabilities)
}

#[tokio::test]
async fn a_value_that_is_too_large_is_named_with_both_sizes_and_the_rest_goes_on() {
    let pair = Pair::new();
    for (at, value) in [("/a", "small"), ("/b", "too large"), ("/c", "small")] {
        put(&pair.source, at, value).await;
    }
    let (_, target) = limited(&pair, 5, 100).open();
    let mut mirroring = Mirror::new(&pair.from(), &target, Prefix::root()).start().unwrap();
    let mut told = until_in_sync(&mut mirroring).await;
    told.sort();
    let refused = "refuse /b: commit /b: too large: a value of 9 bytes is over the limit of 5";
    assert_eq!(told, ["create /a 5", "create /c 5", refused]);
    put(&pair.source, "/b", "fits").await;
    assert_eq!(until_in_sync(&mut mirroring).await, ["create /b 4"]);
    assert_eq!(mirroring.progress().refused, 0);
}

#[tokio::test]
async fn a_store_that_takes_one_key_at_a_time_is_a_target() {
    let pair = Pair::new();
    for at in ["/a", "/a/b", "/c"] {
        put(&pair.source, at, "v").await;
    }
    put(&pair.target, "/d", "extra").await;
    let (limited, target) = limited(&pair, 100, 1).open();
    let mut mirroring = Mirror::new(&pair.from(), &target, Prefix::root()).deleting().start().unwrap();
    assert_eq!(until_in_sync(&mut mirroring).await.len(), 4);
    assert_eq!(limited.commits(), 4);
    assert_eq!(content(&pair.target).await, content(&pair.source).await);
}

#[tokio::test]
async fn one_refused_key_of_a_transaction_stops_no_other() {
    let pair = Pair::new();
    for n in 0..300 {
        put(&pair.source, &format!("/{n:03}"), "v").await;
    }
    let denied = key("/150");
    let deny = move |txn: &Txn| match txn.keys().any(|key| *key == denied) {
        true => Err(Error::new(ErrorKind::Denied, "commit").on(&denied)),
        false => Ok(()),
    };
    let (limited, target) = limited(&pair, 100, 100).refusing(deny).open();
    let mut mirroring = Mirror::new(&pair.from(), &target, Prefix::root()).start().unwrap();
    let told = until_in_sync(&mut mirroring).await;
    let refused: Vec<_> = told.iter().filter(|line| line.starts_with("refuse")).collect();
    assert_eq!(refused, ["refuse /150: commit /150: not allowed"]);
    assert_eq!(content(&pair.target).await.len(), 299);
    let commits = limited.commits();
    assert!(commits < 110, "only one transaction is taken apart, not {commits}");
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_is_tried_again_by_itself() {
    let pair = Pair::new();
    let lease = pair.target.grant(Duration::from_secs(30)).await.unwrap();
    pair.target.commit(Txn::new().put_under(&key("/a"), "v", &lease.reference())).await.unwrap();
    put(&pair.source, "/a/b", "v").await;
    let mut mirroring = pair.mirror().start().unwrap();
    let told = until_in_sync(&mut mirroring).await;
    assert_eq!(told, ["refuse /a/b: commit /a/b: a key above it is under a lease"]);
    lease.revoke().await.unwrap();
    assert_eq!(mirroring.next().await.map(|event| event.is_ok()), Some(true));
    assert_eq!(content(&pair.target).await, content(&pair.source).await);
}

#[tokio::test]
async fn a_key_under_a_lease_in_the_target_is_not_overwritten() {
    let pair = Pair::new();
    let lease = pair.target.grant(Duration::from_secs(30)).await.unwrap();
    pair.target.commit(Txn::new().put_under(&key("/a"), "theirs", &lease.reference())).await.unwrap();
    put(&pair.source, "/a", "ours").await;
    let mut mirroring = pair.mirror().start().unwrap();
    let told = until_in_sync(&mut mirroring).await;
    assert!(told[0].contains("under a lease in the target"), "{told:?}");
    lease.revoke().await.unwrap();
    assert_eq!(until_in_sync(&mut mirroring).await, ["create /a 4"]);
}

#[tokio::test]
async fn an_extra_key_above_kept_ones_is_refused() {
    let pair = Pair::new();
    put(&pair.target, "/a", "extra").await;
    let lease = pair.target.grant(Duration::from_secs(30)).await.unwrap();
    pair.target.commit(Txn::new().put_under(&key("/a/b"), "", &lease.reference())).await.unwrap();
    let told = until_in_sync(&mut pair.mirror().deleting().start().unwrap()).await;
    assert_eq!(told, ["refuse /a: commit /a: there are keys below it"]);
}

#[tokio::test]
async fn a_target_that_can_only_be_read_ends_the_mirror() {
    let pair = Pair::new();
    put(&pair.source, "/a", "v").await;
    let refuse = |_: &Txn| Err(Error::new(ErrorKind::ReadOnly, "commit"));
    let (_, target) = limited(&pair, 100, 10).refusing(refuse).open();
    let mut mirroring = Mirror::new(&pair.from(), &target, Prefix::root()).start().unwrap();
    let error = next(&mut mirroring).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    delete(&pair.source, "/a").await;
    assert!(next(&mut mirroring).await.is_none());
}

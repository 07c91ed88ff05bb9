//! What is held of the nodes, and what is told of them.

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{
    ErrorKind, FollowEvent, Follower, Key, NodeEvent, NodeWatch, Prefix, Raw, Store, Txn, watch_node,
};

use crate::place::{Place, key, next};

#[tokio::test]
async fn one_commit_is_one_batch_and_is_read_whole() {
    let place = Place::new();
    let mut follower = place.follow();
    assert_eq!(next(&mut follower).await, ["synced"]);
    place.outside.commit(Txn::new().put(&key("a"), "1").put(&key("b"), "2")).await.unwrap();
    assert_eq!(next(&mut follower).await, ["+a=1", "+b=2"]);
    let nodes = follower.nodes();
    assert_eq!((nodes.len(), *nodes.get(&key("a")).unwrap()), (2, 1));
}

#[tokio::test]
async fn whoever_was_told_reads_what_was_told_and_a_snapshot_does_not_change() {
    let place = Place::new();
    let mut follower = place.follow();
    next(&mut follower).await;
    let mut before = follower.nodes().snapshot();
    for n in 1..100_u64 {
        let revision = place.put("a", &n.to_string()).await;
        follower.next().await.unwrap();
        let now = follower.nodes().snapshot();
        assert_eq!((**now.get(&key("a")).unwrap(), now.revision()), (n, revision));
        assert_eq!(now.revision_of(&key("a")), Some(revision));
        assert_eq!(before.get(&key("a")).map(|value| **value), (n > 1).then(|| n - 1));
        before = now;
    }
}

#[tokio::test]
async fn the_nodes_are_current_though_nobody_takes_the_batches() {
    let place = Place::new();
    let nodes = place.follow().nodes();
    nodes.synced().await.unwrap();
    let revision = place.put("a", "1").await;
    nodes.status().wait_for(|status| status.revision == revision).await.unwrap();
    assert_eq!(*nodes.get(&key("a")).unwrap(), 1);
    assert!(nodes.status().borrow().proved.is_some());
}

#[tokio::test]
async fn a_value_that_cannot_be_decoded_is_rejected_and_the_good_one_stays() {
    let place = Place::new();
    place.put("a", "1").await;
    let mut follower = place.follow();
    next(&mut follower).await;
    place.put("a", "oops").await;
    assert_eq!(next(&mut follower).await, ["!a"]);
    let nodes = follower.nodes();
    assert_eq!(*nodes.get(&key("a")).unwrap(), 1);
    assert_eq!(nodes.snapshot().rejected().map(|(key, _)| key.clone()).collect::<Vec<_>>(), [key("a")]);
    assert_eq!(nodes.status().borrow().rejected, 1);
    place.put("a", "3").await;
    assert_eq!(next(&mut follower).await, ["~a=1>3"]);
    assert_eq!(nodes.snapshot().rejected().count(), 0);
}

#[tokio::test]
async fn the_deletion_of_a_rejected_node_is_told_only_if_the_node_was() {
    let place = Place::new();
    place.put("a", "1").await;
    let mut follower = place.follow();
    next(&mut follower).await;
    place.put("a", "oops").await;
    place.put("b", "oops").await;
    assert_eq!(next(&mut follower).await, ["!a"]);
    assert_eq!(next(&mut follower).await, ["!b"]);
    place.delete("b").await;
    place.delete("a").await;
    assert_eq!(next(&mut follower).await, ["-a=1"]);
    assert_eq!(follower.nodes().snapshot().rejected().count(), 0);
}

#[tokio::test]
async fn a_strict_follower_ends_after_the_first_rejection() {
    let place = Place::new();
    let mut follower = Follower::<u64>::over(&place.store, "/nodes").strict().start().unwrap();
    next(&mut follower).await;
    place.put("a", "oops").await;
    place.put("b", "1").await;
    assert_eq!(next(&mut follower).await, ["!a"]);
    assert!(follower.next().await.is_none());
    let mut status = follower.status();
    while status.changed().await.is_ok() {}
}

#[tokio::test]
async fn a_projection_that_panics_rejects_the_node_and_goes_on() {
    let place = Place::new();
    let project = |n: &u64| (*n != 13).then_some(*n).or_else(|| panic!("bad luck"));
    let mut follower = Follower::<u64>::over(&place.store, "/nodes").project(project).start().unwrap();
    next(&mut follower).await;
    place.put("a", "13").await;
    assert_eq!(next(&mut follower).await, ["!a"]);
    place.put("a", "14").await;
    assert_eq!(next(&mut follower).await, ["+a=14"]);
}

#[tokio::test]
async fn a_filter_of_keys_spares_the_decoding() {
    let place = Place::new();
    place.put("a", "1").await;
    place.put("lock", "no number").await;
    let follower = Follower::<u64>::over(&place.store, "/nodes").filter_key(|key| key.name() != "lock");
    assert_eq!(next(&mut follower.strict().start().unwrap()).await, ["+a=1", "synced"]);
}

#[tokio::test]
async fn equal_values_in_other_bytes_are_news_unless_they_are_to_be_skipped() {
    let place = Place::new();
    place.put("a", "1").await;
    let mut all = place.follow();
    let mut skipping = Follower::<u64>::over(&place.store, "/nodes").skip_equal().start().unwrap();
    next(&mut all).await;
    next(&mut skipping).await;
    place.put("a", " 1").await;
    place.put("a", "2").await;
    assert_eq!(next(&mut all).await, ["~a=1>1"]);
    assert_eq!(next(&mut skipping).await, ["~a=1>2"]);
}

#[tokio::test]
async fn raw_bytes_are_followed_as_they_are() {
    let place = Place::new();
    place.put("a", "\u{0}not json").await;
    let mut follower = Follower::<Bytes>::over(&place.store, "/nodes").codec(Raw).start().unwrap();
    let batch = follower.next().await.unwrap();
    assert!(matches!(&batch.events[0], FollowEvent::New { value, .. } if **value == "\u{0}not json"));
}

#[tokio::test]
async fn an_index_is_kept_in_step_and_begins_with_what_is_there() {
    let place = Place::new();
    place.put("a", "1").await;
    place.put("b", "11").await;
    let mut follower = place.follow();
    next(&mut follower).await;
    let last_digit = follower.index_by(|n| n % 10);
    let divisors = follower
        .nodes()
        .index_by_each(|n| [2, 3, 5].into_iter().filter(move |d| n % d == 0).collect::<Vec<_>>());
    let under = |digit: u64| last_digit.get(&digit).into_iter().map(|(key, _)| key).collect::<Vec<Key>>();
    assert_eq!((under(1), divisors.len()), (vec![key("a"), key("b")], 0));
    place.put("a", "30").await;
    next(&mut follower).await;
    assert_eq!((under(1), under(0), divisors.len()), (vec![key("b")], vec![key("a")], 3));
    place.delete("a").await;
    next(&mut follower).await;
    assert_eq!((under(0), last_digit.first(&0)), (vec![], None));
    assert!(divisors.is_empty() && last_digit.len() == 1);
}

#[tokio::test]
async fn a_part_of_a_snapshot_is_what_is_below_a_prefix() {
    let place = Place::new();
    for name in ["a", "a-b", "a/x", "a/y", "b"] {
        place.put(name, "1").await;
    }
    let mut follower = place.follow();
    next(&mut follower).await;
    let snapshot = follower.nodes().snapshot();
    let below = snapshot.below(&Prefix::parse("/nodes/a").unwrap());
    assert_eq!(below.into_iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), [key("a/x"), key("a/y")]);
    assert_eq!(snapshot.iter().count(), 5);
}

#[tokio::test]
async fn a_bad_prefix_and_a_bad_key_are_told_at_once() {
    let place = Place::new();
    let error = Follower::<u64>::over(&place.store, "nodes").start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(watch_node::<u64, _>(&place.store, "/").unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn the_stream_ends_with_the_store() {
    let place = Place::new();
    place.put("a", "1").await;
    let mut follower = place.follow();
    let nodes = follower.nodes();
    let mut node = watch_node::<u64, _>(&place.store, "/nodes/a").unwrap();
    assert!(matches!(node.next().await, Some(NodeEvent::Value { .. })));
    nodes.synced().await.unwrap();
    place.store.close().await;
    assert_eq!(next(&mut follower).await, ["+a=1", "synced"]);
    assert!(follower.next().await.is_none() && node.next().await.is_none());
    assert_eq!(*nodes.get(&key("a")).unwrap(), 1);
    let late = Follower::<u64>::over(&place.store, "/nodes").start().unwrap();
    assert_eq!(late.nodes().synced().await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_store_that_begins_another_life_is_followed_into_it() {
    let place = Place::new();
    place.put("a", "1").await;
    place.put("b", "2").await;
    let mut follower = place.follow();
    next(&mut follower).await;
    place.outside.wipe();
    assert_eq!(next(&mut follower).await, ["-a=1", "-b=2"]);
    let revision = place.put("b", "2").await;
    assert_eq!(next(&mut follower).await, ["+b=2"]);
    assert_eq!(follower.nodes().snapshot().revision(), revision);
}

#[tokio::test]
async fn a_node_that_is_made_again_unseen_is_deleted_then_there() {
    let place = Place::new();
    place.put("a", "1").await;
    let mut node = watch_node::<u64, _>(&place.store, "/nodes/a").unwrap();
    assert!(matches!(node.next().await, Some(NodeEvent::Value { .. })));
    place.followed.disconnect();
    place.delete("a").await;
    place.put("a", "1").await;
    place.followed.reconnect();
    assert!(matches!(node.next().await, Some(NodeEvent::Deleted { .. })));
    assert!(matches!(node.next().await, Some(NodeEvent::Value { .. })));
}

#[tokio::test]
async fn a_node_that_cannot_be_decoded_is_rejected_and_its_neighbours_are_not_its_business() {
    let place = Place::new();
    place.put("a", "oops").await;
    let mut node = NodeWatch::<u64>::new(&place.store, "/nodes/a", quorate_datasync::Json).unwrap();
    assert!(matches!(node.next().await, Some(NodeEvent::Rejected { .. })));
    place.put("a/below", "1").await;
    place.put("ab", "1").await;
    assert!(node.next().now_or_never().is_none());
    place.put("a", "1").await;
    assert!(matches!(node.next().await, Some(NodeEvent::Value { value, .. }) if *value == 1));
}

#[tokio::test]
async fn an_index_that_panics_ends_the_follower_and_the_nodes_stay_readable() {
    let place = Place::new();
    place.put("a", "1").await;
    let mut follower = place.follow();
    next(&mut follower).await;
    let _index = follower.index_by(|n| if *n == 13 { panic!("bad luck") } else { *n });
    place.put("a", "13").await;
    assert!(follower.next().await.is_none());
    assert_eq!(*follower.nodes().get(&key("a")).unwrap(), 1);
}

#[tokio::test]
async fn an_index_made_inside_of_an_index_ends_the_follower_and_waits_for_nobody() {
    let place = Place::new();
    let mut follower = place.follow();
    assert_eq!(next(&mut follower).await, ["synced"]);
    let nodes = follower.nodes();
    let _index = follower.index_by(move |n| (*nodes.index_by(|n| *n).first(n).unwrap().1).min(*n));
    place.put("a", "1").await;
    assert!(follower.next().await.is_none());
    assert!(follower.nodes().is_empty());
}

#[tokio::test]
async fn an_index_may_read_the_nodes_that_it_is_of() {
    let place = Place::new();
    let mut follower = place.follow();
    assert_eq!(next(&mut follower).await, ["synced"]);
    let nodes = follower.nodes();
    let index = follower.index_by(move |_| nodes.len());
    place.put("a", "1").await;
    assert_eq!(next(&mut follower).await, ["+a=1"]);
    assert_eq!(index.first(&0).unwrap().0, key("a"));
}

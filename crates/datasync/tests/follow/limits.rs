//! What following costs: work for each change, memory for the slow, nothing once it is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{Codec, Decode, DecodeError, FollowEvent, Follower, Json, Store, Txn};

use crate::place::{Place, key, next};

/// What is done for the nodes, counted.
#[derive(Clone, Debug, Default)]
struct Counted {
    decoded: Arc<AtomicUsize>,
    projected: Arc<AtomicUsize>,
    compared: Arc<AtomicUsize>,
}

/// A value that counts how often it is compared.
#[derive(Debug)]
struct Watched(u64, Arc<AtomicUsize>);

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0 == other.0
    }
}

impl Codec for Counted {
    fn content_type(&self) -> &'static str {
        "application/json"
    }
}

impl Decode<u64> for Counted {
    fn decode(&self, bytes: &Bytes) -> Result<u64, DecodeError> {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        Json.decode(bytes)
    }
}

impl Counted {
    fn take(&self) -> [usize; 3] {
        [&self.decoded, &self.projected, &self.compared].map(|count| count.swap(0, Ordering::Relaxed))
    }
}

/// What is decoded, projected and compared for one put, one equal put, and one deletion in a set of `nodes`.
async fn work(nodes: usize) -> [[usize; 3]; 3] {
    let (place, counted) = (Place::new(), Counted::default());
    for thousand in 0..nodes.div_ceil(1000) {
        let keys = (thousand * 1000..nodes.min((thousand + 1) * 1000)).map(|n| key(&n.to_string()));
        let txn = keys.fold(Txn::new(), |txn, key| txn.put(&key, "1"));
        place.outside.commit(txn).await.unwrap();
    }
    let (projected, compared) = (Arc::clone(&counted.projected), Arc::clone(&counted.compared));
    let project = move |n: &u64| {
        projected.fetch_add(1, Ordering::Relaxed);
        Some(Watched(*n, Arc::clone(&compared)))
    };
    let builder = Follower::<u64>::over(&place.store, "/nodes").codec(counted.clone());
    let mut follower = builder.project(project).start().unwrap();
    follower.next().await.unwrap();
    assert_eq!(counted.take(), [nodes, nodes, 0]);
    place.put("0", "2").await;
    follower.next().await.unwrap();
    let put = counted.take();
    place.put("0", "2").await;
    place.put("new", "1").await;
    follower.next().await.unwrap();
    let equal = counted.take();
    place.delete("0").await;
    follower.next().await.unwrap();
    [put, equal, counted.take()]
}

#[tokio::test]
async fn defect_5_the_work_for_a_change_does_not_grow_with_the_set() {
    let small = work(1_000).await;
    // A put is decoded, projected and compared once; equal bytes are not looked at, and a new node has nothing to be
    // compared with.
    assert_eq!(small, [[1, 1, 1], [1, 1, 0], [0, 0, 0]]);
    assert_eq!(work(100_000).await, small);
}

#[tokio::test]
async fn a_resync_decodes_only_what_changed() {
    let (place, counted) = (Place::new(), Counted::default());
    for n in 0..100 {
        place.put(&n.to_string(), "1").await;
    }
    let builder = Follower::<u64>::over(&place.store, "/nodes").codec(counted.clone());
    let mut follower = builder.start().unwrap();
    next(&mut follower).await;
    counted.take();
    place.followed.disconnect();
    place.put("7", "2").await;
    place.followed.reconnect();
    assert_eq!(next(&mut follower).await, ["~7=1>2"]);
    assert_eq!(counted.take(), [1, 0, 0]);
}

#[tokio::test]
async fn whoever_is_slow_is_told_the_net_change() {
    let place = Place::new();
    place.put("a", "0").await;
    place.put("gone", "0").await;
    place.put("same", "0").await;
    let mut follower = place.follow();
    next(&mut follower).await;
    place.delete("gone").await;
    place.put("same", "1").await;
    let mut last = place.put("same", "0").await;
    for n in 1..=10_000 {
        place.put("brief", "1").await;
        place.delete("brief").await;
        last = place.put("a", &n.to_string()).await;
        tokio::task::yield_now().await;
    }
    follower.status().wait_for(|status| status.revision == last).await.unwrap();
    let batch = follower.next().await.unwrap();
    assert!(batch.is_coalesced && batch.revision == last);
    assert_eq!(crate::place::short(&batch), ["-gone=0", "~a=0>10000"]);
    assert!(follower.next().now_or_never().is_none());
    place.put("a", "1").await;
    assert!(!follower.next().await.unwrap().is_coalesced);
}

#[tokio::test]
async fn the_net_change_of_one_who_never_took_anything_is_the_whole_set() {
    let place = Place::new();
    let mut follower = place.follow();
    follower.nodes().synced().await.unwrap();
    for n in 0..5_000 {
        place.put(&(n % 50).to_string(), &n.to_string()).await;
        tokio::task::yield_now().await;
    }
    let last = place.put("last", "1").await;
    follower.status().wait_for(|status| status.revision == last).await.unwrap();
    let mut held = BTreeMap::new();
    let mut is_synced = false;
    while let Some(Some(batch)) = follower.next().now_or_never() {
        for event in batch.events {
            match event {
                FollowEvent::New { key, value, .. } | FollowEvent::Updated { key, value, .. } => {
                    held.insert(key, *value);
                }
                FollowEvent::Synced { .. } => is_synced = true,
                event => panic!("{event:?}"),
            }
        }
    }
    assert!(is_synced);
    let snapshot = follower.nodes().snapshot();
    assert!(
        snapshot.iter().map(|(key, value)| (key, **value)).eq(held.iter().map(|(key, value)| (key, *value)))
    );
}

#[tokio::test]
async fn ten_thousand_followers_that_left_leave_nothing_behind() {
    let place = Place::new();
    place.put("a", "1").await;
    let alone = Arc::strong_count(&place.store);
    for n in 0..10_000 {
        let follower = place.follow();
        if n % 100 == 0 {
            follower.nodes().synced().await.unwrap();
        }
    }
    while Arc::strong_count(&place.store) > alone {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_last_handle_ends_the_task_and_none_before_it() {
    let place = Place::new();
    let alone = Arc::strong_count(&place.store);
    let follower = place.follow();
    let (nodes, index) = (follower.nodes(), follower.index_by(|n| *n));
    nodes.synced().await.unwrap();
    drop(follower);
    drop(nodes);
    place.put("a", "7").await;
    while index.is_empty() {
        tokio::task::yield_now().await;
    }
    drop(index);
    while Arc::strong_count(&place.store) > alone {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_large_content_leaves_others_their_turn() {
    let place = Place::new();
    for n in 0..5_000 {
        place.put(&n.to_string(), "1").await;
    }
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let mut follower = place.follow();
    assert_eq!(follower.next().await.unwrap().events.len(), 5_001);
    assert!(turns.load(Ordering::Relaxed) > 30, "{turns:?}");
    other.abort();
}

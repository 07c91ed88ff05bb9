//! The single node, and what is read beside what is told.

use futures_util::StreamExt;
use quorate_datasync::{FollowEvent, Follower, NodeEvent, NodeWatch, StoreExt, Txn, watch_node};

use super::Subject;
use crate::conformance::{Stage, within};

/// How many changes are looked at.
const CHANGES: u64 = 50;

pub async fn a_single_node_is_waited_for_and_its_deletion_is_told(_: &Subject, stage: &Stage) {
    let key = stage.key("nodes/a");
    let mut node = watch_node::<u64, _>(&stage.store, key.clone()).expect("a key is a key");
    assert!(matches!(told(&mut node).await, NodeEvent::Absent { .. }));
    for n in 0..3 {
        let put = stage.second.put(&key, n.to_string()).await.expect("it is put");
        let event = told(&mut node).await;
        assert!(
            matches!(&event, NodeEvent::Value { revision, value } if (**value, *revision) == (n, put)),
            "{event:?}"
        );
        let oops = stage.second.put(&key, "oops").await.expect("it is put");
        let event = told(&mut node).await;
        assert!(matches!(event, NodeEvent::Rejected { revision, .. } if revision == oops), "{event:?}");
        stage.second.delete(&key).await.expect("it is deleted");
        let event = told(&mut node).await;
        assert!(matches!(&event, NodeEvent::Deleted { previous, .. } if **previous == n), "{event:?}");
    }
}

pub async fn whoever_was_told_reads_at_least_that(_: &Subject, stage: &Stage) {
    let key = stage.key("nodes/a");
    let follower = Follower::<u64>::over(&stage.store, stage.key("nodes").below()).start();
    let mut follower = follower.expect("a prefix is a prefix");
    let (nodes, index) = (follower.nodes(), follower.index_by(|n| *n));
    within("synced", nodes.synced()).await.expect("the store is open");
    let mut told = 0;
    for n in 1..=CHANGES {
        stage.second.put(&key, n.to_string()).await.expect("it is put");
        while told < n {
            let batch = within("a batch", follower.next()).await.expect("the store is open");
            let read = nodes.get(&key);
            for event in &batch.events {
                if let FollowEvent::New { value, .. } | FollowEvent::Updated { value, .. } = event {
                    told = **value;
                    assert!(read.as_ref().is_some_and(|read| **read >= told), "{read:?} after {told}");
                }
            }
        }
        assert_eq!(index.first(&n).map(|(key, _)| key), Some(key.clone()));
    }
    assert_eq!((nodes.len(), index.len()), (1, 1));
}

pub async fn two_followers_of_one_handle_are_both_told_all_with_what_was_before(_: &Subject, stage: &Stage) {
    let key = stage.key("nodes/deep/a");
    stage.second.put(&key, "0").await.expect("it is put");
    let over = |prefix: &str| Follower::<u64>::over(&stage.store, stage.key(prefix).below()).start();
    let mut both =
        [over("nodes"), over("nodes/deep")].map(|follower| follower.expect("a prefix is a prefix"));
    for follower in &mut both {
        within("the content", follower.next()).await.expect("the store is open");
    }
    let before = stage.second.put(&key, "1").await.expect("it is put");
    for follower in &mut both {
        let batch = within("a change", follower.next()).await.expect("the store is open");
        let [FollowEvent::Updated { previous, value, revision, .. }] = &batch.events[..] else {
            panic!("{:?}", batch.events)
        };
        assert_eq!((**previous, **value, *revision), (0, 1, before));
    }
    stage.second.commit(Txn::new().delete(&key)).await.expect("it is deleted");
    for follower in &mut both {
        let batch = within("a deletion", follower.next()).await.expect("the store is open");
        assert!(matches!(&batch.events[..], [FollowEvent::Deleted { previous, .. }] if **previous == 1));
    }
}

async fn told(node: &mut NodeWatch<u64>) -> NodeEvent<u64> {
    within("an event of the node", node.next()).await.expect("the store is open")
}

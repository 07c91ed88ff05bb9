//! What can be measured of a shared struct and of a follower.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use quorate_datasync::{ChangesOptions, Follower, Key, Memory, Shared, Store, StoreExt};
use tokio::runtime::Builder;

/// What was measured under a name, over all its labels: a sum, or the samples of a histogram.
struct Found(Vec<(String, DebugValue)>);

impl Found {
    fn of(snapshotter: &Snapshotter) -> Self {
        let metrics = snapshotter.snapshot().into_vec().into_iter();
        Self(metrics.map(|(key, _, _, value)| (key.key().name().to_owned(), value)).collect())
    }

    fn total(&self, name: &str) -> f64 {
        let name = format!("quorate_{name}");
        let values = self.0.iter().filter(|(found, _)| *found == name).map(|(_, value)| match value {
            DebugValue::Counter(count) => *count as f64,
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(samples) => samples.len() as f64,
        });
        values.sum()
    }
}

/// Runs something on a runtime whose tasks all report to one recorder.
fn measured(work: impl AsyncFnOnce(&Snapshotter)) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime can be made").block_on(work(&snapshotter));
    });
}

#[test]
fn a_named_struct_is_measured() {
    measured(async |snapshotter| {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let level = Shared::<u64>::open(&store, "/level").metrics("level").create(0).await.unwrap();
        let _slow = level.changes_with(ChangesOptions::new().bound(1));
        let mut events = level.events();
        level.update(|level| *level = 1).await.unwrap();
        level.update_optimistic(|level| *level = 2).await.unwrap();
        let refused = level.try_update(|_| Err::<(), _>("no")).await;
        assert!(refused.is_err());
        store.put(&Key::parse("/level/payload").unwrap(), "not json").await.unwrap();
        while !matches!(events.next().await, Some(quorate_datasync::SharedEvent::Rejected(_))) {}
        tokio::time::sleep(Duration::from_secs(10)).await;
        let found = Found::of(snapshotter);
        assert_eq!(found.total("shared_changes_total"), 2.0);
        assert_eq!(found.total("shared_rejected_total"), 1.0);
        assert_eq!(found.total("shared_coalesced_total"), 2.0);
        assert_eq!(found.total("shared_subscribers"), 2.0);
        assert!(found.total("shared_queue_depth") >= 1.0);
        assert_eq!(found.total("shared_update_seconds"), 3.0);
        assert_eq!(found.total("shared_update_failures_total"), 1.0);
        assert_eq!(found.total("shared_lock_wait_seconds"), 2.0);
        assert_eq!(found.total("shared_updates_per_write"), 3.0);
        assert_eq!(found.total("shared_resyncs_total"), 1.0);
        assert!(found.total("shared_revision") >= 4.0);
        assert!(found.total("shared_age_seconds") > 0.0);
        assert_eq!(found.total("shared_conflicts_total"), 0.0);
    });
}

#[test]
fn a_write_that_was_made_again_is_counted() {
    measured(async |snapshotter| {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let level = Shared::<u64>::open(&store, "/level").metrics("level").create(0).await.unwrap();
        let (key, mut runs) = (Key::parse("/level/payload").unwrap(), 0);
        let update = level.update_optimistic(|level| {
            runs += 1;
            if runs == 1 {
                let put = store.put(&key, "10");
                futures_util::FutureExt::now_or_never(put)
                    .expect("memory answers at once")
                    .expect("it is put");
            }
            *level += 1;
        });
        assert_eq!(*update.await.unwrap().value, 11);
        assert_eq!(Found::of(snapshotter).total("shared_conflicts_total"), 1.0);
    });
}

#[test]
fn a_struct_without_a_name_is_not_measured() {
    measured(async |snapshotter| {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let level = Shared::<u64>::open(&store, "/level").create(0).await.unwrap();
        level.update(|level| *level = 1).await.unwrap();
        assert!(Found::of(snapshotter).0.is_empty());
    });
}

#[test]
fn subscribers_are_counted_whether_or_not_they_are_told() {
    measured(async |snapshotter| {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let open = Shared::<serde_json::Value>::open(&store, "/level").metrics("level");
        let level = open.create(serde_json::json!({"a": 0, "b": 0})).await.unwrap();
        let _parts = ["/a", "/b", "/c"].map(|part| level.select_by(part.parse().unwrap()));
        level.update(|level| level["a"] = 1.into()).await.unwrap();
        assert_eq!(Found::of(snapshotter).total("shared_subscribers"), 3.0);
    });
}

#[test]
fn a_named_follower_is_measured() {
    measured(async |snapshotter| {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let key = |text: &str| Key::parse(text).unwrap();
        store.put(&key("/nodes/a"), "1").await.unwrap();
        let mut follower = Follower::<u64>::over(&store, "/nodes").metrics("nodes").start().unwrap();
        while !follower.next().await.unwrap().is_synced {}
        store.put(&key("/nodes/a"), "2").await.unwrap();
        store.put(&key("/nodes/b"), "not json").await.unwrap();
        store.put(&key("/nodes/c"), "3").await.unwrap();
        store.delete(&key("/nodes/a")).await.unwrap();
        while follower.next().await.unwrap().events.last().unwrap().key() != Some(&key("/nodes/a")) {}
        let found = Found::of(snapshotter);
        assert_eq!((found.total("follow_nodes"), found.total("follow_rejected_nodes")), (1.0, 1.0));
        // New, updated, rejected, new, deleted.
        assert_eq!(found.total("follow_events_total"), 5.0);
        assert!(found.total("follow_revision") >= 5.0);
        assert!(found.total("follow_queue_depth") >= 1.0);
        drop(follower);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(Found::of(snapshotter).total("follow_nodes"), 0.0);
    });
}

#[test]
fn what_a_follower_is_behind_is_counted() {
    measured(async |snapshotter| {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let mut follower = Follower::<u64>::over(&store, "/nodes").metrics("nodes").start().unwrap();
        while !follower.next().await.unwrap().is_synced {}
        for value in 0..5_000_u64 {
            store.put(&Key::parse("/nodes/a").unwrap(), value.to_string()).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(Found::of(snapshotter).total("follow_coalesced_total") > 4_000.0);
        assert!(follower.next().await.unwrap().is_coalesced);
    });
}

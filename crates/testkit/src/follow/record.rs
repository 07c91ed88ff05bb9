//! What a follower told, as it came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{DecodeError, Follow, FollowEvent, Follower, Key, Prefix, Revision};
use tokio::sync::watch;
use tokio::time::timeout;

use super::oracle::{Call, Look};

/// The longest wait for anything that should be told.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a follower told, as it came.
#[derive(Clone)]
pub(crate) struct Record {
    below: Prefix,
    calls: Arc<Mutex<Vec<Call>>>,
    count: watch::Sender<usize>,
}

/// What was seen of each node, in order; `None` where there was nothing.
pub(crate) type States = BTreeMap<String, Vec<Option<u64>>>;

/// Records as callbacks.
pub(crate) struct Recorder {
    pub(crate) record: Record,
    pub(crate) look: Look,
}

impl Record {
    pub(crate) fn new(below: Prefix) -> Self {
        Self { below, calls: Arc::default(), count: watch::Sender::new(0) }
    }

    /// Records a stream until it ends.
    pub(crate) async fn take(self, mut follower: Follower<u64>) {
        while let Some(batch) = follower.next().await {
            assert!(!batch.is_coalesced, "whoever keeps up is told every batch");
            for event in batch.events {
                self.tell(match &event {
                    FollowEvent::New { key, value, .. } => Call::New(self.name(key), **value),
                    FollowEvent::Updated { key, previous, value, .. } => {
                        Call::Updated(self.name(key), **previous, **value)
                    }
                    FollowEvent::Deleted { key, previous, .. } => Call::Deleted(self.name(key), **previous),
                    FollowEvent::Rejected { key, .. } => Call::Rejected(self.name(key)),
                    _ => Call::Synced,
                });
            }
            self.tell(Call::BatchDone);
        }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.lock().clone()
    }

    /// What the calls lead to, and every state of each node on the way. A call that does not fit what was told before
    /// it is a failure.
    pub(crate) fn replay(&self) -> (BTreeMap<String, u64>, States) {
        let (mut view, mut states) = (BTreeMap::new(), States::new());
        for call in self.calls() {
            let (node, before, is) = match &call {
                Call::New(node, value) => (node, None, Some(*value)),
                Call::Updated(node, previous, value) => (node, Some(*previous), Some(*value)),
                Call::Deleted(node, previous) => (node, Some(*previous), None),
                Call::Rejected(_) | Call::Synced | Call::BatchDone => continue,
            };
            let was = match is {
                Some(value) => view.insert(node.clone(), value),
                None => view.remove(node),
            };
            assert_eq!(was, before, "{call:?} does not follow what was told before");
            states.entry(node.clone()).or_default().push(is);
        }
        (view, states)
    }

    /// Waits until what was told is so.
    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let mut count = self.count.subscribe();
        let wait = async {
            while !holds(self) {
                count.changed().await.expect("the record outlives the wait");
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            panic!("{what}: not in {PATIENCE:?}; told were {:#?}", self.calls());
        }
    }

    fn tell(&self, call: Call) {
        self.lock().push(call);
        self.count.send_modify(|count| *count += 1);
    }

    fn name(&self, key: &Key) -> String {
        self.below.strip(key).expect("nothing else is followed").to_owned()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Follow<u64> for Recorder {
    type Error = std::convert::Infallible;

    fn filter(&self, _key: &Key, value: &u64) -> bool {
        (self.look.view)(*value).is_some()
    }

    fn equals(&self, told: &u64, value: &u64) -> bool {
        (self.look.is_same)(*told, *value)
    }

    async fn new(&mut self, key: &Key, value: &Arc<u64>) -> Result<(), Self::Error> {
        self.record.tell(Call::New(self.record.name(key), **value));
        Ok(())
    }

    async fn updated(&mut self, key: &Key, previous: &Arc<u64>, value: &Arc<u64>) -> Result<(), Self::Error> {
        self.record.tell(Call::Updated(self.record.name(key), **previous, **value));
        Ok(())
    }

    async fn deleted(&mut self, key: &Key, previous: &Arc<u64>) -> Result<(), Self::Error> {
        self.record.tell(Call::Deleted(self.record.name(key), **previous));
        Ok(())
    }

    async fn rejected(&mut self, key: &Key, _: Revision, _: &DecodeError) -> Result<(), Self::Error> {
        self.record.tell(Call::Rejected(self.record.name(key)));
        Ok(())
    }

    async fn synced(&mut self, _: Revision) -> Result<(), Self::Error> {
        self.record.tell(Call::Synced);
        Ok(())
    }

    async fn batch_done(&mut self, _: Revision) -> Result<(), Self::Error> {
        self.record.tell(Call::BatchDone);
        Ok(())
    }
}

//! A store to follow, and an outsider who writes.

use std::sync::Arc;

use futures_util::StreamExt;
use quorate_datasync::{Batch, FollowEvent, Follower, Key, Memory, Revision, Store, StoreExt};

pub(crate) struct Place {
    /// Another handle to the same data.
    pub(crate) outside: Memory,
    /// The handle that is followed, for its faults.
    pub(crate) followed: Arc<Memory>,
    /// The same, to follow.
    pub(crate) store: Arc<dyn Store>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let outside = Memory::new();
        let followed = Arc::new(outside.handle());
        let store: Arc<dyn Store> = Arc::clone(&followed) as Arc<dyn Store>;
        Self { outside, followed, store }
    }

    pub(crate) async fn put(&self, name: &str, value: &str) -> Revision {
        self.outside.put(&key(name), value.to_owned()).await.unwrap()
    }

    pub(crate) async fn delete(&self, name: &str) {
        self.outside.delete(&key(name)).await.unwrap();
    }

    pub(crate) fn follow(&self) -> Follower<u64> {
        Follower::<u64>::over(&self.store, "/nodes").start().unwrap()
    }
}

pub(crate) fn key(name: &str) -> Key {
    Key::parse(&format!("/nodes/{name}")).unwrap()
}

/// A batch in short: `+a=1`, `~a=1>2`, `-a=2`, `!a`, `synced`.
pub(crate) fn short(batch: &Batch<u64>) -> Vec<String> {
    let events = batch.events.iter().map(|event| match event {
        FollowEvent::New { key, value, .. } => format!("+{}={value}", key.name()),
        FollowEvent::Updated { key, previous, value, .. } => format!("~{}={previous}>{value}", key.name()),
        FollowEvent::Deleted { key, previous, .. } => format!("-{}={previous}", key.name()),
        FollowEvent::Rejected { key, .. } => format!("!{}", key.name()),
        _ => "synced".to_owned(),
    });
    events.collect()
}

pub(crate) async fn next(follower: &mut Follower<u64>) -> Vec<String> {
    short(&follower.next().await.unwrap())
}

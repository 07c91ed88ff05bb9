//! What the tests of copies share.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use quorate_datasync::{Key, Memory, Mirror, MirrorEvent, Mirroring, Prefix, Result, Store, StoreExt, Txn};
use quorate_testkit::conformance::within;

/// Two stores, and handles to them that can be disconnected alone.
pub(crate) struct Pair {
    pub(crate) source: Arc<Memory>,
    pub(crate) target: Arc<Memory>,
}

pub(crate) type Content = BTreeMap<Key, Bytes>;

impl Pair {
    pub(crate) fn new() -> Self {
        Self { source: Arc::new(Memory::new()), target: Arc::new(Memory::new()) }
    }

    /// A mirror of everything.
    pub(crate) fn mirror(&self) -> Mirror {
        Mirror::new(&self.from(), &self.to(), Prefix::root())
    }

    pub(crate) fn from(&self) -> Arc<dyn Store> {
        Arc::clone(&self.source) as _
    }

    pub(crate) fn to(&self) -> Arc<dyn Store> {
        Arc::clone(&self.target) as _
    }
}

pub(crate) fn key(text: &str) -> Key {
    Key::parse(text).expect("a test names valid keys")
}

pub(crate) fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).expect("a test names valid prefixes")
}

pub(crate) async fn put(store: &Memory, at: &str, value: &str) {
    store.handle().put(&key(at), value.to_owned()).await.expect("a store in memory takes a value");
}

pub(crate) async fn delete(store: &Memory, at: &str) {
    store.handle().commit(Txn::new().delete(&key(at))).await.expect("a store in memory deletes a key");
}

/// All that a store has, also one that cannot be reached by its first handle.
pub(crate) async fn content(store: &Memory) -> Content {
    let entries = store.handle().entries(&Prefix::root()).await.expect("a new handle is connected");
    entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

/// The next event, in a form that can be compared.
pub(crate) async fn next(mirroring: &mut Mirroring) -> Option<Result<String>> {
    let event = within("a mirror does something", mirroring.next()).await?;
    Some(event.map(|event| match event {
        MirrorEvent::Written { key, bytes, is_new: true } => format!("create {key} {bytes}"),
        MirrorEvent::Written { key, bytes, .. } => format!("replace {key} {bytes}"),
        MirrorEvent::Deleted { key } => format!("delete {key}"),
        MirrorEvent::Refused { key, error } => format!("refuse {key}: {error}"),
        MirrorEvent::Lost { side, .. } => format!("lost {side}"),
        MirrorEvent::Regained { side } => format!("regained {side}"),
        MirrorEvent::InSync => "in sync".to_owned(),
        other => format!("{other:?}"),
    }))
}

/// What is done until both sides are in sync.
pub(crate) async fn until_in_sync(mirroring: &mut Mirroring) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let event = next(mirroring).await.expect("a live mirror goes on").expect("it does not fail");
        if event == "in sync" {
            return told;
        }
        told.push(event);
    }
}

/// Works until something holds.
pub(crate) async fn work_until(mirroring: &mut Mirroring, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !holds().await {
            tokio::select! {
                event = mirroring.next() => drop(event.expect("it goes on").expect("it does not fail")),
                () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
            }
        }
    })
    .await;
}

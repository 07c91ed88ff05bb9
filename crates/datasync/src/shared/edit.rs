//! What is written to the payload of one struct, and through what.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use super::fence::Fence;
use super::layout::{Directory, Layout};
use super::metrics::Metrics;
use super::snapshot::Origin;
use super::writers::Bench;
use crate::backoff::Backoff;
use crate::coordinate::LeaseKeeper;
use crate::mutex::lock;
use crate::{
    Conflict, Consistency, Entry, Error, Event, Incarnation, LockError, Result, Revision, Stat, Store, Txn,
    Want, Written,
};
use bytes::Bytes;
use tokio::time::Instant;

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else that can be done to a value")]
pub enum Edit {
    /// This payload.
    Put(Bytes),
    /// Nothing: the key is deleted.
    Delete,
    /// The entry stays as it is.
    Keep,
}

/// What an edit did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one for each kind of edit")]
pub enum Edited {
    /// The payload was written; its entry as it stands now.
    Put(Entry),
    /// The payload was deleted at this revision.
    Deleted(Revision),
    /// Nothing was written; the entry, if there is one.
    Kept(Option<Entry>),
}

/// Why an edit failed.
#[derive(Debug)]
pub(crate) enum EditFailure<E> {
    /// The decision was to refuse. Nothing was written.
    Refused(E),
    /// The lock was not had. Nothing was written.
    Lock(LockError),
    /// The store failed.
    Store(Error),
}

impl<E> From<Error> for EditFailure<E> {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Writes the payload of one struct, one writer at a time.
#[derive(Debug)]
pub(crate) struct Editor {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) layout: Layout,
    pub(crate) keeper: Arc<LeaseKeeper>,
    pub(crate) metrics: Metrics,
    /// Keeps the copy here from telling of a write before its outcome is known; there is no copy without it.
    pub(super) fence: Option<Arc<Fence>>,
    /// Orders the writers of this handle, first come, first served.
    pub(super) bench: tokio::sync::Mutex<Bench>,
    /// How many writers have left the bench.
    pub(super) left: AtomicUsize,
    /// The newest entry that the copy here was given, and of which life of the store it is: what an optimistic write
    /// begins with.
    latest: Mutex<Option<(Entry, Option<Incarnation>)>>,
}

impl Editor {
    pub(crate) fn new(store: &Arc<dyn Store>, layout: Layout) -> Self {
        let keeper = Arc::new(LeaseKeeper::new(store));
        let (bench, latest) = (tokio::sync::Mutex::default(), Mutex::default());
        let (store, metrics) = (Arc::clone(store), Metrics::default());
        Self { store, layout, keeper, metrics, fence: None, bench, left: AtomicUsize::new(0), latest }
    }

    /// Puts the writes of this editor into one order with what its copy observes.
    pub(crate) fn behind(mut self, fence: &Arc<Fence>) -> Self {
        self.fence = Some(Arc::clone(fence));
        self
    }

    /// Measures what happens.
    pub(crate) fn measured(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Keeps the newest entry that the copy here was given.
    pub(crate) fn remember(&self, latest: Option<(Entry, Option<Incarnation>)>) {
        *lock(&self.latest) = latest;
    }

    /// The newest entry that the copy here was given. It may be old; only a check of its version tells.
    pub(super) fn latest(&self) -> Option<(Entry, Option<Incarnation>)> {
        lock(&self.latest).clone()
    }

    /// Whether the newest entry that the copy here was given is of this life of the store: another life may have
    /// given its version to something else.
    pub(super) fn is_latest_of(&self, of: Option<Incarnation>) -> bool {
        lock(&self.latest).as_ref().is_some_and(|(_, life)| *life == of)
    }

    /// Reads the payload.
    pub(crate) async fn read(&self, at: Consistency) -> Result<Option<Entry>> {
        Ok(self.store.get(&self.layout.payload, Want::Value, at).await?.into_entry())
    }

    /// Makes the payload with all that belongs to it, unless it exists. `None` if it does.
    pub(crate) async fn create(&self, payload: Bytes) -> Result<Option<Entry>> {
        let key = &self.layout.payload;
        let mut txn = Txn::new().check_absent(key).put(key, payload.clone());
        if let Some(Directory { listeners, write_lock, .. }) = &self.layout.directory {
            txn = txn.keep_directory(listeners).keep_directory(write_lock);
        }
        match self.store.commit(txn).await {
            Ok(committed) => Ok(put_stat(&committed.written).map(|stat| Entry::new(stat, payload))),
            Err(error) if error.as_conflict() == Some(Conflict::Present) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// As [`create`](Self::create), tried again until the deadline if it is not known whether it was done.
    pub(crate) async fn ensure(&self, payload: Bytes, deadline: Instant) -> Result<()> {
        let mut backoff = Backoff::default();
        while self.read(Consistency::Local).await?.is_none() {
            match self.create(payload.clone()).await {
                Ok(_) => break,
                // Whether it was created shows when it is read.
                Err(error) if error.is_retryable() && Instant::now() < deadline => {
                    tokio::time::sleep(backoff.next()).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What an edit that was applied is to the copy here.
    pub(super) fn event(&self, edited: &Edited) -> Event {
        match edited {
            Edited::Put(entry) | Edited::Kept(Some(entry)) => Event::Put(entry.clone()),
            Edited::Deleted(revision) => {
                Event::Delete { key: self.layout.payload.clone(), revision: *revision }
            }
            Edited::Kept(None) => {
                Event::Delete { key: self.layout.payload.clone(), revision: Revision::ZERO }
            }
        }
    }

    /// Which life of the store answers now.
    pub(super) fn incarnation(&self) -> Option<Incarnation> {
        self.store.status().borrow().incarnation
    }

    pub(super) fn contended(&self) -> Error {
        Error::conflict(Conflict::Contended, &self.layout.payload)
    }
}

impl Edited {
    /// What an edit did, as the store acknowledged it.
    pub(super) fn acknowledged(edit: &Edit, written: Vec<Written>, revision: Revision) -> Self {
        match (edit, written.into_iter().next()) {
            (Edit::Put(payload), Some(Written::Put(stat))) => Self::Put(Entry::new(stat, payload.clone())),
            _ => Self::Deleted(revision),
        }
    }
}

/// Whose write it is that is there now: where the store's answer was lost, somebody else may have written since.
pub(super) fn origin_of(edit: &Edit, edited: &Edited) -> Origin {
    match (edit, edited) {
        (Edit::Put(payload), Edited::Put(entry)) if entry.value == payload => Origin::Local,
        (Edit::Delete, Edited::Deleted(_)) => Origin::Local,
        _ => Origin::Remote,
    }
}

fn put_stat(written: &[Written]) -> Option<Stat> {
    written.iter().find_map(|written| match written {
        Written::Put(stat) => Some(stat.clone()),
        _ => None,
    })
}

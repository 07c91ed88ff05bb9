//! The tracker: events of a watch in, batches of a typed view out. It performs no I/O.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::Batch;
use super::lens::Lens;
use super::view::{Held, Rejection, Touched, View};
use crate::{Delta, Entry, Event, Incarnation, Key, Moment, Replica, Revision};

/// How many nodes one batch may touch where the store does not say where a batch ends.
const BATCH_MAX: usize = 1024;

/// Turns the events of a watch into batches.
pub(super) struct Tracker<V> {
    replica: Replica,
    /// The life of the store whose content is being told.
    staged: Option<Incarnation>,
    /// How the view was when the last batch ended.
    before: View<V>,
    view: View<V>,
    /// What changed since.
    touched: Touched,
    /// Whether commits are told whole, and progress ends each.
    is_atomic: bool,
    told: VecDeque<Told<V>>,
    proved: Option<(Revision, Moment)>,
}

/// A batch, and how the view was before and after it.
pub(super) struct Told<V> {
    pub(super) batch: Batch<V>,
    pub(super) before: View<V>,
    pub(super) after: View<V>,
}

impl<V> Tracker<V> {
    pub(super) fn new(is_atomic: bool) -> Self {
        Self {
            replica: Replica::new(),
            staged: None,
            before: View::new(),
            view: View::new(),
            touched: Touched::new(),
            is_atomic,
            told: VecDeque::new(),
            proved: None,
        }
    }

    /// Takes one event of the watch.
    pub(super) fn apply(&mut self, event: Event, lens: &(impl Lens<V> + ?Sized)) {
        // Where batches are best effort every state of a node is told as long as there is time for it.
        let is_alone = !self.is_atomic && matches!(event, Event::Put(_) | Event::Delete { .. });
        match event {
            Event::ResyncStart { incarnation } => self.staged = Some(incarnation),
            Event::ResyncDone { .. } => {
                let staged = self.staged.take();
                if staged.is_some() && staged != self.replica.incarnation() {
                    // Another life of the store, whose revisions begin again.
                    self.view.revision = Revision::ZERO;
                }
            }
            _ => {}
        }
        // Each difference is taken as it is told: all of them together may be as large as the content.
        let mut replica = std::mem::take(&mut self.replica);
        replica.apply_each(event, |delta| self.take(delta, is_alone, lens));
        self.replica = replica;
    }

    fn take(&mut self, delta: Delta, is_alone: bool, lens: &(impl Lens<V> + ?Sized)) {
        match delta {
            Delta::Put { entry, previous } => {
                let is_again = self.touch(&entry.key, entry.revision, is_alone);
                self.put(entry, previous.as_ref(), is_again, lens);
            }
            Delta::Deleted { previous, revision } => {
                self.touch(&previous.key, revision, is_alone);
                self.view.nodes.remove_mut(&previous.key);
                self.view.rejected.remove_mut(&previous.key);
            }
            Delta::Current { revision, asked } => {
                self.view.revision = self.view.revision.max(revision);
                self.view.is_synced = true;
                self.proved = Some((self.view.revision, asked));
                self.end_batch();
            }
        }
    }

    /// The next batch, if one is complete.
    pub(super) fn poll_batch(&mut self) -> Option<Told<V>> {
        self.told.pop_front()
    }

    /// Up to where the view was proved complete since this was asked last, and when the proof was requested.
    pub(super) const fn poll_proof(&mut self) -> Option<(Revision, Moment)> {
        self.proved.take()
    }

    /// Nothing more is there for now: where batches are best effort, what is there is one.
    pub(super) fn handle_quiet(&mut self) {
        if !self.is_atomic {
            self.end_batch();
        }
    }

    /// Notes that a node may differ; `true` if the batch has touched it already.
    fn touch(&mut self, key: &Key, revision: Revision, is_alone: bool) -> bool {
        if is_alone && (self.touched.len() >= BATCH_MAX || self.touched.contains_key(key)) {
            self.end_batch();
        }
        if is_alone {
            self.view.revision = self.view.revision.max(revision);
        }
        self.touched.insert(key.clone(), revision).is_some()
    }

    fn put(
        &mut self,
        entry: Entry,
        previous: Option<&Entry>,
        is_again: bool,
        lens: &(impl Lens<V> + ?Sized),
    ) {
        let Entry { key, value: bytes, revision, created, .. } = entry;
        let held = self.view.nodes.get(&key);
        let held =
            held.filter(|held| held.created == created).map(|held| (Arc::clone(&held.value), &held.bytes));
        if let Some((value, _)) = held.as_ref().filter(|(_, held)| **held == bytes) {
            let value = Arc::clone(value);
            self.hold(key, Held { value, bytes, revision, created });
            return;
        }
        if previous.is_some_and(|previous| previous.created == created && previous.value == bytes) {
            // It was looked at already and did not belong to the view, or could not be decoded.
            return;
        }
        match lens.view(&key, &bytes) {
            Ok(Some(new)) => {
                let value = match held {
                    Some((held, _)) if lens.is_same(&held, &new) => held,
                    _ if is_again => self.as_before(&key, created, &bytes, new, lens),
                    _ => Arc::new(new),
                };
                self.hold(key, Held { value, bytes, revision, created });
            }
            Ok(None) => {
                self.view.nodes.remove_mut(&key);
                self.view.rejected.remove_mut(&key);
            }
            Err(error) => {
                if held.is_none() {
                    // What is held under this key, if anything, was another node.
                    self.view.nodes.remove_mut(&key);
                }
                tracing::warn!(%key, %revision, %error, "a node is rejected");
                self.view.rejected.insert_mut(key, Rejection { revision, error });
            }
        }
    }

    /// A value of a node that the batch has touched already: what the last batch left, if it is that again.
    fn as_before(
        &self,
        key: &Key,
        created: Revision,
        bytes: &Bytes,
        new: V,
        lens: &(impl Lens<V> + ?Sized),
    ) -> Arc<V> {
        let told = self.before.nodes.get(key).filter(|told| told.created == created);
        let same = told.filter(|told| told.bytes == *bytes || lens.is_same(&told.value, &new));
        same.map_or_else(|| Arc::new(new), |told| Arc::clone(&told.value))
    }

    fn hold(&mut self, key: Key, held: Held<V>) {
        self.view.rejected.remove_mut(&key);
        self.view.nodes.insert_mut(key, held);
    }

    fn end_batch(&mut self) {
        if self.touched.is_empty() && self.view.is_synced == self.before.is_synced {
            return;
        }
        let touched = std::mem::take(&mut self.touched);
        let events = self.view.since(&self.before, &touched, |was, is| Arc::ptr_eq(&was.value, &is.value));
        let before = std::mem::replace(&mut self.before, self.view.clone());
        let View { revision, is_synced, .. } = self.view;
        let batch = Batch { revision, events, is_synced, is_coalesced: false };
        self.told.push_back(Told { batch, before, after: self.view.clone() });
    }
}

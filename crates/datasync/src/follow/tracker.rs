//! The tracker: events of a watch in, batches of a typed view out. It performs no I/O.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Batch;
use super::lens::Lens;
use super::view::{Held, Rejection, Touched, View};
use crate::{Delta, Entry, Event, Key, Moment, Replica, Revision};

/// How many nodes one batch may touch where the store does not say where a batch ends.
const BATCH_MAX: usize = 1024;

/// Turns the events of a watch into batches.
pub(super) struct Tracker<V> {
    replica: Replica,
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
        let life = self.replica.incarnation();
        let deltas = self.replica.apply(event);
        if self.replica.incarnation() != life {
            // Another life of the store, whose revisions begin again.
            self.view.revision = Revision::ZERO;
        }
        for delta in deltas {
            match delta {
                Delta::Put { entry, previous } => {
                    self.touch(&entry.key, entry.revision, is_alone);
                    self.put(entry, previous.as_ref(), lens);
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

    fn touch(&mut self, key: &Key, revision: Revision, is_alone: bool) {
        if is_alone && (self.touched.len() >= BATCH_MAX || self.touched.contains_key(key)) {
            self.end_batch();
        }
        self.touched.insert(key.clone(), revision);
        if is_alone {
            self.view.revision = self.view.revision.max(revision);
        }
    }

    fn put(&mut self, entry: Entry, previous: Option<&Entry>, lens: &(impl Lens<V> + ?Sized)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::FollowEvent;
    use crate::follow::lens::Projected;
    use crate::{Incarnation, Json, Stat, Version};
    use bytes::Bytes;

    fn entry(name: &str, at: u64, value: u64) -> Entry {
        let (key, revision) = (Key::parse(name).unwrap(), Revision::new(at));
        // Made at 1, whenever it was written.
        let created = Revision::new(1);
        Entry::new(Stat::new(key, created, revision, Version::new(created, at)), value.to_string().into())
    }

    fn delete(name: &str, at: u64) -> Event {
        Event::Delete { key: Key::parse(name).unwrap(), revision: Revision::new(at) }
    }

    fn lens() -> impl Lens<u64> {
        Projected {
            codec: Json,
            passes: Box::new(|_| true),
            project: Box::new(Some::<u64>),
            is_same: |_: &u64, _: &u64| false,
        }
    }

    fn live(is_atomic: bool) -> Tracker<u64> {
        let mut tracker = Tracker::new(is_atomic);
        tracker.apply(Event::ResyncStart { incarnation: Incarnation::new(1) }, &lens());
        let done = Event::ResyncDone { revision: Revision::new(1), asked: Moment::ORIGIN };
        tracker.apply(done, &lens());
        assert_eq!(batches(&mut tracker), [1]);
        tracker
    }

    /// How many events each batch has that is complete.
    fn batches(tracker: &mut Tracker<u64>) -> Vec<usize> {
        std::iter::from_fn(|| tracker.poll_batch()).map(|told| told.batch.events.len()).collect()
    }

    fn progress(at: u64) -> Event {
        Event::Progress { revision: Revision::new(at), asked: Moment::ORIGIN }
    }

    #[test]
    fn where_commits_are_told_whole_a_batch_ends_with_progress_and_not_before() {
        let mut tracker = live(true);
        tracker.apply(Event::Put(entry("/a", 2, 1)), &lens());
        tracker.handle_quiet();
        tracker.apply(Event::Put(entry("/b", 2, 1)), &lens());
        assert!(batches(&mut tracker).is_empty());
        tracker.apply(progress(2), &lens());
        assert_eq!(batches(&mut tracker), [2]);
        tracker.apply(progress(3), &lens());
        assert!(batches(&mut tracker).is_empty());
        assert_eq!(tracker.poll_proof().unwrap().0, Revision::new(3));
    }

    #[test]
    fn elsewhere_a_batch_is_what_comes_at_once_and_has_no_node_twice() {
        let mut tracker = live(false);
        for event in [Event::Put(entry("/a", 2, 1)), Event::Put(entry("/b", 3, 1)), delete("/a", 4)] {
            tracker.apply(event, &lens());
        }
        assert_eq!(batches(&mut tracker), [2]);
        tracker.handle_quiet();
        assert_eq!(batches(&mut tracker), [1]);
    }

    #[test]
    fn a_batch_without_an_end_is_cut() {
        let mut tracker = live(false);
        for n in 0..3 * BATCH_MAX as u64 {
            tracker.apply(Event::Put(entry(&format!("/{n}"), n + 2, 1)), &lens());
        }
        assert_eq!(batches(&mut tracker), [BATCH_MAX, BATCH_MAX]);
    }

    #[test]
    fn half_a_commit_is_told_with_the_resync_that_cut_it_off() {
        let mut tracker = live(true);
        tracker.apply(Event::Put(entry("/a", 2, 1)), &lens());
        tracker.apply(Event::ResyncStart { incarnation: Incarnation::new(1) }, &lens());
        tracker.apply(Event::Resync(entry("/a", 3, 2)), &lens());
        tracker.apply(Event::Resync(entry("/b", 2, 1)), &lens());
        tracker.apply(Event::ResyncDone { revision: Revision::new(3), asked: Moment::ORIGIN }, &lens());
        let told = tracker.poll_batch().unwrap();
        assert_eq!(told.batch.events.len(), 2);
        assert!(matches!(&told.batch.events[0], FollowEvent::New { value, .. } if **value == 2));
    }

    #[test]
    fn what_is_held_is_the_buffer_of_the_replica() {
        let mut tracker = live(true);
        let value = Bytes::from(b"12345".to_vec());
        let entry = Entry { value: value.clone(), ..entry("/a", 2, 1) };
        tracker.apply(Event::Put(entry), &lens());
        let held = tracker.view.nodes.get(&Key::parse("/a").unwrap()).unwrap();
        assert_eq!(held.bytes.as_ptr(), value.as_ptr());
    }
}

//! Watches: who wants to know what, each with a queue of its own.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use quorate_datasync::{Key, Moment, RawChange, Selection};
use tokio::sync::mpsc;

use crate::read::revision;

/// How many changes wait for one consumer. Past it the consumer is told a gap.
const QUEUE_MAX: usize = 32 * 1024;

/// How many bytes of values wait for one consumer, unless it is a single value.
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The changes of one watch, as its consumer gets them. It ends when the store is closed.
#[derive(Debug)]
pub(crate) struct Changes {
    queue: mpsc::Receiver<RawChange>,
    bytes: Arc<AtomicUsize>,
}

impl Stream for Changes {
    type Item = RawChange;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RawChange>> {
        let next = self.queue.poll_recv(cx);
        if let Poll::Ready(Some(change)) = &next {
            self.bytes.fetch_sub(weight(change), Ordering::Relaxed);
        }
        next
    }
}

/// The queue of one watch, as it is filled.
#[derive(Debug)]
pub(crate) struct Watcher {
    selection: Selection,
    queue: mpsc::Sender<RawChange>,
    bytes: Arc<AtomicUsize>,
    /// The consumer missed something and was not told yet.
    owes_gap: bool,
    /// What is told together once it is complete.
    pending: Vec<RawChange>,
    /// The revision of the last change that is pending.
    pending_at: i64,
}

impl Watcher {
    pub(crate) fn new(selection: Selection) -> (Self, Changes) {
        Self::with_capacity(selection, QUEUE_MAX)
    }

    fn with_capacity(selection: Selection, changes_max: usize) -> (Self, Changes) {
        let (tx, rx) = mpsc::channel(changes_max);
        let bytes = Arc::default();
        let changes = Changes { queue: rx, bytes: Arc::clone(&bytes) };
        (Self { selection, queue: tx, bytes, owes_gap: false, pending: Vec::new(), pending_at: 0 }, changes)
    }

    pub(crate) fn selects(&self, change: &RawChange) -> bool {
        match change {
            RawChange::Put(entry) => self.selection.contains(&entry.key),
            RawChange::Delete(key, _) | RawChange::Dirty(key) => self.selection.contains(key),
            RawChange::Progress { .. } | RawChange::Gap => true,
        }
    }

    /// Adds a change to what is told next. A commit ends where the next begins; what is known so far was proved
    /// at `proved`.
    pub(crate) fn add(&mut self, at: i64, change: RawChange, proved: Moment) {
        if !self.pending.is_empty() && self.pending_at != at {
            let ended = revision(self.pending_at);
            self.pending.push(RawChange::Progress { revision: ended, asked: proved });
        }
        self.pending_at = at;
        self.pending.push(change);
    }

    /// Tells what was added, and that this is all up to `cursor`.
    pub(crate) fn finish(&mut self, cursor: i64, asked: Moment) {
        self.pending.push(RawChange::Progress { revision: revision(cursor), asked });
        let pending = std::mem::take(&mut self.pending);
        self.send(pending);
    }

    /// Tells that something before the watch, or within it, cannot be told.
    pub(crate) fn miss(&mut self, whole: bool) {
        self.pending.clear();
        match &self.selection {
            Selection::Key(key) if !whole => {
                let dirty = RawChange::Dirty(key.clone());
                self.send(vec![dirty]);
            }
            Selection::Key(_) | Selection::Prefix(_) => {
                self.owes_gap = true;
                self.pay();
            }
        }
    }

    /// Queues all of it, or tells a gap.
    fn send(&mut self, changes: Vec<RawChange>) {
        if !self.pay() {
            return;
        }
        let bytes: usize = changes.iter().map(weight).sum();
        let queued = self.bytes.load(Ordering::Relaxed);
        // One place is kept for the gap.
        let fits =
            changes.len() < self.queue.capacity() && (queued == 0 || queued + bytes <= QUEUE_BYTES_MAX);
        if !fits {
            // Progress alone holds nothing that could be missed.
            self.owes_gap = changes.iter().any(|change| !matches!(change, RawChange::Progress { .. }));
            self.pay();
            return;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        for change in changes {
            // It fails only if nobody listens any more.
            let _ = self.queue.try_send(change);
        }
    }

    /// Tells the gap that is owed, if there is room. Returns whether none is owed any more.
    fn pay(&mut self) -> bool {
        if self.owes_gap && self.queue.try_send(RawChange::Gap).is_ok() {
            self.owes_gap = false;
        }
        !self.owes_gap
    }
}

/// All watches of a store, found by what they select.
#[derive(Debug)]
pub(crate) struct Hub {
    watchers: HashMap<u64, Watcher>,
    by_key: HashMap<Key, Vec<u64>>,
    /// By the key that they are below of; the root is `""`.
    by_prefix: HashMap<String, Vec<u64>>,
    touched: HashSet<u64>,
    next: u64,
    /// When it was last proved that everything had been told.
    proved: Moment,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self {
            watchers: HashMap::new(),
            by_key: HashMap::new(),
            by_prefix: HashMap::new(),
            touched: HashSet::new(),
            next: 0,
            proved: Moment::ORIGIN,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    pub(crate) fn add(&mut self, watcher: Watcher) {
        self.next += 1;
        match &watcher.selection {
            Selection::Key(key) => self.by_key.entry(key.clone()).or_default().push(self.next),
            Selection::Prefix(prefix) => {
                let base = prefix.key().map_or("", Key::as_str).to_owned();
                self.by_prefix.entry(base).or_default().push(self.next);
            }
        }
        self.watchers.insert(self.next, watcher);
    }

    /// Adds a change to what each watch that selects its key is told next.
    pub(crate) fn tell(&mut self, at: i64, change: &RawChange) {
        let (RawChange::Put(quorate_datasync::Entry { key, .. }) | RawChange::Delete(key, _)) = change else {
            return;
        };
        let text = key.as_str();
        let above = text.match_indices('/').filter_map(|(end, _)| self.by_prefix.get(text.get(..end)?));
        for id in self.by_key.get(text).into_iter().chain(above).flatten() {
            if let Some(watcher) = self.watchers.get_mut(id) {
                watcher.add(at, change.clone(), self.proved);
                self.touched.insert(*id);
            }
        }
    }

    /// Tells what was added. Everything up to `cursor` was read after `asked`.
    pub(crate) fn finish(&mut self, cursor: i64, asked: Moment) {
        for id in self.touched.drain() {
            if let Some(watcher) = self.watchers.get_mut(&id) {
                watcher.finish(cursor, asked);
            }
        }
        self.proved = asked;
    }

    /// Tells every watch that it is current.
    pub(crate) fn progress(&mut self, cursor: i64, asked: Moment) {
        for watcher in self.watchers.values_mut() {
            watcher.finish(cursor, asked);
        }
        self.proved = asked;
    }

    /// Tells every watch that something may have been missed.
    pub(crate) fn gap(&mut self) {
        self.touched.clear();
        for watcher in self.watchers.values_mut() {
            watcher.miss(true);
        }
    }

    /// Forgets the watches that nobody listens to any more.
    pub(crate) fn sweep(&mut self) {
        let before = self.watchers.len();
        self.watchers.retain(|_, watcher| !watcher.queue.is_closed());
        if self.watchers.len() == before {
            return;
        }
        let watchers = &self.watchers;
        let is_left = |ids: &mut Vec<u64>| {
            ids.retain(|id| watchers.contains_key(id));
            !ids.is_empty()
        };
        self.by_key.retain(|_, ids| is_left(ids));
        self.by_prefix.retain(|_, ids| is_left(ids));
    }
}

/// What a change costs while it waits.
const fn weight(change: &RawChange) -> usize {
    match change {
        RawChange::Put(entry) => entry.value.len(),
        RawChange::Delete(..) | RawChange::Dirty(_) | RawChange::Progress { .. } | RawChange::Gap => 0,
    }
}

#[cfg(test)]
mod tests {
    use quorate_datasync::{Prefix, Revision};

    use super::*;

    fn deleted(key: &str, at: u64) -> RawChange {
        RawChange::Delete(Key::parse(key).unwrap(), Revision::new(at))
    }

    fn progress(at: u64, asked: Moment) -> RawChange {
        RawChange::Progress { revision: Revision::new(at), asked }
    }

    fn all() -> Selection {
        Selection::Prefix(Prefix::root())
    }

    fn drain(changes: &mut Changes) -> Vec<RawChange> {
        std::iter::from_fn(|| changes.queue.try_recv().ok()).collect()
    }

    fn watch(hub: &mut Hub, selection: Selection) -> Changes {
        let (watcher, changes) = Watcher::new(selection);
        hub.add(watcher);
        changes
    }

    #[test]
    fn each_watch_is_told_what_it_selects() {
        let mut hub = Hub::new();
        let mut key = watch(&mut hub, Selection::Key(Key::parse("/a/b").unwrap()));
        let mut below = watch(&mut hub, Selection::Prefix(Prefix::parse("/a").unwrap()));
        let mut every = watch(&mut hub, all());
        for (at, name) in [(1, "/a"), (2, "/a/b"), (3, "/a/b/c"), (4, "/ab")] {
            hub.tell(at, &deleted(name, at.unsigned_abs()));
        }
        hub.finish(4, Moment::ORIGIN);
        let told = |changes: &mut Changes| {
            drain(changes).iter().filter(|c| matches!(c, RawChange::Delete(..))).count()
        };
        assert_eq!((told(&mut key), told(&mut below), told(&mut every)), (1, 2, 4));
    }

    #[test]
    fn each_commit_is_told_together_and_only_the_last_is_proved_anew() {
        let (earlier, now) = (Moment::from_nanos(1), Moment::from_nanos(2));
        let mut hub = Hub::new();
        let mut changes = watch(&mut hub, all());
        hub.progress(0, earlier);
        for (at, name) in [(1, "/a"), (1, "/b"), (2, "/c")] {
            hub.tell(at, &deleted(name, at.unsigned_abs()));
        }
        hub.finish(3, now);
        let expected = [
            progress(0, earlier),
            deleted("/a", 1),
            deleted("/b", 1),
            progress(1, earlier),
            deleted("/c", 2),
            progress(3, now),
        ];
        assert_eq!(drain(&mut changes), expected);
    }

    #[test]
    fn a_slow_consumer_is_told_a_gap_and_then_what_follows() {
        let (mut watcher, mut changes) = Watcher::with_capacity(all(), 4);
        for at in 1..10 {
            watcher.add(at, deleted("/a", at.unsigned_abs()), Moment::ORIGIN);
            watcher.finish(at, Moment::ORIGIN);
        }
        let told = drain(&mut changes);
        assert_eq!(told[2..], [RawChange::Gap, RawChange::Gap]);
        watcher.finish(10, Moment::ORIGIN);
        assert_eq!(drain(&mut changes), [RawChange::Gap, progress(10, Moment::ORIGIN)]);
        watcher.add(11, deleted("/a", 11), Moment::ORIGIN);
        watcher.finish(11, Moment::ORIGIN);
        assert_eq!(drain(&mut changes), [deleted("/a", 11), progress(11, Moment::ORIGIN)]);
    }

    #[test]
    fn a_watch_that_was_dropped_is_forgotten() {
        let mut hub = Hub::new();
        drop(watch(&mut hub, all()));
        let kept = watch(&mut hub, Selection::Key(Key::parse("/a").unwrap()));
        hub.sweep();
        assert_eq!((hub.watchers.len(), hub.by_prefix.len(), hub.by_key.len()), (1, 0, 1));
        drop(kept);
        hub.sweep();
        assert!(hub.is_empty() && hub.by_key.is_empty());
    }
}

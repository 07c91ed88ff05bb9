//! One watch: what its consumer wants to know, and a queue of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use quorate_datasync::{Moment, RawChange, Selection};
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
            self.bytes.fetch_sub(change.value_bytes(), Ordering::Relaxed);
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

    pub(crate) const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Whether nobody listens any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    pub(crate) fn selects(&self, change: &RawChange) -> bool {
        change.key().is_none_or(|key| self.selection.contains(key))
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
        let bytes: usize = changes.iter().map(RawChange::value_bytes).sum();
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

#[cfg(test)]
pub(crate) mod tests {
    use quorate_datasync::{Key, Prefix, Revision};

    use super::*;

    pub(crate) fn deleted(key: &str, at: u64) -> RawChange {
        RawChange::Delete(Key::parse(key).unwrap(), Revision::new(at))
    }

    pub(crate) fn progress(at: u64, asked: Moment) -> RawChange {
        RawChange::Progress { revision: Revision::new(at), asked }
    }

    pub(crate) fn all() -> Selection {
        Selection::Prefix(Prefix::root())
    }

    pub(crate) fn drain(changes: &mut Changes) -> Vec<RawChange> {
        std::iter::from_fn(|| changes.queue.try_recv().ok()).collect()
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
}

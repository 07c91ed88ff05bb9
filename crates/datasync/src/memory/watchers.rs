//! Who watches what, and what they were not told yet.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::task::{Context, Poll, Waker};

use crate::{Key, Prefix, RawChange, Selection};

use super::client::ClientId;
use super::history::Commit;

/// How many changes may wait for one watcher. More than the largest transaction, so that a consumer that keeps up
/// can be told any of them.
const QUEUE_MAX: usize = 16_384;

/// How many bytes of values may wait for one watcher.
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// All watchers of a store.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    /// Unlike a table it gives its memory back when many are gone.
    watchers: BTreeMap<WatcherId, Watcher>,
    selections: HashMap<Selection, BTreeSet<WatcherId>>,
    next: u64,
    /// Who is to be woken once the lock is free.
    woken: Vec<Waker>,
}

/// Tells one watcher from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct WatcherId(u64);

#[derive(Debug)]
struct Watcher {
    client: ClientId,
    selection: Selection,
    queue: VecDeque<RawChange>,
    bytes: usize,
    waker: Option<Waker>,
    /// The connection of its client is lost: it hears nothing.
    is_cut: bool,
}

impl Watchers {
    pub(super) fn add(&mut self, client: ClientId, selection: &Selection) -> WatcherId {
        let id = WatcherId(self.next);
        self.next += 1;
        let selection = selection.clone();
        self.selections.entry(selection.clone()).or_default().insert(id);
        let (queue, bytes, waker, is_cut) = (VecDeque::new(), 0, None, false);
        self.watchers.insert(id, Watcher { client, selection, queue, bytes, waker, is_cut });
        id
    }

    /// Ends a watcher. Its stream ends too, if there still is one.
    pub(super) fn remove(&mut self, id: WatcherId) {
        let Some(watcher) = self.watchers.remove(&id) else { return };
        self.woken.extend(watcher.waker);
        if let Some(ids) = self.selections.get_mut(&watcher.selection) {
            ids.remove(&id);
            if ids.is_empty() {
                self.selections.remove(&watcher.selection);
                self.shrink();
            }
        }
    }

    /// Gives back the memory of a table that once was much larger.
    fn shrink(&mut self) {
        if self.selections.len() < self.selections.capacity() / 8 {
            self.selections.shrink_to(2 * self.selections.len());
        }
    }

    pub(super) fn remove_all_of(&mut self, client: ClientId) {
        for id in self.ids_of(client) {
            self.remove(id);
        }
    }

    /// Tells a commit to all whom it concerns: its changes together, then the progress.
    pub(super) fn tell(&mut self, commit: &Commit) {
        let mut concerned = BTreeSet::new();
        for change in &commit.changes {
            let Some(key) = change.key() else { continue };
            for id in self.watching(key) {
                concerned.insert(id);
                self.push(id, change.clone());
            }
        }
        for id in concerned {
            self.push(id, commit.progress());
        }
    }

    /// Puts a change into the queue of a watcher, or a gap in place of everything when it is full.
    pub(super) fn push(&mut self, id: WatcherId, change: RawChange) {
        let Some(watcher) = self.watchers.get_mut(&id).filter(|watcher| !watcher.is_cut) else { return };
        watcher.bytes += change.value_bytes();
        watcher.queue.push_back(change);
        if watcher.queue.len() > QUEUE_MAX || watcher.bytes > QUEUE_BYTES_MAX {
            watcher.forget();
        }
        self.woken.extend(watcher.waker.take());
    }

    /// From now on the watchers of this client hear nothing.
    pub(super) fn cut(&mut self, client: ClientId) {
        for watcher in self.watchers.values_mut().filter(|watcher| watcher.client == client) {
            watcher.is_cut = true;
        }
    }

    /// The watchers of this client hear again, first of all that they missed something.
    pub(super) fn rejoin(&mut self, client: ClientId) {
        for id in self.ids_of(client) {
            if let Some(watcher) = self.watchers.get_mut(&id) {
                watcher.is_cut = false;
                watcher.forget();
                self.woken.extend(watcher.waker.take());
            }
        }
    }

    /// Tells everybody that something was missed.
    pub(super) fn tell_gap(&mut self) {
        for watcher in self.watchers.values_mut().filter(|watcher| !watcher.is_cut) {
            watcher.forget();
            self.woken.extend(watcher.waker.take());
        }
    }

    /// The next change for a watcher, or its end.
    pub(super) fn poll(&mut self, id: WatcherId, cx: &Context<'_>) -> Poll<Option<RawChange>> {
        let Some(watcher) = self.watchers.get_mut(&id) else { return Poll::Ready(None) };
        if let Some(change) = watcher.queue.pop_front() {
            watcher.bytes -= change.value_bytes();
            return Poll::Ready(Some(change));
        }
        match &mut watcher.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => watcher.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    pub(super) fn take_woken(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.woken)
    }

    fn ids_of(&self, client: ClientId) -> Vec<WatcherId> {
        let is_of = |(id, watcher): (&WatcherId, &Watcher)| (watcher.client == client).then_some(*id);
        self.watchers.iter().filter_map(is_of).collect()
    }

    /// Who watches this key: alone, or below one of its parents.
    fn watching(&self, key: &Key) -> Vec<WatcherId> {
        let mut ids: Vec<WatcherId> = self.ids_at(&Selection::Key(key.clone())).collect();
        let mut parent = key.parent();
        while let Some(above) = parent {
            parent = above.parent();
            ids.extend(self.ids_at(&Selection::Prefix(above.below())));
        }
        ids.extend(self.ids_at(&Selection::Prefix(Prefix::root())));
        ids
    }

    fn ids_at(&self, selection: &Selection) -> impl Iterator<Item = WatcherId> {
        self.selections.get(selection).into_iter().flatten().copied()
    }
}

impl Watcher {
    /// Drops what waits and leaves a gap in its place.
    fn forget(&mut self) {
        self.queue.clear();
        self.queue.push_back(RawChange::Gap);
        self.bytes = 0;
    }
}

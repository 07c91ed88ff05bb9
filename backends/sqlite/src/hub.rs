//! All watches of a store: who is told of what.

use std::collections::{HashMap, HashSet};

use quorate_datasync::{Key, Moment, RawChange, Selection};

use crate::watch::Watcher;

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
        match watcher.selection() {
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
        let Some(key) = change.key() else { return };
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
        self.watchers.retain(|_, watcher| !watcher.is_closed());
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

#[cfg(test)]
mod tests {
    use quorate_datasync::Prefix;

    use super::*;
    use crate::watch::Changes;
    use crate::watch::tests::{all, deleted, drain, progress};

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

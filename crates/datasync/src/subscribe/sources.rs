//! Which prefixes are watched, so that every subscriber is told what it wants, and a commit at once.
//!
//! A prefix that lies within a watched one is not watched again. Where the store tells commits atomically, all that
//! a hub wants is watched as one: at the deepest prefix that contains it all, for two watches would tell the parts
//! of one commit at different times. Elsewhere each prefix has a watch of its own.
//!
//! When a wider watch is needed, it loads while the narrower ones go on, and then takes their place. It stays as
//! wide until nobody wants anything of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::source::{Fed, Source, SourceId};
use crate::key::above;
use crate::{Delta, Entry, Event, Key, Prefix, Result, Revision};

/// Everything that a hub watches.
#[derive(Debug)]
pub(super) struct Sources {
    is_atomic: bool,
    next: u64,
    all: BTreeMap<SourceId, Source>,
    /// The open sources by the text of the key that they are below of. None lies within another.
    open: BTreeMap<String, SourceId>,
    /// The sources that are to take the place of narrower ones.
    waiting: BTreeSet<SourceId>,
    /// What the driver was not told yet.
    begun: Vec<SourceId>,
    ended: Vec<SourceId>,
    /// What the board was not told yet: these are looked into from now on.
    opened: Vec<SourceId>,
}

impl Sources {
    pub(super) fn new(is_atomic: bool) -> Self {
        Self {
            is_atomic,
            next: 0,
            all: BTreeMap::new(),
            open: BTreeMap::new(),
            waiting: BTreeSet::new(),
            begun: Vec::new(),
            ended: Vec::new(),
            opened: Vec::new(),
        }
    }

    /// Takes what is to be watched since this was asked last.
    pub(super) fn take_begun(&mut self) -> Vec<(SourceId, Prefix)> {
        let begun = std::mem::take(&mut self.begun);
        begun.into_iter().filter_map(|id| Some((id, self.all.get(&id)?.prefix.clone()))).collect()
    }

    /// Takes the sources that are looked into since this was asked last.
    pub(super) fn take_opened(&mut self) -> Vec<SourceId> {
        std::mem::take(&mut self.opened)
    }

    /// Takes what is to be watched no more.
    pub(super) fn take_ended(&mut self) -> Vec<SourceId> {
        std::mem::take(&mut self.ended)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether the changes of a commit are being told, and their end was not.
    pub(super) fn is_within_commit(&self) -> bool {
        self.is_atomic && self.all.values().any(|source| source.is_open && source.is_within_commit)
    }

    pub(super) fn get(&self, id: SourceId) -> Option<&Source> {
        self.all.get(&id)
    }

    pub(super) const fn is_atomic(&self) -> bool {
        self.is_atomic
    }

    pub(super) fn open_len(&self) -> usize {
        self.open.len()
    }

    /// The open source that a key is of.
    pub(super) fn of(&self, key: &Key) -> Option<(SourceId, &Source)> {
        let id = above(key.as_str()).find_map(|text| self.open.get(text))?;
        Some((*id, self.all.get(id)?))
    }

    /// The open source that a prefix lies within.
    pub(super) fn over(&self, prefix: &Prefix) -> Option<(SourceId, &Source)> {
        let id = above(prefix.base()).chain([prefix.base()]).find_map(|text| self.open.get(text))?;
        Some((*id, self.all.get(id)?))
    }

    /// The entry under a key, as it was told.
    pub(super) fn entry(&self, key: &Key) -> Option<&Entry> {
        self.of(key).and_then(|(_, source)| source.replica.get(key))
    }

    /// Why the content of a prefix does not come, if the store refuses it.
    pub(super) fn refusal(&self, prefix: &Prefix) -> Option<Arc<str>> {
        let over = self.all.values().filter(|source| source.prefix.covers(prefix));
        over.filter_map(|source| source.refused.clone()).next()
    }

    /// Takes part of the source that a prefix lies within, which is watched from now on if it was not.
    pub(super) fn join(&mut self, prefix: &Prefix) {
        if let Some(source) = self.holder(prefix).and_then(|id| self.all.get_mut(&id)) {
            source.users += 1;
            return;
        }
        let mut wide = prefix.clone();
        if self.is_atomic {
            for source in self.all.values() {
                wide = wide.common(&source.prefix);
            }
        }
        let is_open = !self.has_within(&wide);
        let id = self.begin(wide, is_open);
        if let Some(source) = self.all.get_mut(&id) {
            source.users = 1;
        }
    }

    fn begin(&mut self, prefix: Prefix, is_open: bool) -> SourceId {
        let id = SourceId(self.next);
        self.next += 1;
        if is_open {
            self.open.insert(prefix.base().to_owned(), id);
        } else {
            self.waiting.insert(id);
        }
        self.all.insert(id, Source::new(prefix, self.is_atomic, is_open));
        self.begun.push(id);
        id
    }

    /// Gives up what [`join`](Self::join) gave. A source that nobody wants is watched no more.
    pub(super) fn leave(&mut self, prefix: &Prefix) {
        let Some(id) = self.holder(prefix) else { return };
        let Some(source) = self.all.get_mut(&id) else { return };
        source.users -= 1;
        if source.users == 0 {
            self.end(id);
            self.open_what_replaces_nothing();
        }
    }

    /// The source that counts a prefix among its users.
    fn holder(&self, prefix: &Prefix) -> Option<SourceId> {
        let open = self.over(prefix).map(|(id, _)| id);
        let covers_it = |id: &&SourceId| self.all.get(id).is_some_and(|wide| wide.prefix.covers(prefix));
        open.or_else(|| self.waiting.iter().find(covers_it).copied())
    }

    /// Whether there are sources within a prefix.
    fn has_within(&self, prefix: &Prefix) -> bool {
        let below = prefix.text();
        let mut after = self.open.range(below.clone()..);
        let is_within = |id: &SourceId| self.all.get(id).is_some_and(|source| prefix.covers(&source.prefix));
        after.next().is_some_and(|(text, _)| text.starts_with(&below)) || self.waiting.iter().any(is_within)
    }

    fn end(&mut self, id: SourceId) -> Option<Source> {
        let source = self.all.remove(&id)?;
        if !self.waiting.remove(&id) {
            self.open.remove(source.prefix.base());
        }
        self.ended.push(id);
        Some(source)
    }

    /// Takes what the watch of a source told.
    pub(super) fn feed(&mut self, id: SourceId, told: Result<Event>) -> Option<Fed> {
        let source = self.all.get_mut(&id)?;
        let fed = source.feed(told);
        if fed.synced.is_some() && self.is_atomic {
            self.load_again_what_lags();
        }
        Some(fed)
    }

    /// A key that is not held is known to have been absent at a revision.
    pub(super) fn remember_deleted(&mut self, key: &Key, revision: Revision) {
        let Some((id, _)) = self.of(key) else { return };
        if let Some(source) = self.all.get_mut(&id).filter(|source| source.replica.get(key).is_none()) {
            source.replica.apply(Event::Delete { key: key.clone(), revision });
        }
    }

    /// A source may have been loaded up to a revision that a wider one, loaded before, will never be told of: what
    /// was committed in between need not concern it. So that is loaded again.
    fn load_again_what_lags(&mut self) {
        let lags = |id: &SourceId| {
            let Some(wide) = self.all.get(id).filter(|wide| wide.replica.is_synced()) else { return false };
            let mut open = self.open.values().filter_map(|id| self.all.get(id));
            open.any(|narrow| wide.prefix.covers(&narrow.prefix) && wide.was_loaded_before(narrow))
        };
        for old in self.waiting.iter().copied().filter(lags).collect::<Vec<_>>() {
            let Some(Source { prefix, users, .. }) = self.end(old) else { continue };
            let id = self.begin(prefix, false);
            if let Some(source) = self.all.get_mut(&id) {
                source.users = users;
            }
        }
    }

    /// Lets a wider source that is complete take the place of those within it, and gives back what is different.
    pub(super) fn widen(&mut self, id: SourceId) -> Option<Vec<Delta>> {
        let wide = self.all.get(&id).filter(|wide| !wide.is_open && wide.replica.is_synced())?;
        let within: Vec<SourceId> = self
            .all
            .iter()
            .filter(|(other, source)| **other != id && wide.prefix.covers(&source.prefix))
            .map(|(other, _)| *other)
            .collect();
        let lags = |other: &SourceId| self.all.get(other).is_some_and(|other| !wide.has_reached(other));
        if within.iter().any(lags) {
            return None;
        }
        let olds: Vec<Source> = within.iter().filter_map(|other| self.end(*other)).collect();
        self.waiting.remove(&id);
        let wide = self.all.get_mut(&id)?;
        wide.is_open = true;
        wide.users += olds.iter().map(|old| old.users).sum::<usize>();
        let told: Vec<Source> = olds.into_iter().filter(|old| old.is_open).collect();
        wide.take_newer(&told);
        let deltas = wide.difference(&told);
        self.open.insert(wide.prefix.base().to_owned(), id);
        self.opened.push(id);
        Some(deltas)
    }

    /// The wider sources that wait to take the place of others.
    pub(super) fn waiting(&self) -> Vec<SourceId> {
        self.waiting.iter().copied().collect()
    }

    /// What was to replace others that are gone replaces nothing, and is looked into from now on.
    fn open_what_replaces_nothing(&mut self) {
        for id in self.waiting() {
            let Some(prefix) = self.all.get(&id).map(|source| source.prefix.clone()) else { continue };
            self.waiting.remove(&id);
            if self.has_within(&prefix) {
                self.waiting.insert(id);
            } else if let Some(source) = self.all.get_mut(&id) {
                source.is_open = true;
                self.open.insert(prefix.base().to_owned(), id);
                self.opened.push(id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).unwrap()
    }

    fn watched(sources: &Sources) -> Vec<String> {
        sources.all.values().map(|source| source.prefix.to_string()).collect()
    }

    #[test]
    fn a_prefix_within_a_watched_one_is_not_watched_again() {
        let mut sources = Sources::new(false);
        sources.join(&prefix("/a"));
        sources.join(&prefix("/a/b"));
        sources.join(&prefix("/c"));
        assert_eq!(watched(&sources), ["/a", "/c"]);
        sources.leave(&prefix("/a"));
        assert_eq!(watched(&sources), ["/a", "/c"]);
        sources.leave(&prefix("/a/b"));
        sources.leave(&prefix("/c"));
        assert!(sources.is_empty() && sources.open.is_empty());
    }

    #[test]
    fn where_commits_are_told_at_once_all_is_watched_as_one() {
        let mut sources = Sources::new(true);
        sources.join(&prefix("/a/b"));
        sources.join(&prefix("/a/c"));
        assert_eq!(watched(&sources), ["/a/b", "/a"]);
        assert!(sources.widen(SourceId(1)).is_none(), "it was not loaded yet");
        sources.leave(&prefix("/a/b"));
        assert_eq!(watched(&sources), ["/a"]);
        assert!(sources.over(&prefix("/a/c")).is_some());
    }
}

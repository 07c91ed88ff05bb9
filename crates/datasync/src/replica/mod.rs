//! The local copy of a selection, and what each event changes in it.

mod deletions;
mod delta;
mod difference;
mod entries;
#[cfg(test)]
mod tests;

use crate::{Entry, Event, Incarnation, Key, Moment, Prefix, Revision};

use deletions::Deletions;
pub use delta::Delta;
use difference::{Side, sides};
pub use entries::Entries;

/// A local copy of the entries of a selection.
///
/// It is fed the [`Event`]s of a watch and the owner's own commits, and says what each one changes. What repeats
/// or goes back within one incarnation changes nothing; a resync gives only the difference, deletions first.
/// Previous values come from here and nowhere else.
///
/// Work per event grows with the logarithm of the number of entries, that of a resync with the number. A clone
/// takes constant time and is a copy of its own; who only wants to read takes one of the [entries](Self::entries).
#[derive(Clone, Debug, Default)]
pub struct Replica {
    entries: Entries,
    incarnation: Option<Incarnation>,
    revision: Revision,
    resync: Option<Staged>,
    is_synced: bool,
    deletions: Deletions,
}

/// The content of a resync that was not completely told yet.
#[derive(Clone, Debug)]
struct Staged {
    incarnation: Incarnation,
    entries: Entries,
}

impl Replica {
    /// An empty copy that was not synchronised yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event and gives back what it changes, in order.
    pub fn apply(&mut self, event: Event) -> Vec<Delta> {
        let mut deltas = Vec::new();
        self.apply_each(event, |delta| deltas.push(delta));
        deltas
    }

    /// Takes one event and tells what it changes, in order. Unlike [`apply`](Self::apply) it needs no room for the
    /// whole difference that a resync may make.
    ///
    /// The copy has taken all of the event in before the first change is told.
    pub fn apply_each(&mut self, event: Event, mut tell: impl FnMut(Delta)) {
        match event {
            Event::ResyncStart { incarnation } => {
                self.resync = Some(Staged { incarnation, entries: Entries::new() });
            }
            Event::Resync(entry) => self.stage(entry),
            Event::ResyncDone { revision, asked } => self.finish_resync(revision, asked, tell),
            Event::Put(entry) => {
                if let Some(delta) = self.put(entry) {
                    tell(delta);
                }
            }
            Event::Delete { key, revision } => {
                if let Some(delta) = self.delete(&key, revision) {
                    tell(delta);
                }
            }
            Event::Progress { revision, asked } => {
                self.revision = self.revision.max(revision);
                self.deletions.forget_until(revision);
                tell(Delta::Current { revision: self.revision, asked });
            }
        }
    }

    /// What is held. A clone of it is a snapshot.
    #[must_use]
    pub const fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The entry under a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The entries, in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The entries below a prefix, in the order of their keys.
    pub fn range(&self, prefix: &Prefix) -> impl DoubleEndedIterator<Item = &Entry> + use<'_> {
        self.entries.range(prefix)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the content was told completely at least once.
    #[must_use]
    pub const fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// Which life of the store the copy is of.
    #[must_use]
    pub const fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation
    }

    /// Up to where the copy is complete.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The newest revision at which a key that is not held is known to have been absent.
    pub(crate) fn absent_at(&self, key: &Key) -> Option<Revision> {
        let deleted = self.deletions.at(key);
        if self.is_synced { deleted.max(Some(self.revision)) } else { deleted }
    }

    fn put(&mut self, entry: Entry) -> Option<Delta> {
        let previous = self.entries.get(&entry.key);
        if previous.is_some_and(|held| held.revision >= entry.revision) || self.deletions.is_after(&entry) {
            return None;
        }
        let previous = previous.cloned();
        self.entries.insert(entry.clone());
        Some(Delta::Put { entry, previous })
    }

    fn delete(&mut self, key: &Key, revision: Revision) -> Option<Delta> {
        let previous = self.entries.get(key).cloned();
        if previous.as_ref().is_some_and(|held| held.revision > revision) {
            return None;
        }
        self.deletions.remember(key, revision);
        let previous = previous?;
        self.entries.remove(key);
        Some(Delta::Deleted { previous, revision })
    }

    /// Keeps an entry of a content that is being told. What is held already is not kept twice.
    fn stage(&mut self, entry: Entry) {
        if let Some(staged) = &mut self.resync {
            let held = self.entries.get(&entry.key).filter(|held| **held == entry);
            staged.entries.insert(held.cloned().unwrap_or(entry));
        }
    }

    /// Replaces the content by what was staged and tells the difference, deletions first.
    fn finish_resync(&mut self, revision: Revision, asked: Moment, mut tell: impl FnMut(Delta)) {
        let Some(Staged { incarnation, entries }) = self.resync.take() else {
            return;
        };
        let is_same_life = self.incarnation == Some(incarnation);
        let old = std::mem::replace(&mut self.entries, entries);
        if is_same_life {
            self.keep_newer(&old, revision);
        } else {
            self.deletions = Deletions::default();
        }
        self.revision = if is_same_life { self.revision.max(revision) } else { revision };
        self.incarnation = Some(incarnation);
        self.is_synced = true;
        let mut puts = Vec::new();
        for side in sides(&old, &self.entries) {
            match side {
                Side::Old(held) => tell(Delta::Deleted { previous: held.clone(), revision }),
                Side::New(entry) => puts.push((entry, None)),
                Side::Both(held, entry) if is_same_life && held.revision == entry.revision => {}
                Side::Both(held, entry) if held == entry => {}
                Side::Both(held, entry) => puts.push((entry, Some(held))),
            }
        }
        for (entry, previous) in puts {
            tell(Delta::Put { entry: entry.clone(), previous: previous.cloned() });
        }
        tell(Delta::Current { revision: self.revision, asked });
    }

    /// Corrects a content of the same life that was loaded up to `revision` by what was told meanwhile: a write or
    /// a deletion of our own may be newer.
    fn keep_newer(&mut self, old: &Entries, revision: Revision) {
        let late: Vec<Key> = self
            .deletions
            .keys()
            .filter(|key| self.entries.get(key).is_some_and(|entry| self.deletions.is_after(entry)))
            .cloned()
            .collect();
        for key in late {
            self.entries.remove(&key);
        }
        self.deletions.forget_until(revision);
        let newer: Vec<&Entry> = sides(old, &self.entries)
            .filter_map(|side| match side {
                Side::Old(held) if held.revision > revision => Some(held),
                Side::Both(held, entry) if held.revision > entry.revision => Some(held),
                _ => None,
            })
            .collect();
        for held in newer {
            self.entries.insert(held.clone());
        }
    }
}

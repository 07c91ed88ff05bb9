//! The local copy of a selection, and what each event changes in it.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::{Entry, Event, Incarnation, Key, Moment, Revision};

/// How many deletions are remembered until everything before them is known to have been told.
const DELETED_MAX: usize = 4096;

/// A local copy of the entries of a selection.
///
/// It is fed the [`Event`]s of a watch and the owner's own commits, and says what each one changes. What repeats
/// or goes back within one incarnation changes nothing; a resync gives only the difference, deletions first.
/// Previous values come from here and nowhere else.
#[derive(Debug, Default)]
pub struct Replica {
    entries: BTreeMap<Key, Entry>,
    incarnation: Option<Incarnation>,
    revision: Revision,
    resync: Option<Staged>,
    is_synced: bool,
    /// When keys were deleted, as long as an older put may still be told.
    deleted: HashMap<Key, Revision>,
}

/// The content of a resync that was not completely told yet.
#[derive(Debug)]
struct Staged {
    incarnation: Incarnation,
    entries: HashMap<Key, Entry>,
}

/// What an event changes in a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delta {
    /// An entry is new or different.
    Put {
        /// The entry as it is now.
        entry: Entry,
        /// The entry as it was, if there was one.
        previous: Option<Entry>,
    },
    /// An entry is gone.
    Deleted {
        /// The entry as it was.
        previous: Entry,
        /// When it was deleted, or a later revision at which its absence was seen.
        revision: Revision,
    },
    /// The copy is complete and current up to this revision.
    Current {
        /// Up to where the copy is complete.
        revision: Revision,
        /// When the proof was asked for.
        asked: Moment,
    },
}

impl Replica {
    /// An empty copy that was not synchronised yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The entry under a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The entries, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
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

    /// Takes one event and gives back what it changes, in order.
    pub fn apply(&mut self, event: Event) -> Vec<Delta> {
        match event {
            Event::ResyncStart { incarnation } => {
                self.resync = Some(Staged { incarnation, entries: HashMap::new() });
                Vec::new()
            }
            Event::Resync(entry) => {
                if let Some(staged) = &mut self.resync {
                    staged.entries.insert(entry.key.clone(), entry);
                }
                Vec::new()
            }
            Event::ResyncDone { revision, asked } => self.finish_resync(revision, asked),
            Event::Put(entry) => self.put(entry).into_iter().collect(),
            Event::Delete { key, revision } => self.delete(&key, revision).into_iter().collect(),
            Event::Progress { revision, asked } => {
                self.revision = self.revision.max(revision);
                self.deleted.retain(|_, at| *at > revision);
                vec![Delta::Current { revision: self.revision, asked }]
            }
        }
    }

    fn put(&mut self, entry: Entry) -> Option<Delta> {
        let is_old = self.entries.get(&entry.key).is_some_and(|held| held.revision >= entry.revision);
        if is_old || self.was_deleted_after(&entry) {
            return None;
        }
        let previous = self.entries.insert(entry.key.clone(), entry.clone());
        Some(Delta::Put { entry, previous })
    }

    fn delete(&mut self, key: &Key, revision: Revision) -> Option<Delta> {
        if self.entries.get(key).is_some_and(|held| held.revision > revision) {
            return None;
        }
        self.remember_deleted(key, revision);
        self.entries.remove(key).map(|previous| Delta::Deleted { previous, revision })
    }

    /// Whether an entry is of before the deletion of its key, told late.
    fn was_deleted_after(&self, entry: &Entry) -> bool {
        self.deleted.get(&entry.key).is_some_and(|at| *at >= entry.revision)
    }

    fn remember_deleted(&mut self, key: &Key, revision: Revision) {
        if self.deleted.len() >= DELETED_MAX {
            // The older half: what was told before those is the least likely to come late.
            let mut revisions: Vec<Revision> = self.deleted.values().copied().collect();
            let middle = revisions.len() / 2;
            let (_, middle, _) = revisions.select_nth_unstable(middle);
            let middle = *middle;
            self.deleted.retain(|_, at| *at > middle);
        }
        let at = self.deleted.entry(key.clone()).or_insert(revision);
        *at = revision.max(*at);
    }

    /// Replaces the content by what was staged and gives back the difference, deletions first.
    fn finish_resync(&mut self, revision: Revision, asked: Moment) -> Vec<Delta> {
        let Some(Staged { incarnation, mut entries }) = self.resync.take() else {
            return Vec::new();
        };
        let is_same_life = self.incarnation == Some(incarnation);
        if is_same_life {
            entries.retain(|_, entry| !self.was_deleted_after(entry));
            self.deleted.retain(|_, at| *at > revision);
        } else {
            self.deleted.clear();
        }
        let mut deltas = Vec::new();
        self.entries.retain(|key, held| {
            // Within one life of the store a write of our own may be newer than the content that was loaded.
            let keep = entries.contains_key(key) || (is_same_life && held.revision > revision);
            if !keep {
                deltas.push(Delta::Deleted { previous: held.clone(), revision });
            }
            keep
        });
        let mut staged: Vec<Entry> = entries.drain().map(|(_, entry)| entry).collect();
        staged.sort_by(|a, b| a.key.cmp(&b.key));
        for entry in staged {
            let held = self.entries.get(&entry.key);
            let is_old = match held {
                Some(held) if is_same_life => held.revision >= entry.revision,
                Some(held) => *held == entry,
                None => false,
            };
            if !is_old {
                let previous = self.entries.insert(entry.key.clone(), entry.clone());
                deltas.push(Delta::Put { entry, previous });
            }
        }
        self.revision = if is_same_life { self.revision.max(revision) } else { revision };
        self.incarnation = Some(incarnation);
        self.is_synced = true;
        deltas.push(Delta::Current { revision: self.revision, asked });
        deltas
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Stat, Version};

    fn entry(name: &str, at: u64, value: &'static str) -> Entry {
        let revision = Revision::new(at);
        let key = Key::parse(name).unwrap();
        Entry::new(Stat::new(key, revision, revision, Version::new(revision, at)), value.into())
    }

    fn resync(replica: &mut Replica, life: u128, entries: Vec<Entry>, at: u64) -> Vec<Delta> {
        let incarnation = Incarnation::new(life);
        assert_eq!(replica.apply(Event::ResyncStart { incarnation }), []);
        for entry in entries {
            assert_eq!(replica.apply(Event::Resync(entry)), []);
        }
        let done = Event::ResyncDone { revision: Revision::new(at), asked: Moment::ORIGIN };
        let mut deltas = replica.apply(done);
        assert!(matches!(deltas.pop(), Some(Delta::Current { .. })));
        deltas
    }

    #[test]
    fn a_resync_gives_the_difference_with_deletions_first() {
        let mut replica = Replica::new();
        resync(&mut replica, 1, vec![entry("/a", 1, "a"), entry("/z", 2, "z")], 2);
        let deltas = resync(&mut replica, 1, vec![entry("/a", 1, "a"), entry("/b", 3, "b")], 4);
        assert!(matches!(&deltas[0], Delta::Deleted { previous, .. } if previous.key.as_str() == "/z"));
        assert_eq!(deltas[1..], [Delta::Put { entry: entry("/b", 3, "b"), previous: None }]);
    }

    #[test]
    fn what_repeats_or_goes_back_changes_nothing() {
        let mut replica = Replica::new();
        resync(&mut replica, 1, vec![entry("/a", 5, "new")], 5);
        assert_eq!(replica.apply(Event::Put(entry("/a", 5, "new"))), []);
        assert_eq!(replica.apply(Event::Put(entry("/a", 4, "old"))), []);
        let key = Key::parse("/a").unwrap();
        assert_eq!(replica.apply(Event::Delete { key: key.clone(), revision: Revision::new(4) }), []);
        assert_eq!(resync(&mut replica, 1, vec![entry("/a", 4, "old")], 4), []);
        assert_eq!(replica.get(&key).unwrap().value, "new");
    }

    #[test]
    fn a_put_that_is_told_after_its_deletion_changes_nothing() {
        let mut replica = Replica::new();
        resync(&mut replica, 1, vec![entry("/a", 1, "a")], 1);
        let key = Key::parse("/a").unwrap();
        let delete = Event::Delete { key, revision: Revision::new(4) };
        assert_eq!(replica.apply(delete).len(), 1);
        assert_eq!(replica.apply(Event::Put(entry("/a", 3, "late"))), []);
        assert_eq!(resync(&mut replica, 1, vec![entry("/a", 3, "late")], 3), []);
        assert_eq!(replica.apply(Event::Put(entry("/a", 5, "again"))).len(), 1);
    }

    #[test]
    fn an_own_write_survives_a_resync_that_was_loaded_before_it() {
        let mut replica = Replica::new();
        resync(&mut replica, 1, vec![], 1);
        replica.apply(Event::Put(entry("/a", 3, "mine")));
        assert_eq!(resync(&mut replica, 1, vec![], 2), []);
        assert_eq!(replica.iter().count(), 1);
    }

    #[test]
    fn a_new_incarnation_may_go_back() {
        let mut replica = Replica::new();
        resync(&mut replica, 1, vec![entry("/a", 9, "old life")], 9);
        let deltas = resync(&mut replica, 2, vec![entry("/a", 1, "new life")], 1);
        assert!(matches!(&deltas[0], Delta::Put { entry, .. } if entry.value == "new life"));
        assert_eq!(replica.revision(), Revision::new(1));
    }
}

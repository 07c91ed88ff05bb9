//! One watched prefix and the copy of what is below it.

use std::sync::Arc;

use crate::{Delta, Entry, ErrorKind, Event, Prefix, Replica, Result, Revision};

/// Tells one source from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SourceId(pub(super) u64);

/// A watched prefix and the copy of what is below it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) prefix: Prefix,
    pub(super) replica: Replica,
    /// How many prefixes of subscribers lie within.
    pub(super) users: usize,
    /// Whether others look into this copy. One that takes the place of narrower sources is not looked into before
    /// it is complete.
    pub(super) is_open: bool,
    /// The changes of a commit are being told, and their end was not.
    pub(super) is_within_commit: bool,
    /// Why nothing comes, if the store refuses what no waiting will mend.
    pub(super) refused: Option<Arc<str>>,
    /// Up to where it was loaded last.
    loaded: Revision,
    is_atomic: bool,
}

/// What one event did to a source.
#[derive(Debug)]
pub(super) struct Fed {
    pub(super) deltas: Vec<Delta>,
    /// The content was told completely: for the first time, or again.
    pub(super) synced: Option<Synced>,
}

/// How a resync of a source ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Synced {
    First,
    Again,
}

impl Source {
    pub(super) fn new(prefix: Prefix, is_atomic: bool, is_open: bool) -> Self {
        Self {
            prefix,
            replica: Replica::new(),
            users: 0,
            is_open,
            is_within_commit: false,
            refused: None,
            loaded: Revision::ZERO,
            is_atomic,
        }
    }

    /// Takes what the watch told.
    pub(super) fn feed(&mut self, told: Result<Event>) -> Fed {
        let mut synced = None;
        let event = match told {
            Ok(event) => event,
            Err(error) => {
                // What waiting mends concerns all subscribers alike, so all of them may wait for it.
                let passes = error.is_retryable() || error.kind() == ErrorKind::Closed;
                self.refused = (!passes).then(|| error.to_string().into());
                return Fed { deltas: Vec::new(), synced };
            }
        };
        match &event {
            Event::Put(_) | Event::Delete { .. } => self.is_within_commit = self.is_atomic,
            Event::Progress { .. } => self.is_within_commit = false,
            Event::ResyncDone { revision, .. } => {
                self.loaded = *revision;
                self.is_within_commit = false;
                self.refused = None;
                synced = Some(if self.replica.is_synced() { Synced::Again } else { Synced::First });
            }
            Event::ResyncStart { .. } | Event::Resync(_) => {}
        }
        Fed { deltas: self.replica.apply(event), synced }
    }

    /// Whether the copy can be looked into.
    pub(super) fn is_live(&self) -> bool {
        self.is_open && self.replica.is_synced()
    }

    /// The entries below a prefix, in the order of their keys.
    pub(super) fn below<'s>(&'s self, prefix: &'s Prefix) -> impl Iterator<Item = &'s Entry> {
        self.replica.range(prefix)
    }

    /// Whether this copy knows all that `other`, which it contains, knows.
    pub(super) fn has_reached(&self, other: &Self) -> bool {
        if !other.replica.is_synced() || other.refused.is_some() {
            return !self.is_within_commit;
        }
        // Two lives of a store cannot be compared: the one who missed the end of the old life hears of it.
        let is_same_life = self.replica.incarnation() == other.replica.incarnation();
        let is_further = !self.is_atomic || self.replica.revision() >= other.replica.revision();
        is_same_life && is_further && !self.is_within_commit && !other.is_within_commit
    }

    /// Whether `other` was loaded up to where this copy is not known to be complete.
    pub(super) fn was_loaded_before(&self, other: &Self) -> bool {
        self.replica.incarnation() == other.replica.incarnation() && self.replica.revision() < other.loaded
    }

    /// Takes from the copies that this one takes the place of what they know better, so that nothing goes back.
    pub(super) fn take_newer(&mut self, olds: &[Self]) {
        let incarnation = self.replica.incarnation();
        for old in olds.iter().filter(|old| old.replica.incarnation() == incarnation) {
            let mut gone = Vec::new();
            for entry in self.below(&old.prefix).filter(|entry| old.replica.get(&entry.key).is_none()) {
                if let Some(at) = old.replica.absent_at(&entry.key).filter(|at| *at >= entry.revision) {
                    gone.push((entry.key.clone(), at));
                }
            }
            for (key, revision) in gone {
                self.replica.apply(Event::Delete { key, revision });
            }
            for held in old.replica.iter() {
                let known =
                    self.replica.get(&held.key).map_or(self.replica.revision(), |entry| entry.revision);
                if held.revision > known {
                    self.replica.apply(Event::Put(held.clone()));
                }
            }
        }
    }

    /// What is different here from the copies that this one takes the place of.
    pub(super) fn difference(&self, olds: &[Self]) -> Vec<Delta> {
        let revision = self.replica.revision();
        let mut deltas = Vec::new();
        for old in olds.iter().filter(|old| old.replica.is_synced()) {
            for held in old.replica.iter() {
                match self.replica.get(&held.key) {
                    None => deltas.push(Delta::Deleted { previous: held.clone(), revision }),
                    Some(entry) if entry != held => {
                        deltas.push(Delta::Put { entry: entry.clone(), previous: Some(held.clone()) });
                    }
                    Some(_) => {}
                }
            }
            let is_new = |entry: &&Entry| old.replica.get(&entry.key).is_none();
            for entry in self.below(&old.prefix).filter(is_new) {
                deltas.push(Delta::Put { entry: entry.clone(), previous: None });
            }
        }
        deltas
    }

    /// Up to where everything is known here.
    pub(super) const fn revision(&self) -> Revision {
        self.replica.revision()
    }
}

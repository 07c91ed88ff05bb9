//! The keys and what is kept under them, without any rule.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use tokio::time::Instant;

use crate::key::above;
use crate::{Entry, Key, LeaseId, Prefix};

/// The records by key, and by what makes them vanish.
#[derive(Debug, Default)]
pub(super) struct Tree {
    records: BTreeMap<Key, Record>,
    /// The keys under each lease that has any.
    leased: HashMap<LeaseId, BTreeSet<Key>>,
    /// The keys with a time to live, the first to go at the front.
    deadlines: BTreeSet<(Instant, Key)>,
}

/// What is kept under a key.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) entry: Entry,
    /// When the key goes by itself.
    pub(super) deadline: Option<Instant>,
}

impl Tree {
    /// Sets or removes the record of a key and gives back the one before. Every change goes through here, also
    /// those that are taken back.
    pub(super) fn replace(&mut self, key: &Key, record: Option<Record>) -> Option<Record> {
        let before = self.records.remove(key);
        if let Some(before) = &before {
            self.unlink(key, before);
        }
        if let Some(after) = record {
            self.set(key, after);
        }
        before
    }

    fn set(&mut self, key: &Key, record: Record) {
        if let Some(lease) = record.entry.lease {
            self.leased.entry(lease).or_default().insert(key.clone());
        }
        self.deadlines.extend(record.deadline.map(|at| (at, key.clone())));
        self.records.insert(key.clone(), record);
    }

    /// Forgets how a record would have vanished.
    fn unlink(&mut self, key: &Key, before: &Record) {
        if let Some(at) = before.deadline {
            self.deadlines.remove(&(at, key.clone()));
        }
        if let Some(lease) = before.entry.lease
            && let Some(keys) = self.leased.get_mut(&lease)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.leased.remove(&lease);
            }
        }
    }

    pub(super) fn entry(&self, key: &Key) -> Option<&Entry> {
        self.records.get(key).map(|record| &record.entry)
    }

    /// The entries below a prefix, in the order of their keys.
    pub(super) fn below(&self, prefix: &Prefix) -> impl Iterator<Item = &Entry> {
        let text = prefix.text();
        self.records
            .range::<str, _>((Bound::Included(text.as_str()), Bound::Unbounded))
            .map(|(_, record)| &record.entry)
            .take_while(move |entry| entry.key.as_str().starts_with(&text))
    }

    /// The names one level below a prefix, in their order.
    pub(super) fn names(&self, prefix: &Prefix) -> Vec<String> {
        let names: BTreeSet<&str> =
            self.below(prefix).filter_map(|entry| prefix.strip(&entry.key)?.split('/').next()).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    pub(super) fn has_below(&self, key: &Key) -> bool {
        self.below(&key.below()).next().is_some()
    }

    /// Whether a key above this one is under a lease.
    pub(super) fn is_below_leased(&self, key: &Key) -> bool {
        above(key.as_str())
            .filter_map(|text| self.records.get(text))
            .any(|record| record.entry.lease.is_some())
    }

    pub(super) fn under(&self, lease: LeaseId) -> Vec<Key> {
        self.leased.get(&lease).into_iter().flatten().cloned().collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The keys whose time is up.
    pub(super) fn due(&self, now: Instant) -> Vec<Key> {
        self.deadlines.iter().take_while(|(at, _)| *at <= now).map(|(_, key)| key.clone()).collect()
    }
}

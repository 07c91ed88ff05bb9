//! One transaction of a mirror.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Capabilities, Committed, Entry, Event, Key, Txn, Version, Written};

/// The most keys of one transaction. More would gain little, and others wait while it is carried out.
const KEYS_MAX: usize = 128;

/// The most bytes of values of one transaction, unless it is one value. It stays well below what the smallest
/// store takes in one request.
const BYTES_MAX: usize = 256 * 1024;

/// The part of a key below the prefix that is copied, which both stores share.
pub(super) type Rel = Arc<str>;

/// One write to the target, guarded by what was seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) rel: Rel,
    /// The key in the target.
    pub(super) key: Key,
    pub(super) kind: ChangeKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChangeKind {
    Create(Bytes),
    Replace(Bytes, Version),
    Delete(Version),
}

/// What is written in one transaction.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    bytes: usize,
}

impl Change {
    pub(super) fn bytes(&self) -> usize {
        match &self.kind {
            ChangeKind::Create(value) | ChangeKind::Replace(value, _) => value.len(),
            ChangeKind::Delete(_) => 0,
        }
    }
}

impl Batch {
    /// Whether there is room for one more change.
    pub(super) fn has_room(&self, change: &Change, capabilities: &Capabilities) -> bool {
        let is_few = self.changes.len() < capabilities.txn_keys_max.min(KEYS_MAX);
        self.changes.is_empty() || (is_few && self.bytes + change.bytes() <= BYTES_MAX)
    }

    pub(super) fn push(&mut self, change: Change) {
        self.bytes += change.bytes();
        self.changes.push(change);
    }

    pub(super) fn txn(&self) -> Txn {
        self.changes.iter().fold(Txn::new(), |txn, Change { key, kind, .. }| match kind {
            ChangeKind::Create(value) => txn.check_absent(key).put(key, value.clone()),
            ChangeKind::Replace(value, version) => txn.check_version(key, *version).put(key, value.clone()),
            ChangeKind::Delete(version) => txn.check_version(key, *version).delete(key),
        })
    }

    /// What the target tells its watches of the commit of this batch.
    pub(super) fn events(&self, committed: &Committed) -> Vec<Event> {
        let of = |(change, written): (&Change, &Written)| match (&change.kind, written) {
            (ChangeKind::Create(value) | ChangeKind::Replace(value, _), Written::Put(stat)) => {
                Some(Event::Put(Entry::new(stat.clone(), value.clone())))
            }
            (ChangeKind::Delete(_), _) => {
                Some(Event::Delete { key: change.key.clone(), revision: committed.revision })
            }
            _ => None,
        };
        self.changes.iter().zip(&committed.written).filter_map(of).collect()
    }
}

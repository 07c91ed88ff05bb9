//! The rules of a commit: checks, then writes, all or nothing.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::{
    Check, Conflict, Entry, Error, Key, LeaseRef, RawChange, Result, Revision, Stat, Version, Write, Written,
};

use super::client::ClientId;
use super::leases::Leases;
use super::tree::{Record, Tree};

/// The writes of one transaction while it is open whether all of them can be applied.
#[derive(Debug)]
pub(super) struct Draft<'s> {
    pub(super) tree: &'s mut Tree,
    pub(super) leases: &'s Leases,
    /// The number of the last name that was made.
    pub(super) sequence: &'s mut u64,
    pub(super) client: ClientId,
    /// The revision that the writes will have.
    pub(super) revision: Revision,
    pub(super) now: Instant,
    /// What was there before, to be put back in reverse.
    pub(super) undo: Vec<(Key, Option<Record>)>,
    pub(super) changes: Vec<RawChange>,
}

/// What is put, and how it vanishes.
struct NewValue<'w> {
    value: &'w Bytes,
    lease: Option<&'w LeaseRef>,
    ttl: Option<Duration>,
}

/// Tries a check.
pub(super) fn check(tree: &Tree, check: &Check) -> Result<()> {
    let found = tree.entry(check.key());
    let refused = match check {
        Check::Absent(_) => found.map(|_| Conflict::Present),
        Check::Present(_) => found.is_none().then_some(Conflict::Absent),
        Check::Version(_, version) => {
            let holds = found.is_some_and(|entry| entry.version == *version);
            (!holds).then_some(Conflict::Version)
        }
    };
    refused.map_or(Ok(()), |conflict| Err(Error::conflict(conflict, check.key())))
}

impl Draft<'_> {
    /// Applies the writes in their order and gives back what each one did and all that changed. If one is refused
    /// everything is as it was.
    pub(super) fn apply(mut self, writes: &[Write]) -> Result<(Vec<Written>, Vec<RawChange>)> {
        match writes.iter().map(|write| self.write(write)).collect() {
            Ok(written) => Ok((written, self.changes)),
            Err(error) => {
                for (key, record) in self.undo.into_iter().rev() {
                    self.tree.replace(&key, record);
                }
                Err(error)
            }
        }
    }

    fn write(&mut self, write: &Write) -> Result<Written> {
        match write {
            Write::Put { key, value, lease, ttl } => {
                self.put(key, key, &NewValue { value, lease: lease.as_ref(), ttl: *ttl })
            }
            Write::Delete { key } => self.delete(key),
            Write::CreateUnique { parent, stem, value, lease } => {
                let key = self.unique(parent, stem)?;
                self.put(&key, parent, &NewValue { value, lease: lease.as_ref(), ttl: None })
            }
            Write::KeepDirectory { .. } | Write::RemoveDirectory { .. } => Ok(Written::Directory),
        }
    }

    /// Puts a value; a refusal is told on the key `named`.
    fn put(&mut self, key: &Key, named: &Key, new: &NewValue<'_>) -> Result<Written> {
        if let Some(lease) = new.lease {
            self.leases.check(lease, self.client).map_err(|error| error.on(named))?;
        }
        let lease = new.lease.map(LeaseRef::id);
        let (created, count) = match self.tree.entry(key) {
            Some(held) if held.lease != lease => return Err(Error::conflict(Conflict::LeaseChange, named)),
            Some(held) => (held.created, held.version.count() + 1),
            None if self.tree.is_below_leased(key) => {
                return Err(Error::conflict(Conflict::BelowLeased, named));
            }
            None if lease.is_some() && self.tree.has_below(key) => {
                return Err(Error::conflict(Conflict::HasChildren, named));
            }
            None => (self.revision, 0),
        };
        let version = Version::new(created, count);
        let stat = Stat::new(key.clone(), created, self.revision, version).lease(lease);
        let entry = Entry::new(stat, new.value.clone());
        let deadline = new.ttl.and_then(|ttl| self.now.checked_add(ttl));
        self.replace(key, Some(Record { entry: entry.clone(), deadline }));
        let stat = entry.stat();
        self.changes.push(RawChange::Put(entry));
        Ok(Written::Put(stat))
    }

    fn delete(&mut self, key: &Key) -> Result<Written> {
        if self.tree.has_below(key) {
            return Err(Error::conflict(Conflict::HasChildren, key));
        }
        if self.tree.entry(key).is_some() {
            self.replace(key, None);
            self.changes.push(RawChange::Delete(key.clone(), self.revision));
        }
        Ok(Written::Deleted)
    }

    /// A key below `parent` that does not exist, with a number that no name had before.
    fn unique(&mut self, parent: &Key, stem: &str) -> Result<Key> {
        loop {
            *self.sequence += 1;
            let name = format!("{stem}{:010}", self.sequence);
            let key = parent.join(&name).map_err(|error| Error::from(error).on(parent))?;
            // Somebody may have put a key of that name by hand.
            if self.tree.entry(&key).is_none() && !self.tree.has_below(&key) {
                return Ok(key);
            }
        }
    }

    fn replace(&mut self, key: &Key, record: Option<Record>) {
        let before = self.tree.replace(key, record);
        self.undo.push((key.clone(), before));
    }
}

//! Transactions: checks, then writes, then reads, all or nothing.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;

use crate::{Capabilities, Entry, Error, ErrorKind, Key, LeaseRef, Prefix, Result, Revision, Stat, Version};

/// What must be true, what is then written, and what is read afterwards.
///
/// All checks hold and all writes are applied, or nothing is. The trailing reads see at least the writes of
/// their own transaction, and are made in their order: none sees an older state than one before it.
///
/// ```
/// use quorate_datasync::{Key, Txn};
///
/// # fn main() -> Result<(), quorate_datasync::KeyError> {
/// let key = Key::parse("/jobs/7")?;
/// let txn = Txn::new().check_absent(&key).put(&key, "waiting").then_get(&key);
/// assert_eq!(txn.writes().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a transaction does nothing until it is committed"]
pub struct Txn {
    checks: Vec<Check>,
    writes: Vec<Write>,
    reads: Vec<ThenRead>,
}

/// A condition of a [`Txn`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a store must treat every check, or the transaction means less")]
pub enum Check {
    /// The key does not exist. Only of a key that the same transaction puts.
    Absent(Key),
    /// The key exists.
    Present(Key),
    /// The key exists and has this version.
    Version(Key, Version),
}

/// A write of a [`Txn`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store must treat every write, or the transaction means less")]
pub enum Write {
    /// Sets a value, creating the key if it is absent.
    Put {
        /// The key.
        key: Key,
        /// The value; not empty, unless under a lease.
        value: Bytes,
        /// The lease whose end deletes the key. An existing key must be under this very lease.
        lease: Option<LeaseRef>,
        /// The key is deleted when it was not written for so long.
        ttl: Option<Duration>,
    },
    /// Deletes a key. Deleting what is absent succeeds.
    Delete {
        /// The key.
        key: Key,
    },
    /// Creates a key below `parent` whose name is `stem` and a number that is greater than that of every key
    /// created so before below the same parent, written with at least ten digits.
    CreateUnique {
        /// The key to create below of.
        parent: Key,
        /// What the name begins with; not empty and without a slash.
        stem: String,
        /// The value; not empty, unless under a lease.
        value: Bytes,
        /// The lease whose end deletes the key.
        lease: Option<LeaseRef>,
    },
    /// Makes a directory that stays while nothing is below it. Where a store has no directories, or never
    /// removes them, this does nothing.
    KeepDirectory {
        /// The directory.
        key: Key,
    },
    /// Removes a directory that nothing is below of; one that is absent is fine. Where a store has no
    /// directories this does nothing.
    RemoveDirectory {
        /// The directory.
        key: Key,
    },
}

/// A read at the end of a [`Txn`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a store must answer every read, in order")]
pub enum ThenRead {
    /// The entry under a key.
    Get(Key),
    /// The names one level below a prefix.
    Names(Prefix),
}

/// What a transaction did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Committed {
    /// The revision of the writes. Of a transaction that wrote nothing: that of the reads.
    pub revision: Revision,
    /// One for each write, in order.
    pub written: Vec<Written>,
    /// One for each trailing read, in order.
    pub answers: Vec<Answer>,
}

/// What one write did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Written {
    /// The key that was put or created, as it stands now.
    Put(Stat),
    /// The key is gone, or was not there.
    Deleted,
    /// The directory is as asked for.
    Directory,
}

/// What one trailing read found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The entry, or its absence.
    Entry(Option<Entry>),
    /// The names one level below the prefix, in no particular order.
    Names(Vec<String>),
}

impl Txn {
    /// A transaction that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands that `key` is absent. Only for a key that this transaction puts.
    pub fn check_absent(mut self, key: &Key) -> Self {
        self.checks.push(Check::Absent(key.clone()));
        self
    }

    /// Demands that `key` exists.
    pub fn check_present(mut self, key: &Key) -> Self {
        self.checks.push(Check::Present(key.clone()));
        self
    }

    /// Demands that `key` exists at this version.
    pub fn check_version(mut self, key: &Key, version: Version) -> Self {
        self.checks.push(Check::Version(key.clone(), version));
        self
    }

    /// Sets a value.
    pub fn put(self, key: &Key, value: impl Into<Bytes>) -> Self {
        self.write(Write::Put { key: key.clone(), value: value.into(), lease: None, ttl: None })
    }

    /// Sets a value that vanishes with a lease. It may be empty.
    pub fn put_under(self, key: &Key, value: impl Into<Bytes>, lease: &LeaseRef) -> Self {
        let lease = Some(lease.clone());
        self.write(Write::Put { key: key.clone(), value: value.into(), lease, ttl: None })
    }

    /// Sets a value that vanishes when it was not written for `ttl`.
    pub fn put_with_ttl(self, key: &Key, value: impl Into<Bytes>, ttl: Duration) -> Self {
        self.write(Write::Put { key: key.clone(), value: value.into(), lease: None, ttl: Some(ttl) })
    }

    /// Deletes a key.
    pub fn delete(self, key: &Key) -> Self {
        self.write(Write::Delete { key: key.clone() })
    }

    /// Creates a uniquely named key below `parent` that vanishes with a lease.
    pub fn create_unique(
        self,
        parent: &Key,
        stem: impl Into<String>,
        value: impl Into<Bytes>,
        lease: &LeaseRef,
    ) -> Self {
        let (parent, stem, value) = (parent.clone(), stem.into(), value.into());
        self.write(Write::CreateUnique { parent, stem, value, lease: Some(lease.clone()) })
    }

    /// Makes a directory that stays while nothing is below it, where the store has such a thing.
    pub fn keep_directory(self, key: &Key) -> Self {
        self.write(Write::KeepDirectory { key: key.clone() })
    }

    /// Removes an empty directory, where the store has such a thing.
    pub fn remove_directory(self, key: &Key) -> Self {
        self.write(Write::RemoveDirectory { key: key.clone() })
    }

    /// Adds a write.
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// Reads the entry under `key` once the writes are done.
    pub fn then_get(mut self, key: &Key) -> Self {
        self.reads.push(ThenRead::Get(key.clone()));
        self
    }

    /// Reads the names one level below `prefix` once the writes are done.
    pub fn then_names(mut self, prefix: &Prefix) -> Self {
        self.reads.push(ThenRead::Names(prefix.clone()));
        self
    }

    /// Every key that is checked, written or read, and the parents of those that are named by the store.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        let written = self.writes.iter().map(|write| match write {
            Write::CreateUnique { parent, .. } => parent,
            Write::Put { key, .. }
            | Write::Delete { key }
            | Write::KeepDirectory { key }
            | Write::RemoveDirectory { key } => key,
        });
        let read = self.reads.iter().filter_map(|read| match read {
            ThenRead::Get(key) => Some(key),
            ThenRead::Names(prefix) => prefix.key(),
        });
        self.checks.iter().map(Check::key).chain(written).chain(read)
    }

    /// The checks, in order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The writes, in order.
    #[must_use]
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The trailing reads, in order.
    #[must_use]
    pub fn reads(&self) -> &[ThenRead] {
        &self.reads
    }

    /// Fails if a store with these capabilities must refuse this transaction whatever it holds. Every store
    /// calls it first, so that the same transaction is refused for the same reason everywhere.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::TooLarge`] for a value over the limit.
    /// - [`ErrorKind::Unsupported`] for more keys than the store commits at once, or a time to live it cannot keep.
    /// - [`ErrorKind::Invalid`] for an empty value without a lease, a key written twice, a bad stem, or an absence
    ///   check of a key that is not put.
    /// - [`ErrorKind::LeaseEnded`] if a lease it names has ended.
    pub fn validate(&self, capabilities: &Capabilities) -> Result<()> {
        let named: HashSet<&Key> =
            self.checks.iter().map(Check::key).chain(self.writes.iter().filter_map(Write::key)).collect();
        let keys = named.len() + self.writes.iter().filter(|write| write.key().is_none()).count();
        if keys > capabilities.txn_keys_max {
            let what = format!("a transaction of {keys} keys; at most {}", capabilities.txn_keys_max);
            return Err(Error::unsupported("commit", what));
        }
        let mut written = HashSet::new();
        for write in &self.writes {
            write.validate(capabilities)?;
            if let Some(key) = write.key()
                && !written.insert(key)
            {
                return Err(invalid("a key is written twice in one transaction").on(key));
            }
        }
        for check in &self.checks {
            if let Check::Absent(key) = check
                && !self.writes.iter().any(|write| matches!(write, Write::Put { key: put, .. } if put == key))
            {
                return Err(invalid("only a key that is put can be checked for absence").on(key));
            }
        }
        Ok(())
    }
}

impl Check {
    /// The key that is checked.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Absent(key) | Self::Present(key) | Self::Version(key, _) => key,
        }
    }
}

impl Write {
    /// The key that is written; `None` where the store makes its name.
    #[must_use]
    pub const fn key(&self) -> Option<&Key> {
        match self {
            Self::Put { key, .. }
            | Self::Delete { key }
            | Self::KeepDirectory { key }
            | Self::RemoveDirectory { key } => Some(key),
            Self::CreateUnique { .. } => None,
        }
    }

    fn validate(&self, capabilities: &Capabilities) -> Result<()> {
        let (key, value, lease) = match self {
            Self::Put { key, value, lease, ttl } => {
                if let Some(ttl) = ttl {
                    check_ttl(key, *ttl, capabilities)?;
                }
                (key, value, lease)
            }
            Self::CreateUnique { parent, stem, value, lease } => {
                if stem.is_empty() || stem.contains('/') {
                    return Err(invalid("a stem is a part of one segment").on(parent));
                }
                parent.join(stem).map_err(Error::from)?;
                (parent, value, lease)
            }
            Self::Delete { .. } | Self::KeepDirectory { .. } | Self::RemoveDirectory { .. } => return Ok(()),
        };
        if value.is_empty() && lease.is_none() {
            return Err(invalid("a value may only be empty under a lease").on(key));
        }
        capabilities.check_value(key, value.len())?;
        lease.as_ref().map_or(Ok(()), LeaseRef::check)
    }
}

impl Committed {
    /// What a transaction did. For stores.
    #[must_use]
    pub const fn new(revision: Revision, written: Vec<Written>, answers: Vec<Answer>) -> Self {
        Self { revision, written, answers }
    }
}

fn check_ttl(key: &Key, ttl: Duration, capabilities: &Capabilities) -> Result<()> {
    match capabilities.ttl_granularity {
        None => Err(Error::unsupported("commit", "keys with a time to live").on(key)),
        Some(step) if ttl < step => {
            let what = format!("a time to live of {ttl:?}; the shortest is {step:?}");
            Err(Error::unsupported("commit", what).on(key))
        }
        Some(_) => Ok(()),
    }
}

fn invalid(detail: &str) -> Error {
    Error::new(ErrorKind::Invalid, "commit").because(detail)
}

//! What a store keeps under a key.

use bytes::Bytes;

use crate::{Key, LeaseId, Revision, Version};

/// A key, its value, and where they stand in the store's order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value. Not empty, unless the entry is under a lease.
    pub value: Bytes,
    /// The revision of the last write.
    pub revision: Revision,
    /// The revision at which the key was created; it changes when a key is deleted and made again.
    pub created: Revision,
    /// Guards a later write of this key.
    pub version: Version,
    /// The lease whose end deletes this entry.
    pub lease: Option<LeaseId>,
}

impl Entry {
    /// An entry from a value and what is known about it. For stores.
    #[must_use]
    pub fn new(stat: Stat, value: Bytes) -> Self {
        let Stat { key, revision, created, version, lease, .. } = stat;
        Self { key, value, revision, created, version, lease }
    }

    /// What is known about this entry without its value.
    #[must_use]
    pub fn stat(&self) -> Stat {
        Stat {
            key: self.key.clone(),
            revision: self.revision,
            created: self.created,
            version: self.version,
            lease: self.lease,
            value_bytes: self.value.len(),
        }
    }
}

/// An [`Entry`] without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stat {
    /// The key.
    pub key: Key,
    /// The revision of the last write.
    pub revision: Revision,
    /// The revision at which the key was created.
    pub created: Revision,
    /// Guards a later write of this key.
    pub version: Version,
    /// The lease whose end deletes this entry.
    pub lease: Option<LeaseId>,
    /// The length of the value.
    pub value_bytes: usize,
}

impl Stat {
    /// The stat of a key that was created and last written at these revisions. For stores.
    #[must_use]
    pub const fn new(key: Key, created: Revision, revision: Revision, version: Version) -> Self {
        Self { key, revision, created, version, lease: None, value_bytes: 0 }
    }

    /// Sets the lease.
    #[must_use]
    pub const fn lease(mut self, lease: Option<LeaseId>) -> Self {
        self.lease = lease;
        self
    }

    /// Sets the length of the value.
    #[must_use]
    pub const fn value_bytes(mut self, bytes: usize) -> Self {
        self.value_bytes = bytes;
        self
    }
}

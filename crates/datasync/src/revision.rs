//! Revisions, versions and incarnations: what orders, what guards, and what makes both start over.

use std::fmt;

/// A point in the order of all writes of one incarnation of one store.
///
/// Every commit has one; all writes of one commit share it. Revisions of different stores, or of different
/// [`Incarnation`]s of one store, say nothing about each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// Before the first write.
    pub const ZERO: Self = Self(0);

    /// The revision with this number. For stores; everybody else gets revisions from them.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of this revision.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Guards one key: a write that names it is refused if the key was written, deleted or recreated since.
///
/// It is compared for equality only; a greater one is not a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    created: u64,
    count: u64,
}

impl Version {
    /// The version of a key created at `created` and told apart since by `count`. For stores.
    #[must_use]
    pub const fn new(created: Revision, count: u64) -> Self {
        Self { created: created.0, count }
    }

    /// The revision at which the key was created.
    #[must_use]
    pub const fn created(self) -> Revision {
        Revision(self.created)
    }

    /// What tells this version from others of the same creation. For stores.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.count
    }
}

/// One life of a store. A store that was wiped, restored from a backup or replaced is a new incarnation, in
/// which revisions may begin again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Incarnation(u128);

impl Incarnation {
    /// The incarnation with this identity. For stores.
    #[must_use]
    pub const fn new(id: u128) -> Self {
        Self(id)
    }

    /// The identity as a number.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

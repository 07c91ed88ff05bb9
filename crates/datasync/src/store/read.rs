//! What is asked of a read, and what it answers.

use crate::{Entry, Key, Revision, Stat};

/// How much of an entry a read moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a store must treat every case")]
pub enum Want {
    /// The entry with its value.
    Value,
    /// What is known about the entry; the value stays where it is.
    Stat,
}

/// How much of a listing is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a store must treat every case")]
pub enum List {
    /// The names one level below the prefix, of keys and of what lies between them and the prefix.
    Names,
    /// The keys below the prefix, at every depth.
    Keys,
    /// The entries below the prefix, at every depth.
    Entries,
}

/// How current a read must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a store must treat every case")]
pub enum Consistency {
    /// Whatever is nearest. It may lag behind, but never goes back for one store handle.
    Local,
    /// Caught up with the leader since the read was asked for. Cheap; a leader that was deposed without
    /// noticing yet may answer it until its time limit.
    Synced,
    /// Proved current by a quorum: it sees every write that was acknowledged before it was asked for.
    Linearizable,
}

/// What a read of one key found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Read {
    /// What is there.
    pub found: Found,
    /// The revision up to which this read is current. The entry's own revision may be lower or, where the store
    /// reads without snapshots, higher.
    pub revision: Revision,
}

/// What is there under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else that a read can find")]
pub enum Found {
    /// Nothing.
    Absent,
    /// An entry, of which only this was asked for.
    Stat(Stat),
    /// An entry.
    Entry(Entry),
}

impl Read {
    /// What a read found at a revision. For stores.
    #[must_use]
    pub const fn new(found: Found, revision: Revision) -> Self {
        Self { found, revision }
    }

    /// What is known about the entry, if there is one.
    #[must_use]
    pub fn stat(&self) -> Option<Stat> {
        match &self.found {
            Found::Absent => None,
            Found::Stat(stat) => Some(stat.clone()),
            Found::Entry(entry) => Some(entry.stat()),
        }
    }

    /// The entry, if there is one and its value was asked for.
    #[must_use]
    pub fn into_entry(self) -> Option<Entry> {
        match self.found {
            Found::Entry(entry) => Some(entry),
            Found::Absent | Found::Stat(_) => None,
        }
    }
}

/// What a listing found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// What is there.
    pub items: Items,
    /// Every change up to this revision is part of the listing. Where the store lists without snapshots some
    /// entries may be newer.
    pub revision: Revision,
}

/// The items of a listing, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one for each kind of listing")]
pub enum Items {
    /// Names one level below the prefix.
    Names(Vec<String>),
    /// Keys below the prefix.
    Keys(Vec<Key>),
    /// Entries below the prefix.
    Entries(Vec<Entry>),
}

impl Listing {
    /// What a listing found at a revision. For stores.
    #[must_use]
    pub const fn new(items: Items, revision: Revision) -> Self {
        Self { items, revision }
    }

    /// The names of a listing of names; empty for another one.
    #[must_use]
    pub fn into_names(self) -> Vec<String> {
        if let Items::Names(names) = self.items { names } else { Vec::new() }
    }

    /// The keys of a listing of keys; empty for another one.
    #[must_use]
    pub fn into_keys(self) -> Vec<Key> {
        if let Items::Keys(keys) = self.items { keys } else { Vec::new() }
    }

    /// The entries of a listing of entries; empty for another one.
    #[must_use]
    pub fn into_entries(self) -> Vec<Entry> {
        if let Items::Entries(entries) = self.items { entries } else { Vec::new() }
    }
}

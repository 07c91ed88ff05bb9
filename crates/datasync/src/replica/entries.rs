//! Entries in the order of their keys, of which a copy costs nothing.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Bound, RangeBounds};

use rpds::RedBlackTreeSetSync;

use crate::{Entry, Key, Prefix};

/// Entries, in the order of their keys.
///
/// A clone is a snapshot: it takes constant time, shares what it holds with the original, and never changes while
/// the owner of the original goes on writing. Reading waits for nobody. Looking a key up takes time that grows with
/// the logarithm of the number of entries.
///
/// ```
/// use quorate_datasync::{Entry, Event, Key, Prefix, Replica, Revision, Stat, Version};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let entry = |name: &str, at: u64| -> Result<Entry, Box<dyn std::error::Error>> {
///     let revision = Revision::new(at);
///     let stat = Stat::new(Key::parse(name)?, revision, revision, Version::new(revision, 0));
///     Ok(Entry::new(stat, "value".into()))
/// };
/// let mut replica = Replica::new();
/// replica.apply(Event::Put(entry("/nodes/a", 1)?));
/// let before = replica.entries().clone();
/// replica.apply(Event::Put(entry("/nodes/b", 2)?));
/// assert_eq!((before.len(), replica.len()), (1, 2));
/// let below = replica.range(&Prefix::parse("/nodes")?).map(|entry| entry.key.name());
/// assert!(below.eq(["a", "b"]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Entries {
    held: RedBlackTreeSetSync<Held>,
}

/// An entry in the tree, which knows it by its key alone.
#[derive(Clone, Debug)]
struct Held(Entry);

/// The range of the keys below a prefix.
enum Below {
    Everything,
    /// From the prefix with its slash on, up to the same text with the character that follows the slash.
    Between(String, String),
}

impl Entries {
    /// No entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The entry under a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.held.get(key.as_str()).map(|held| &held.0)
    }

    /// The entries, in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.held.iter().map(|held| &held.0)
    }

    /// The entries below a prefix, in the order of their keys. To find the first takes as long as to
    /// [get](Self::get) one.
    pub fn range(&self, prefix: &Prefix) -> impl DoubleEndedIterator<Item = &Entry> + use<'_> {
        self.held.range::<str, Below>(Below::of(prefix)).map(|held| &held.0)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.size()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Puts an entry in the place of the one that has its key.
    pub(super) fn insert(&mut self, entry: Entry) {
        self.held.insert_mut(Held(entry));
    }

    /// Takes the entry of a key away.
    pub(super) fn remove(&mut self, key: &Key) {
        self.held.remove_mut(key.as_str());
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Entries {}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> Ordering {
        #[cfg(test)]
        super::tests::COMPARED.set(super::tests::COMPARED.get() + 1);
        self.0.key.cmp(&other.0.key)
    }
}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for Held {}

impl Borrow<str> for Held {
    fn borrow(&self) -> &str {
        self.0.key.as_str()
    }
}

impl Below {
    fn of(prefix: &Prefix) -> Self {
        match prefix.key() {
            None => Self::Everything,
            // Keys such as /a-b are between /a and what is below it.
            Some(key) => Self::Between(format!("{key}/"), format!("{key}0")),
        }
    }
}

impl RangeBounds<str> for Below {
    fn start_bound(&self) -> Bound<&str> {
        match self {
            Self::Everything => Bound::Unbounded,
            Self::Between(first, _) => Bound::Included(first),
        }
    }

    fn end_bound(&self) -> Bound<&str> {
        match self {
            Self::Everything => Bound::Unbounded,
            Self::Between(_, end) => Bound::Excluded(end),
        }
    }
}

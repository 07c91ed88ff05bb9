//! What an event changes in a replica.

use crate::{Entry, Key, Moment, Revision};

/// What an event changes in a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delta {
    /// An entry is new or different: it was written, though perhaps with the value that it had
    /// ([`is_unchanged`](Self::is_unchanged)), or deleted and made again without anybody seeing it
    /// ([`is_recreated`](Self::is_recreated)).
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

impl Delta {
    /// The key that this is about.
    #[must_use]
    pub const fn key(&self) -> Option<&Key> {
        match self {
            Self::Put { entry, .. } => Some(&entry.key),
            Self::Deleted { previous, .. } => Some(&previous.key),
            Self::Current { .. } => None,
        }
    }

    /// Whether an entry was written with the value that it had. Only its revision and its version moved, which
    /// whoever writes has to know and whoever reads may skip.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        match self {
            Self::Put { entry, previous: Some(previous) } => {
                entry.created == previous.created && entry.value == previous.value
            }
            _ => false,
        }
    }

    /// Whether an entry is another one under the key of one that was deleted, and only its end was seen: a
    /// deletion and a creation in one.
    #[must_use]
    pub fn is_recreated(&self) -> bool {
        match self {
            Self::Put { entry, previous: Some(previous) } => entry.created != previous.created,
            _ => false,
        }
    }
}

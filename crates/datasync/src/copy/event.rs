//! What is told of a copy while it is made and kept.

use std::fmt;

use crate::{Error, Key};

/// One of the two stores of a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two stores")]
pub enum Side {
    /// The store that is copied from.
    Source,
    /// The store that is copied to.
    Target,
}

/// What a mirror did, or could not do.
#[derive(Debug)]
#[non_exhaustive]
pub enum MirrorEvent {
    /// A value was written to the target, which has acknowledged it. Of a dry run: it would have been.
    Written {
        /// The key in the target.
        key: Key,
        /// The length of the value.
        bytes: usize,
        /// Whether the target had no such key.
        is_new: bool,
    },
    /// A key that only the target had was deleted there. Of a dry run: it would have been.
    Deleted {
        /// The key in the target.
        key: Key,
    },
    /// A key cannot be copied or deleted. Everything else goes on, and the key is tried again from time to time and
    /// when it changes; it is told again only if the reason is another one.
    Refused {
        /// The key: in the target, or in the source if the target can have no such key.
        key: Key,
        /// Why. It names the key, and both sizes if the value is too large.
        error: Error,
    },
    /// A store cannot be read, watched or written to now. It is tried again without end.
    Lost {
        /// Which of them.
        side: Side,
        /// Why.
        error: Error,
    },
    /// A store that was lost is back.
    Regained {
        /// Which of them.
        side: Side,
    },
    /// Everything that was told of both stores so far has been compared, and what can be copied was copied. It
    /// comes once after each time that there was something to do.
    InSync,
}

/// How far a mirror is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorProgress {
    /// The entries of the source, as far as they were told, with those under a lease.
    pub source_keys: usize,
    /// The entries of the target.
    pub target_keys: usize,
    /// How many keys wait to be compared, written or deleted.
    pub pending: usize,
    /// How many values were written since the start.
    pub written: u64,
    /// How many bytes of values were written since the start.
    pub written_bytes: u64,
    /// How many keys were deleted since the start.
    pub deleted: u64,
    /// How many keys are refused now.
    pub refused: usize,
    /// How many entries of the source are left out because they are under a lease.
    pub leased: usize,
    /// How many keys only the target has, and keeps.
    pub kept: usize,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

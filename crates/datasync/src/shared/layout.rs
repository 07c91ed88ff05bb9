//! Where the parts of a shared struct are.

use crate::{KEY_BYTES_MAX, Key, KeyError, Result};

/// The room that the longest part of a struct needs below its directory: a contender for its write lock.
const PART_BYTES_MAX: usize = 96;

/// The keys of one shared struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The document.
    pub(crate) payload: Key,
    /// What a directory has beside it; a struct on one plain key has neither.
    pub(crate) directory: Option<Directory>,
}

/// The parts of a struct that has a directory of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    /// The directory itself.
    pub(crate) base: Key,
    /// One key for each active listener.
    pub(crate) listeners: Key,
    /// One key for each who holds the write lock or waits for it.
    pub(crate) write_lock: Key,
}

impl Layout {
    /// The layout below a directory: `payload`, `listeners` and `write_lock`. A directory in which a part has no
    /// room is refused at once, not by the first one who needs that part.
    pub(crate) fn below(base: Key) -> Result<Self> {
        let bytes = base.as_str().len() + PART_BYTES_MAX;
        if bytes > KEY_BYTES_MAX {
            return Err(KeyError::TooLong { bytes }.into());
        }
        let (listeners, write_lock) = (base.join("listeners")?, base.join("write_lock")?);
        Ok(Self {
            payload: base.join("payload")?,
            directory: Some(Directory { base, listeners, write_lock }),
        })
    }

    /// A struct on one plain key.
    pub(crate) const fn at(payload: Key) -> Self {
        Self { payload, directory: None }
    }
}

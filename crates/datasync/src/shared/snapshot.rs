//! What a live copy holds, and what it says of each change.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::diff::{Change, ParsedDocument, to_patch};
use super::error::{ReadError, StaleCause};
use crate::{DecodeError, Revision, Version};

/// One revision of a shared struct. Cheap to clone.
#[derive(Debug)]
#[non_exhaustive]
pub struct Snapshot<T> {
    /// The struct.
    pub value: Arc<T>,
    /// The stored document, with the fields that `T` does not know. It keeps what makes comparing it fast.
    pub document: Arc<ParsedDocument>,
    /// The revision at which it was written.
    pub revision: Revision,
    /// Guards a write that replaces it.
    pub version: Version,
}

impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            document: Arc::clone(&self.document),
            revision: self.revision,
            version: self.version,
        }
    }
}

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// This handle or one of its clones.
    Local,
    /// Another handle of this process on the same store handle, and nobody else since the revision before.
    Process,
    /// Somebody else.
    Remote,
}

impl Origin {
    /// Whether whoever made this is part of `circle`: this handle is part of this process.
    pub(super) const fn is_within(self, circle: Self) -> bool {
        self as u8 <= circle as u8
    }

    /// Who made a change to which two have contributed.
    pub(super) const fn and(self, other: Self) -> Self {
        if self.is_within(other) { other } else { self }
    }
}

/// What changed with one observed revision. Cheap to clone.
#[derive(Debug)]
#[non_exhaustive]
pub struct ChangeSet<T> {
    /// The revision that was observed.
    pub revision: Revision,
    /// Who made the change.
    pub origin: Origin,
    /// Whether this is the net change over several revisions, because the subscriber was slow.
    pub coalesced: bool,
    /// The changes, field by field, in document order.
    pub changes: Arc<[Change]>,
    /// The struct before; `None` if it did not exist.
    pub previous: Option<Snapshot<T>>,
    /// The struct now; `None` if it was deleted.
    pub current: Option<Snapshot<T>>,
}

impl<T> ChangeSet<T> {
    /// The changes as an RFC 6902 patch that turns the previous document into the current one.
    #[must_use]
    pub fn to_patch(&self) -> Value {
        to_patch(&self.changes)
    }
}

impl<T> Clone for ChangeSet<T> {
    fn clone(&self) -> Self {
        Self {
            changes: Arc::clone(&self.changes),
            previous: self.previous.clone(),
            current: self.current.clone(),
            ..*self
        }
    }
}

/// A payload that cannot be decoded. The good copy stays in place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// The revision of the payload.
    pub revision: Revision,
    /// Why it cannot be used.
    pub error: DecodeError,
}

/// What subscribers of a shared struct are told.
#[derive(Debug)]
#[non_exhaustive]
pub enum SharedEvent<T> {
    /// The struct changed, was deleted or was created again.
    Changed(ChangeSet<T>),
    /// Somebody wrote a payload that cannot be decoded.
    Rejected(Rejected),
}

impl<T> Clone for SharedEvent<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Changed(set) => Self::Changed(set.clone()),
            Self::Rejected(rejected) => Self::Rejected(rejected.clone()),
        }
    }
}

/// What the owner of the copy lets readers see.
#[derive(Debug)]
pub(crate) enum Data<T> {
    /// The store was not read yet, or the struct does not exist yet.
    Waiting,
    /// A good copy.
    Present(Snapshot<T>),
    /// The newest payload cannot be decoded. The good copy may be of a struct that was deleted before.
    Rejected { good: Option<Snapshot<T>>, is_recreated: bool, rejected: Rejected, version: Version },
    /// The struct was deleted.
    Deleted { last: Option<Snapshot<T>>, revision: Revision },
}

impl<T> Data<T> {
    /// The last good copy, whatever came after it.
    pub(crate) const fn good(&self) -> Option<&Snapshot<T>> {
        match self {
            Self::Waiting => None,
            Self::Present(snapshot) => Some(snapshot),
            Self::Rejected { good, .. } => good.as_ref(),
            Self::Deleted { last, .. } => last.as_ref(),
        }
    }

    /// The last good copy of a struct that still exists: what the next good one is compared with.
    pub(crate) const fn compared(&self) -> Option<&Snapshot<T>> {
        match self {
            Self::Present(snapshot) => Some(snapshot),
            Self::Rejected { good, is_recreated: false, .. } => good.as_ref(),
            Self::Waiting | Self::Rejected { .. } | Self::Deleted { .. } => None,
        }
    }

    /// The value, if it may be read with a proof of this age.
    #[inline]
    pub(super) fn current(&self, age: Duration, bound: Duration) -> Result<&Arc<T>, ReadError> {
        match self {
            Self::Present(snapshot) if age <= bound => Ok(&snapshot.value),
            _ => self.not_current(age, bound),
        }
    }

    #[cold]
    fn not_current(&self, age: Duration, bound: Duration) -> Result<&Arc<T>, ReadError> {
        match self {
            Self::Deleted { revision, .. } => Err(ReadError::Deleted(*revision)),
            Self::Rejected { good: Some(good), is_recreated: false, .. } if age <= bound => Ok(&good.value),
            Self::Rejected { is_recreated: true, rejected, .. } => Err(ReadError::Rejected(rejected.clone())),
            Self::Rejected { rejected, .. } => {
                Err(ReadError::Stale { age, cause: StaleCause::Rejected(rejected.clone()) })
            }
            Self::Present(_) | Self::Waiting => Err(ReadError::Stale { age, cause: StaleCause::Unreached }),
        }
    }

    /// Whether the struct was deleted since the good copy.
    pub(crate) const fn is_recreated(&self) -> bool {
        matches!(self, Self::Deleted { .. } | Self::Rejected { is_recreated: true, .. })
    }

    /// The version of the payload that is held, good or not.
    pub(crate) const fn version(&self) -> Option<Version> {
        match self {
            Self::Present(snapshot) => Some(snapshot.version),
            Self::Rejected { version, .. } => Some(*version),
            Self::Waiting | Self::Deleted { .. } => None,
        }
    }
}

//! Why a read or an update of a shared struct failed.

use std::convert::Infallible;
use std::time::Duration;

use thiserror::Error;

use super::diff::DEPTH_MAX;
use super::snapshot::Rejected;
use crate::{Error, Key, LockError, Revision};

/// Why a struct could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The struct does not exist.
    #[error("there is no struct at {0}")]
    Missing(Key),
    /// The payload that is there cannot be decoded.
    #[error("the struct at {key} cannot be used: {}", rejected.error)]
    Rejected {
        /// Where the payload is.
        key: Key,
        /// Which payload, and why.
        rejected: Rejected,
    },
    /// The struct did not exist within the time allowed.
    #[error("there was no usable struct at {key} within {waited:?}")]
    TimedOut {
        /// Where the payload is expected.
        key: Key,
        /// How long was waited.
        waited: Duration,
    },
    /// The initial value cannot be written as JSON.
    #[error("the initial value cannot be encoded")]
    Encode(#[source] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Why a read gave no value.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The copy was not proved current for longer than its bound.
    #[error("the copy is {age:?} old: {cause}")]
    Stale {
        /// The time since the last proof was asked for.
        age: Duration,
        /// Why there was no newer proof.
        cause: StaleCause,
    },
    /// The struct was deleted.
    #[error("the struct was deleted at revision {0}")]
    Deleted(Revision),
    /// The newest payload cannot be decoded.
    #[error("the payload of revision {} cannot be used: {}", .0.revision, .0.error)]
    Rejected(Rejected),
    /// The store failed.
    #[error("the store could not be asked: {0}")]
    Store(std::sync::Arc<Error>),
}

/// Why a copy was not proved current.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum StaleCause {
    /// The store was not reached.
    #[error("the store was not reached")]
    Unreached,
    /// The newest payload cannot be decoded.
    #[error("the payload of revision {} cannot be used: {}", .0.revision, .0.error)]
    Rejected(Rejected),
}

/// Why an update failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UpdateError<E = Infallible> {
    /// The closure refused. Nothing was written.
    #[error("the update was refused")]
    Aborted(E),
    /// The struct does not exist. Nothing was written.
    #[error("there is no struct to update")]
    Deleted,
    /// The stored payload cannot be decoded. Nothing was written.
    #[error("the stored payload cannot be updated: {}", .0.error)]
    Rejected(Rejected),
    /// The local copy was behind the store. Nothing was written. Only of
    /// [`update_strict`](crate::Shared::update_strict).
    #[error("the local copy of revision {held} is behind revision {current} of the store")]
    StaleWrite {
        /// The revision of the local copy.
        held: Revision,
        /// The revision of the store.
        current: Revision,
    },
    /// Others held the lock for as long as was allowed to wait. Nothing was written.
    #[error("the write lock was not had: nothing was written")]
    Lock(#[source] LockError),
    /// The value cannot be written as JSON. Nothing was written.
    #[error("the value cannot be encoded")]
    Encode(#[source] serde_json::Error),
    /// The new document would be nested more deeply than readers accept. Nothing was written.
    #[error("the new document is nested {0} deep, more than the {DEPTH_MAX} that are accepted")]
    TooDeep(usize),
    /// The store failed; [`UpdateError::maybe_applied`] says whether the update may have been applied.
    #[error("the update failed")]
    Store(#[source] Error),
}

impl<E> UpdateError<E> {
    /// Whether the update may have been applied all the same. If not, it was not and never will be.
    #[must_use]
    pub fn maybe_applied(&self) -> bool {
        matches!(self, Self::Store(error) if error.maybe_applied())
    }
}

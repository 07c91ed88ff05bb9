//! Why following ended.

use thiserror::Error;

use crate::{DecodeError, Error, Key, Revision};

/// Why following ended. `E` is what the callbacks fail with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FollowError<E> {
    /// The store was closed, or the prefix is none.
    #[error("the store cannot be followed")]
    Store(#[from] Error),
    /// A node cannot be decoded, and the follower is strict.
    #[error("the node {key} of revision {revision} cannot be decoded")]
    Rejected {
        /// The node.
        key: Key,
        /// When it was written.
        revision: Revision,
        /// What is wrong with its value.
        #[source]
        error: DecodeError,
    },
    /// A callback failed.
    #[error("a callback failed")]
    Callback(#[source] E),
}

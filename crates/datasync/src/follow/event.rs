//! What a follower tells: events, in batches.

use std::sync::Arc;

use crate::{DecodeError, Key, Revision};

/// One step of what changed in a followed set.
#[derive(Debug)]
#[non_exhaustive]
pub enum FollowEvent<V> {
    /// A node is there that was not, or was not in the view.
    New {
        /// The node.
        key: Key,
        /// When it was written.
        revision: Revision,
        /// What it is.
        value: Arc<V>,
    },
    /// A node is different.
    Updated {
        /// The node.
        key: Key,
        /// When it was written.
        revision: Revision,
        /// What was told of it last.
        previous: Arc<V>,
        /// What it is now.
        value: Arc<V>,
    },
    /// A node is gone, or no longer in the view.
    Deleted {
        /// The node.
        key: Key,
        /// When it went, or a later revision at which its absence was seen.
        revision: Revision,
        /// What was told of it last.
        previous: Arc<V>,
    },
    /// A node was written with a value that cannot be decoded. What was told of it before, if anything, stays.
    Rejected {
        /// The node.
        key: Key,
        /// When it was written.
        revision: Revision,
        /// What is wrong with the value.
        error: DecodeError,
    },
    /// The initial content was told completely. It comes once, as the last event of the batch that completes it.
    Synced {
        /// Up to where the content is complete.
        revision: Revision,
    },
}

/// What changed at once. After its events the view is as it was in the store at `revision`.
///
/// Deletions come first, so that what is keyed by something other than the node (an address that moved from one
/// node to another) is free before it is taken. A node occurs once, but for one that was deleted and made again
/// unseen: it is deleted, then new.
#[derive(Debug)]
#[non_exhaustive]
pub struct Batch<V> {
    /// Up to where the batch tells.
    pub revision: Revision,
    /// What changed, in the order in which it is to be carried out.
    pub events: Vec<FollowEvent<V>>,
    /// Whether the initial content is complete with this batch.
    pub is_synced: bool,
    /// Whether it is the net change of several batches, because whoever is told was slow.
    pub is_coalesced: bool,
}

impl<V> FollowEvent<V> {
    /// The node that it is about; [`Synced`](Self::Synced) is about all.
    #[must_use]
    pub const fn key(&self) -> Option<&Key> {
        match self {
            Self::New { key, .. }
            | Self::Updated { key, .. }
            | Self::Deleted { key, .. }
            | Self::Rejected { key, .. } => Some(key),
            Self::Synced { .. } => None,
        }
    }

    /// When it happened.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        match self {
            Self::New { revision, .. }
            | Self::Updated { revision, .. }
            | Self::Deleted { revision, .. }
            | Self::Rejected { revision, .. }
            | Self::Synced { revision } => *revision,
        }
    }
}

// By hand: what is behind an `Arc` need not be `Clone`.
impl<V> Clone for FollowEvent<V> {
    fn clone(&self) -> Self {
        match self {
            Self::New { key, revision, value } => {
                Self::New { key: key.clone(), revision: *revision, value: Arc::clone(value) }
            }
            Self::Updated { key, revision, previous, value } => Self::Updated {
                key: key.clone(),
                revision: *revision,
                previous: Arc::clone(previous),
                value: Arc::clone(value),
            },
            Self::Deleted { key, revision, previous } => {
                Self::Deleted { key: key.clone(), revision: *revision, previous: Arc::clone(previous) }
            }
            Self::Rejected { key, revision, error } => {
                Self::Rejected { key: key.clone(), revision: *revision, error: error.clone() }
            }
            Self::Synced { revision } => Self::Synced { revision: *revision },
        }
    }
}

impl<V> Clone for Batch<V> {
    fn clone(&self) -> Self {
        let Self { revision, events, is_synced, is_coalesced } = self;
        Self {
            revision: *revision,
            events: events.clone(),
            is_synced: *is_synced,
            is_coalesced: *is_coalesced,
        }
    }
}

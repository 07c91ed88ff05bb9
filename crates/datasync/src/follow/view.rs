//! The view: what a follower holds of a set of nodes, in one persistent map.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use rpds::RedBlackTreeMapSync;

use super::FollowEvent;
use crate::{DecodeError, Key, Revision};

/// What is held of a set of nodes at one revision. Cloning costs the same however many there are.
pub(super) struct View<V> {
    /// The nodes that belong to the view.
    pub(super) nodes: RedBlackTreeMapSync<Key, Held<V>>,
    /// The nodes whose newest value cannot be decoded; an earlier one may be among `nodes`.
    pub(super) rejected: RedBlackTreeMapSync<Key, Rejection>,
    /// Up to where the view is complete.
    pub(super) revision: Revision,
    /// Whether the initial content was seen completely.
    pub(super) is_synced: bool,
}

/// What is held of one node.
pub(super) struct Held<V> {
    pub(super) value: Arc<V>,
    /// What the value was decoded from; the replica holds the same buffer.
    pub(super) bytes: Bytes,
    pub(super) revision: Revision,
    pub(super) created: Revision,
}

/// Why a value is not held.
#[derive(Clone)]
pub(super) struct Rejection {
    pub(super) revision: Revision,
    pub(super) error: DecodeError,
}

/// The nodes that may differ between two views, and when each changed last.
pub(super) type Touched = BTreeMap<Key, Revision>;

impl<V> View<V> {
    pub(super) fn new() -> Self {
        Self {
            nodes: RedBlackTreeMapSync::new_sync(),
            rejected: RedBlackTreeMapSync::new_sync(),
            revision: Revision::ZERO,
            is_synced: false,
        }
    }

    /// Whether a node is known at all, good or not.
    pub(super) fn knows(&self, key: &Key) -> bool {
        self.nodes.contains_key(key) || self.rejected.contains_key(key)
    }

    /// What changed from `before` to this view, as far as `touched` says: deletions first, then in the order of the
    /// keys.
    pub(super) fn since(
        &self,
        before: &Self,
        touched: &Touched,
        is_same: impl Fn(&Held<V>, &Held<V>) -> bool,
    ) -> Vec<FollowEvent<V>> {
        let (mut events, mut others) = (Vec::new(), Vec::new());
        for (key, at) in touched {
            let (was, is) = (before.nodes.get(key), self.nodes.get(key));
            let is_remade = matches!((was, is), (Some(was), Some(is)) if was.created != is.created);
            if let Some(was) = was
                && (is.is_none() || is_remade)
            {
                let previous = Arc::clone(&was.value);
                events.push(FollowEvent::Deleted { key: key.clone(), revision: *at, previous });
            }
            if let Some(is) = is {
                let (key, revision, value) = (key.clone(), is.revision, Arc::clone(&is.value));
                match was {
                    Some(was) if !is_remade => {
                        if !is_same(was, is) {
                            let previous = Arc::clone(&was.value);
                            others.push(FollowEvent::Updated { key, revision, previous, value });
                        }
                    }
                    _ => others.push(FollowEvent::New { key, revision, value }),
                }
            }
            let told = before.rejected.get(key).map(|rejection| rejection.revision);
            if let Some(Rejection { revision, error }) = self.rejected.get(key)
                && told != Some(*revision)
            {
                let (key, revision, error) = (key.clone(), *revision, error.clone());
                others.push(FollowEvent::Rejected { key, revision, error });
            }
        }
        events.append(&mut others);
        if self.is_synced && !before.is_synced {
            events.push(FollowEvent::Synced { revision: self.revision });
        }
        events
    }
}

// By hand: what is behind an `Arc` need not be `Clone`.
impl<V> Clone for View<V> {
    fn clone(&self) -> Self {
        let Self { nodes, rejected, revision, is_synced } = self;
        Self { nodes: nodes.clone(), rejected: rejected.clone(), revision: *revision, is_synced: *is_synced }
    }
}

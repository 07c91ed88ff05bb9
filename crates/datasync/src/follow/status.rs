//! How a follower is doing.

use crate::{Link, Moment, Revision};

/// How a follower is doing: independent facts, each as last seen.
///
/// The sender goes when the follower ends: then [`changed`](tokio::sync::watch::Receiver::changed) fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowStatus {
    /// The connection to the store.
    pub link: Link,
    /// Whether the initial content was seen completely.
    pub is_synced: bool,
    /// Up to where the view is complete.
    pub revision: Revision,
    /// When the newest proof was asked for that the view is complete; `None` if there was none yet. How often there
    /// is one is the store's business: [`Moment::elapsed`] says how old the view may be, at most.
    pub proved: Option<Moment>,
    /// How many nodes have a newest value that cannot be decoded.
    pub rejected: usize,
}

impl FollowStatus {
    pub(super) const fn new(link: Link) -> Self {
        Self { link, is_synced: false, revision: Revision::ZERO, proved: None, rejected: 0 }
    }
}

//! How one source of an overlay is doing.

use std::sync::Arc;

use crate::Link;

use super::layers::LayerId;

/// How one source of an [`Overlay`](crate::Overlay) is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceStatus {
    /// Tells it from another that has its name later.
    pub(super) id: LayerId,
    /// Its store was lost, and has not told what it missed to tell.
    pub(super) is_stale: bool,
    /// The name that it was added under.
    pub name: Arc<str>,
    /// Which source wins where several have a key: the one of the highest priority.
    pub priority: i32,
    /// The connection of its store.
    pub link: Link,
    /// Whether its content was told completely at least once. Until then it shows nothing.
    pub is_synced: bool,
    /// Why it could not be read or watched the last time; `None` once it could again.
    pub error: Option<Arc<str>>,
}

impl SourceStatus {
    /// Whether what the overlay shows of this source may be old.
    pub(super) const fn is_lost(&self) -> bool {
        self.is_synced && (self.is_stale || matches!(self.link, Link::Lost { .. } | Link::Closed))
    }

    /// Why what the overlay shows may be old, in words.
    pub(super) fn reason(&self) -> String {
        match &self.link {
            Link::Lost { reason } => format!("source {}: {reason}", self.name),
            Link::Closed => format!("source {}: its store was closed", self.name),
            Link::Connecting | Link::Live => format!("source {}: it is being read again", self.name),
        }
    }
}

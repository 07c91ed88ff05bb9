//! Following one node.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::FollowEvent;
use super::feed::{Fed, Feed};
use super::lens::Projected;
use crate::{Decode, DecodeError, Error, Json, Key, KeyError, Result, Revision, Selection, Store};

/// What happens to one node.
#[derive(Debug)]
#[non_exhaustive]
pub enum NodeEvent<T> {
    /// The node is there, or different.
    Value {
        /// When it was written.
        revision: Revision,
        /// What it is.
        value: Arc<T>,
    },
    /// The node does not exist. It is told once, before anything else, and then waited for.
    Absent {
        /// When it was looked for.
        revision: Revision,
    },
    /// The node was deleted. It is told once, and then waited for.
    Deleted {
        /// When it was deleted, or a later revision at which its absence was seen.
        revision: Revision,
        /// What was told of it last.
        previous: Arc<T>,
    },
    /// The node was written with a value that cannot be decoded. What was told before stays.
    Rejected {
        /// When it was written.
        revision: Revision,
        /// What is wrong with the value.
        error: DecodeError,
    },
}

/// Follows one node: a [`Stream`] of [`NodeEvent`]s.
///
/// Each value is told, as far as the store can tell them apart; one that is like the one before is not. A lost
/// connection is waited out. The stream ends when the store is closed. Dropping it ends the watch; there is no task.
#[must_use = "streams do nothing unless polled"]
pub struct NodeWatch<T> {
    feed: Feed<T>,
    lens: Box<dyn super::lens::Lens<T>>,
    told: VecDeque<NodeEvent<T>>,
}

/// Follows one node, which is JSON: its values, its absence, its deletion. It is waited for while it does not exist.
///
/// ```
/// use std::sync::Arc;
/// use futures_util::StreamExt;
/// use quorate_datasync::{Key, Memory, NodeEvent, Store, StoreExt, watch_node};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let mut node = watch_node::<u64, _>(&store, "/nodes/a")?;
/// assert!(matches!(node.next().await, Some(NodeEvent::Absent { .. })));
/// store.put(&Key::parse("/nodes/a")?, "7").await?;
/// assert!(matches!(node.next().await, Some(NodeEvent::Value { value, .. }) if *value == 7));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Invalid`](crate::ErrorKind::Invalid) if the key is none.
pub fn watch_node<T, K>(store: &Arc<dyn Store>, key: K) -> Result<NodeWatch<T>>
where
    T: DeserializeOwned + Send + Sync + 'static,
    K: TryInto<Key>,
    K::Error: Into<KeyError>,
{
    NodeWatch::new(store, key, Json)
}

impl<T: Send + Sync + 'static> NodeWatch<T> {
    /// As [`watch_node`], of a node that another codec decodes.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if the key is none.
    pub fn new<K>(store: &Arc<dyn Store>, key: K, codec: impl Decode<T>) -> Result<Self>
    where
        K: TryInto<Key>,
        K::Error: Into<KeyError>,
    {
        let key = key.try_into().map_err(|error| Error::from(error.into()))?;
        let lens = Box::new(Projected {
            codec,
            passes: Box::new(|_| true),
            project: Box::new(Some),
            is_same: |_: &T, _: &T| false,
        });
        Ok(Self { feed: Feed::new(store, Selection::Key(key)), lens, told: VecDeque::new() })
    }
}

impl<T> Stream for NodeWatch<T> {
    type Item = NodeEvent<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<NodeEvent<T>>> {
        let this = &mut *self;
        loop {
            if let Some(event) = this.told.pop_front() {
                return Poll::Ready(Some(event));
            }
            match ready!(this.feed.poll_next(cx, &*this.lens)) {
                Some(Fed::Batch(told)) => {
                    this.told.extend(told.batch.events.into_iter().filter_map(|event| {
                        let is_known = told.after.nodes.size() + told.after.rejected.size() > 0;
                        node_event(event, is_known)
                    }))
                }
                Some(Fed::Proved(..) | Fed::Lost(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

fn node_event<T>(event: FollowEvent<T>, is_known: bool) -> Option<NodeEvent<T>> {
    Some(match event {
        FollowEvent::New { revision, value, .. } | FollowEvent::Updated { revision, value, .. } => {
            NodeEvent::Value { revision, value }
        }
        FollowEvent::Deleted { revision, previous, .. } => NodeEvent::Deleted { revision, previous },
        FollowEvent::Rejected { revision, error, .. } => NodeEvent::Rejected { revision, error },
        FollowEvent::Synced { .. } if is_known => return None,
        FollowEvent::Synced { revision } => NodeEvent::Absent { revision },
    })
}

impl<T> fmt::Debug for NodeWatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeWatch").finish_non_exhaustive()
    }
}

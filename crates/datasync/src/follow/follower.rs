//! The follower: a stream of what changes in a set of nodes.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::watch;

use super::core::Handle;
use super::{Batch, FollowStatus, FollowerBuilder, Index, Nodes};
use crate::{KeyError, Prefix, Store};

/// Follows the nodes below a prefix: a [`Stream`] of [`Batch`]es, and [`Nodes`] that are readable at any time.
///
/// First the initial content, as new nodes, in a batch that ends with [`Synced`](super::FollowEvent::Synced); then
/// each change. Where the store watches commits whole, each commit is one batch; elsewhere a batch is what can be told
/// at once, and states of a node may be skipped, but none is invented. After a lost connection, or whatever else
/// makes the store lose count, the difference to what was told before is one batch: a node that was deleted meanwhile
/// is deleted, once, with the value that was told last.
///
/// A task of its own follows the store and bounds what waits to be told: whoever is slow gets the net change, and
/// delays nobody. The stream ends when the store is closed, when an index panics, or, of a
/// [strict](FollowerBuilder::strict) follower, after the first node that cannot be decoded. The task ends with the
/// last handle (the stream, its nodes, their indexes).
///
/// ```
/// use std::sync::Arc;
/// use futures_util::StreamExt;
/// use quorate_datasync::{FollowEvent, Follower, Key, Memory, Store, StoreExt};
///
/// #[derive(serde::Deserialize)]
/// struct Node {
///     address: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// store.put(&Key::parse("/nodes/a")?, r#"{"address":"10.0.0.1"}"#).await?;
/// let mut nodes = Follower::<Node>::over(&store, "/nodes").project(|n| Some(n.address.clone())).start()?;
/// let batch = nodes.next().await.unwrap();
/// assert!(matches!(&batch.events[0], FollowEvent::New { value, .. } if **value == "10.0.0.1"));
/// assert!(matches!(&batch.events[1], FollowEvent::Synced { .. }));
/// assert_eq!(nodes.nodes().len(), 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping the last handle ends the follower"]
pub struct Follower<V> {
    handle: Arc<Handle<V>>,
}

impl<T: Send + Sync + 'static> Follower<T> {
    /// A follower of the nodes below `prefix`, about to be started. An invalid prefix is told when it is.
    pub fn over<P>(store: &Arc<dyn Store>, prefix: P) -> FollowerBuilder<T>
    where
        P: TryInto<Prefix>,
        P::Error: Into<KeyError>,
    {
        FollowerBuilder::new(store, prefix.try_into().map_err(Into::into))
    }
}

impl<V> Follower<V> {
    pub(super) const fn new(handle: Arc<Handle<V>>) -> Self {
        Self { handle }
    }

    /// The nodes, to be read at any time, also after this stream is dropped.
    #[must_use]
    pub fn nodes(&self) -> Nodes<V> {
        Nodes::new(Arc::clone(&self.handle))
    }

    /// How the follower is doing, from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<FollowStatus> {
        self.handle.status.clone()
    }
}

impl<V: Send + Sync + 'static> Follower<V> {
    /// As [`Nodes::index_by`].
    ///
    /// # Panics
    ///
    /// As [`Nodes::index_by`].
    #[must_use]
    pub fn index_by<I: Ord + Send + Sync + 'static>(
        &self,
        by: impl Fn(&V) -> I + Send + Sync + 'static,
    ) -> Index<I, V> {
        self.nodes().index_by(by)
    }
}

impl<V> Stream for Follower<V> {
    type Item = Batch<V>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Batch<V>>> {
        self.handle.core.poll(cx)
    }
}

impl<V> Drop for Follower<V> {
    fn drop(&mut self) {
        self.handle.core.abandon();
    }
}

impl<V> fmt::Debug for Follower<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("status", &*self.handle.status.borrow()).finish_non_exhaustive()
    }
}

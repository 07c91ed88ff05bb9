//! The nodes of a follower, to be read by everybody.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use tokio::sync::watch;

use super::FollowStatus;
use super::core::Handle;
use super::index::Index;
use super::view::View;
use crate::{DecodeError, Error, ErrorKind, Key, Link, Prefix, Result, Revision};

/// The nodes that a [`Follower`](super::Follower) holds, readable whether or not anybody takes its batches. Cheap to
/// clone.
///
/// A read never waits for the store or for another reader. Whoever was told of a change reads at least that change.
/// When the connection is lost the nodes stay readable and get old; [`status`](Self::status) says so. The follower
/// goes on as long as one of its handles is there.
///
/// ```
/// use std::sync::Arc;
/// use quorate_datasync::{Follower, Key, Memory, Store, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// for (name, port) in [("/nodes/a", "8080"), ("/nodes/b", "9090")] {
///     store.put(&Key::parse(name)?, port).await?;
/// }
/// let nodes = Follower::<u16>::over(&store, "/nodes").start()?.nodes();
/// let by_port = nodes.index_by(|port| *port);
/// nodes.synced().await?;
/// assert_eq!(*nodes.get(&Key::parse("/nodes/a")?).unwrap(), 8080);
/// assert_eq!(by_port.first(&9090).unwrap().0, Key::parse("/nodes/b")?);
/// # Ok(())
/// # }
/// ```
pub struct Nodes<V> {
    handle: Arc<Handle<V>>,
}

/// The nodes of a follower at one revision. It does not change, and costs the same to make however many there are.
pub struct NodesSnapshot<V> {
    view: Arc<View<V>>,
}

impl<V> Nodes<V> {
    pub(super) const fn new(handle: Arc<Handle<V>>) -> Self {
        Self { handle }
    }

    /// One node. A node whose newest value cannot be decoded is as it was before.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<V>> {
        self.handle.core.view().nodes.get(key).map(|held| Arc::clone(&held.value))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.handle.core.view().nodes.size()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All nodes as they are now.
    #[must_use]
    pub fn snapshot(&self) -> NodesSnapshot<V> {
        NodesSnapshot { view: Arc::clone(&self.handle.core.view()) }
    }

    /// How the follower is doing, from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<FollowStatus> {
        self.handle.status.clone()
    }

    /// Waits until the initial content was seen completely, and says up to where.
    ///
    /// # Errors
    ///
    /// [`Closed`](ErrorKind::Closed) if the follower ended before.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind.
    pub async fn synced(&self) -> Result<Revision> {
        let mut status = self.status();
        let synced = status.wait_for(|status| status.is_synced || status.link == Link::Closed).await;
        match synced {
            Ok(status) if status.is_synced => Ok(status.revision),
            _ => Err(Error::new(ErrorKind::Closed, "follow").because("the follower ended")),
        }
    }
}

impl<V: Send + Sync + 'static> Nodes<V> {
    /// Finds nodes by something other than their key. The index is kept in step with the nodes as long as it lives,
    /// and costs a logarithm of its size for each change. If `by` panics the follower ends. It must give the same for the
    /// same node each time, and is called where the nodes are kept, which it may read: what takes long in it delays
    /// everybody.
    ///
    /// # Panics
    ///
    /// In `by` itself, of an index of the same follower: it would wait for itself.
    #[must_use]
    pub fn index_by<I: Ord + Send + Sync + 'static>(
        &self,
        by: impl Fn(&V) -> I + Send + Sync + 'static,
    ) -> Index<I, V> {
        self.index_by_each(move |value| [by(value)])
    }

    /// As [`index_by`](Self::index_by), for nodes that are to be found by several things each, or by none.
    ///
    /// # Panics
    ///
    /// As [`index_by`](Self::index_by).
    #[must_use]
    pub fn index_by_each<I, A>(&self, by: impl Fn(&V) -> A + Send + Sync + 'static) -> Index<I, V>
    where
        I: Ord + Send + Sync + 'static,
        A: IntoIterator<Item = I>,
    {
        Index::new(&self.handle, move |value, tell| by(value).into_iter().for_each(tell))
    }
}

impl<V> NodesSnapshot<V> {
    /// One node.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<V>> {
        self.view.nodes.get(key).map(|held| &held.value)
    }

    /// The revision at which a node was written last.
    #[must_use]
    pub fn revision_of(&self, key: &Key) -> Option<Revision> {
        self.view.nodes.get(key).map(|held| held.revision)
    }

    /// The nodes, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Arc<V>)> {
        self.view.nodes.iter().map(|(key, held)| (key, &held.value))
    }

    /// The nodes below a prefix, in the order of their keys.
    #[must_use]
    pub fn below(&self, prefix: &Prefix) -> Vec<(&Key, &Arc<V>)> {
        let text = prefix.text();
        let from = (Bound::Excluded(text.as_str()), Bound::Unbounded);
        let range = self.view.nodes.range::<str, _>(from).map(|(key, held)| (key, &held.value));
        range.take_while(|(key, _)| prefix.contains(key)).collect()
    }

    /// The nodes whose newest value cannot be decoded, and why.
    pub fn rejected(&self) -> impl Iterator<Item = (&Key, &DecodeError)> {
        self.view.rejected.iter().map(|(key, rejection)| (key, &rejection.error))
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.view.nodes.size()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to where it is complete.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.view.revision
    }

    /// Whether the initial content is complete.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.view.is_synced
    }
}

impl<V> Clone for Nodes<V> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<V> Clone for NodesSnapshot<V> {
    fn clone(&self) -> Self {
        Self { view: Arc::clone(&self.view) }
    }
}

impl<V> fmt::Debug for Nodes<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodes").field("status", &*self.handle.status.borrow()).finish_non_exhaustive()
    }
}

impl<V> fmt::Debug for NodesSnapshot<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (revision, len) = (self.revision(), self.len());
        f.debug_struct("NodesSnapshot")
            .field("revision", &revision)
            .field("len", &len)
            .finish_non_exhaustive()
    }
}

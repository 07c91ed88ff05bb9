//! A follower made of closures.

use std::fmt;
use std::sync::Arc;

use super::Follow;
use crate::{DecodeError, Key, Revision};

/// A [`Follow`] made of closures, all of which may be left out. What must wait for something implements [`Follow`]
/// itself.
///
/// The closures may borrow from where they are made.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Arc;
/// use quorate_datasync::{FollowError, Key, Memory, SimpleFollower, Store, StoreExt, watch_nodes};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// store.put(&Key::parse("/nodes/a")?, "7").await?;
/// let mut numbers = BTreeMap::new();
/// let follower = SimpleFollower::<u64, &str>::new()
///     .on_upsert(|key, number| {
///         numbers.insert(key.clone(), **number);
///         Ok(())
///     })
///     .on_batch_done(|_| Err("enough"));
/// let ended = watch_nodes(&store, "/nodes", follower).await;
/// assert!(matches!(ended, Err(FollowError::Callback("enough"))));
/// assert_eq!(numbers[&Key::parse("/nodes/a")?], 7);
/// # Ok(())
/// # }
/// ```
#[must_use = "a follower does nothing before it is run"]
pub struct SimpleFollower<'f, T, E> {
    filter: Option<Test<'f, Key, T>>,
    equals: Option<Test<'f, T, T>>,
    upsert: Option<OfNode<'f, Arc<T>, E>>,
    delete: Option<OfNode<'f, Arc<T>, E>>,
    rejected: Option<OfNode<'f, DecodeError, E>>,
    synced: Option<OfAll<'f, E>>,
    batch_done: Option<OfAll<'f, E>>,
}

type Test<'f, A, B> = Box<dyn Fn(&A, &B) -> bool + Send + Sync + 'f>;

/// What is called with something about one node.
type OfNode<'f, A, E> = Box<dyn FnMut(&Key, &A) -> Result<(), E> + Send + Sync + 'f>;

/// What is called with a revision of all of them.
type OfAll<'f, E> = Box<dyn FnMut(Revision) -> Result<(), E> + Send + Sync + 'f>;

impl<'f, T, E> SimpleFollower<'f, T, E> {
    /// One that does nothing.
    pub const fn new() -> Self {
        Self {
            filter: None,
            equals: None,
            upsert: None,
            delete: None,
            rejected: None,
            synced: None,
            batch_done: None,
        }
    }

    /// As [`Follow::filter`].
    pub fn filter(mut self, filter: impl Fn(&Key, &T) -> bool + Send + Sync + 'f) -> Self {
        self.filter = Some(Box::new(filter));
        self
    }

    /// As [`Follow::equals`].
    pub fn equals(mut self, equals: impl Fn(&T, &T) -> bool + Send + Sync + 'f) -> Self {
        self.equals = Some(Box::new(equals));
        self
    }

    /// Called with each node that is new or different.
    pub fn on_upsert(mut self, call: impl FnMut(&Key, &Arc<T>) -> Result<(), E> + Send + Sync + 'f) -> Self {
        self.upsert = Some(Box::new(call));
        self
    }

    /// Called with each node that is gone, and what was told of it last.
    pub fn on_delete(mut self, call: impl FnMut(&Key, &Arc<T>) -> Result<(), E> + Send + Sync + 'f) -> Self {
        self.delete = Some(Box::new(call));
        self
    }

    /// Called with each node that was written with a value that cannot be decoded.
    pub fn on_rejected(
        mut self,
        call: impl FnMut(&Key, &DecodeError) -> Result<(), E> + Send + Sync + 'f,
    ) -> Self {
        self.rejected = Some(Box::new(call));
        self
    }

    /// Called once the initial content was told completely.
    pub fn on_synced(mut self, call: impl FnMut(Revision) -> Result<(), E> + Send + Sync + 'f) -> Self {
        self.synced = Some(Box::new(call));
        self
    }

    /// Called at the end of each batch.
    pub fn on_batch_done(mut self, call: impl FnMut(Revision) -> Result<(), E> + Send + Sync + 'f) -> Self {
        self.batch_done = Some(Box::new(call));
        self
    }
}

impl<T: Send + Sync + 'static, E: Send> Follow<T> for SimpleFollower<'_, T, E> {
    type Error = E;

    fn filter(&self, key: &Key, value: &T) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter(key, value))
    }

    fn equals(&self, told: &T, value: &T) -> bool {
        self.equals.as_ref().is_some_and(|equals| equals(told, value))
    }

    async fn new(&mut self, key: &Key, value: &Arc<T>) -> Result<(), E> {
        self.upsert.as_mut().map_or(Ok(()), |call| call(key, value))
    }

    async fn updated(&mut self, key: &Key, _previous: &Arc<T>, value: &Arc<T>) -> Result<(), E> {
        self.upsert.as_mut().map_or(Ok(()), |call| call(key, value))
    }

    async fn deleted(&mut self, key: &Key, previous: &Arc<T>) -> Result<(), E> {
        self.delete.as_mut().map_or(Ok(()), |call| call(key, previous))
    }

    async fn rejected(&mut self, key: &Key, _revision: Revision, error: &DecodeError) -> Result<(), E> {
        self.rejected.as_mut().map_or(Ok(()), |call| call(key, error))
    }

    async fn synced(&mut self, revision: Revision) -> Result<(), E> {
        self.synced.as_mut().map_or(Ok(()), |call| call(revision))
    }

    async fn batch_done(&mut self, revision: Revision) -> Result<(), E> {
        self.batch_done.as_mut().map_or(Ok(()), |call| call(revision))
    }
}

impl<T, E> Default for SimpleFollower<'_, T, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, E> fmt::Debug for SimpleFollower<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimpleFollower").finish_non_exhaustive()
    }
}

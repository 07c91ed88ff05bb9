//! Callbacks: following as calls instead of a stream.

use std::sync::Arc;

use crate::{DecodeError, Key, Revision};

/// Who is called with what happens in a followed set, by [`watch_nodes`](super::watch_nodes) or
/// [`FollowerBuilder::run`](super::FollowerBuilder::run).
///
/// Calls come one after the other: those of one batch in its order, then [`batch_done`](Self::batch_done). What
/// belongs to the view is said by [`filter`](Self::filter): a node that no longer passes is deleted, one that passes
/// again is new. `previous` is always the value that was told last. The first error ends it and is returned to
/// whoever runs it.
///
/// The methods may be written as `async fn`:
///
/// ```
/// use std::sync::Arc;
/// use quorate_datasync::{Follow, FollowError, Key, Memory, Revision, Store, StoreExt, watch_nodes};
///
/// struct Sum(u64);
///
/// impl Follow<u64> for Sum {
///     type Error = u64;
///
///     async fn new(&mut self, _: &Key, value: &Arc<u64>) -> Result<(), u64> {
///         self.0 += **value;
///         Ok(())
///     }
///
///     async fn updated(&mut self, _: &Key, previous: &Arc<u64>, value: &Arc<u64>) -> Result<(), u64> {
///         self.0 = self.0 - **previous + **value;
///         Ok(())
///     }
///
///     async fn deleted(&mut self, _: &Key, previous: &Arc<u64>) -> Result<(), u64> {
///         self.0 -= **previous;
///         Ok(())
///     }
///
///     async fn batch_done(&mut self, _: Revision) -> Result<(), u64> {
///         Err(self.0)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// store.put(&Key::parse("/nodes/a")?, "3").await?;
/// store.put(&Key::parse("/nodes/b")?, "4").await?;
/// assert!(matches!(watch_nodes(&store, "/nodes", Sum(0)).await, Err(FollowError::Callback(7))));
/// # Ok(())
/// # }
/// ```
pub trait Follow<T: Send + Sync + 'static>: Send + Sync {
    /// What a callback fails with.
    type Error: Send;

    /// Whether a node belongs to the view. All do unless this says otherwise. It is called once for each value.
    fn filter(&self, key: &Key, value: &T) -> bool {
        let _ = (key, value);
        true
    }

    /// Whether a value is no news beside the one that was told last. Unless this says otherwise, values of other
    /// bytes are news. (Those of the same bytes never are.)
    fn equals(&self, told: &T, value: &T) -> bool {
        let _ = (told, value);
        false
    }

    /// A node is there that was not, or did not pass.
    #[expect(clippy::wrong_self_convention, reason = "it is named for the event, as the others are")]
    fn new(&mut self, key: &Key, value: &Arc<T>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// A node is different.
    fn updated(
        &mut self,
        key: &Key,
        previous: &Arc<T>,
        value: &Arc<T>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// A node is gone, or does not pass any more.
    fn deleted(
        &mut self,
        key: &Key,
        previous: &Arc<T>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// A node was written with a value that cannot be decoded. What was told of it before stays.
    fn rejected(
        &mut self,
        key: &Key,
        revision: Revision,
        error: &DecodeError,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = (key, revision, error);
        async { Ok(()) }
    }

    /// The initial content was told completely. It comes once, before the end of that batch.
    fn synced(&mut self, revision: Revision) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = revision;
        async { Ok(()) }
    }

    /// A batch was told completely: all that was told is as it is in the store at this revision.
    fn batch_done(&mut self, revision: Revision) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = revision;
        async { Ok(()) }
    }
}

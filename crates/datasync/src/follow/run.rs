//! Running callbacks.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::feed::{Fed, Feed};
use super::lens::{Filtered, Lens};
use super::metrics::Metrics;
use super::{Batch, Follow, FollowError, FollowEvent, Follower};
use crate::{Error, ErrorKind, KeyError, Prefix, Store};

/// Calls `follow` with what happens to the nodes below a prefix, which are JSON, until it fails or the store is closed.
/// Dropping the future ends it. For other codecs there is [`FollowerBuilder::run`](super::FollowerBuilder::run), which
/// also says more.
///
/// # Errors
///
/// [`FollowError::Callback`] as soon as a callback fails, [`FollowError::Store`] if the prefix is none or the store was
/// closed.
///
/// # Cancel safety
///
/// A dropped future drops the callback that runs. It cannot be taken up again: what was told is known only to whoever
/// was told.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use quorate_datasync::{FollowError, Key, Memory, SimpleFollower, Store, StoreExt, watch_nodes};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// store.put(&Key::parse("/nodes/a")?, "1").await?;
/// let follow = SimpleFollower::new()
///     .on_upsert(|key, load: &Arc<u32>| if **load > 2 { Err(format!("{key} is overloaded")) } else { Ok(()) })
///     .on_delete(|_, _| Ok(()));
/// let following = watch_nodes(&store, "/nodes", follow);
/// let loading = async {
///     tokio::task::yield_now().await;
///     store.put(&Key::parse("/nodes/a")?, "3").await
/// };
/// let (ended, _) = tokio::join!(following, loading);
/// assert!(matches!(ended, Err(FollowError::Callback(why)) if why == "/nodes/a is overloaded"));
/// # Ok(())
/// # }
/// ```
pub async fn watch_nodes<T, P, F>(
    store: &Arc<dyn Store>,
    prefix: P,
    follow: F,
) -> Result<(), FollowError<F::Error>>
where
    T: DeserializeOwned + Send + Sync + 'static,
    P: TryInto<Prefix>,
    P::Error: Into<KeyError>,
    F: Follow<T>,
{
    Follower::<T>::over(store, prefix).run(follow).await
}

pub(super) async fn run<V: Send + Sync + 'static, F: Follow<V>>(
    mut feed: Feed<V>,
    lens: &impl Lens<V>,
    is_strict: bool,
    metrics: Metrics,
    mut follow: F,
) -> Result<(), FollowError<F::Error>> {
    loop {
        let fed = feed.next(&Filtered { lens, follow: &follow }).await;
        match fed {
            Some(Fed::Batch(told)) => {
                metrics.on_batch(&told);
                call(&mut follow, told.batch, is_strict).await?;
            }
            Some(Fed::Proved(revision, _)) => metrics.on_revision(revision),
            Some(Fed::Lost(error)) => {
                tracing::debug!(%error, "what is followed is getting old");
                metrics.on_lost();
            }
            None => return Err(Error::new(ErrorKind::Closed, "follow").into()),
        }
    }
}

async fn call<V: Send + Sync + 'static, F: Follow<V>>(
    follow: &mut F,
    batch: Batch<V>,
    is_strict: bool,
) -> Result<(), FollowError<F::Error>> {
    if batch.events.is_empty() {
        return Ok(());
    }
    for event in &batch.events {
        let called = match event {
            FollowEvent::New { key, value, .. } => follow.new(key, value).await,
            FollowEvent::Updated { key, previous, value, .. } => follow.updated(key, previous, value).await,
            FollowEvent::Deleted { key, previous, .. } => follow.deleted(key, previous).await,
            FollowEvent::Rejected { key, revision, error } if is_strict => {
                let (key, revision, error) = (key.clone(), *revision, error.clone());
                return Err(FollowError::Rejected { key, revision, error });
            }
            FollowEvent::Rejected { key, revision, error } => follow.rejected(key, *revision, error).await,
            FollowEvent::Synced { revision } => follow.synced(*revision).await,
        };
        called.map_err(FollowError::Callback)?;
    }
    follow.batch_done(batch.revision).await.map_err(FollowError::Callback)
}

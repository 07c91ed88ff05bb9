//! What a follower is told before it starts.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::core::{Core, Handle};
use super::driver::Driver;
use super::feed::Feed;
use super::lens::Projected;
use super::metrics::Metrics;
use super::{Follow, FollowError, FollowStatus, Follower, run};
use crate::{Decode, Error, Json, Key, KeyError, Prefix, Result, Selection, Store};

/// Where a follower looks and what it makes of what it sees: set what differs from the usual, then
/// [`start`](Self::start) a stream or [`run`](Self::run) callbacks.
///
/// `T` is what the nodes are decoded to, by `C`; `V` is what is held and told of them.
#[must_use = "nothing is followed before start or run"]
pub struct FollowerBuilder<T, C = Json, V = T> {
    store: Arc<dyn Store>,
    prefix: std::result::Result<Prefix, KeyError>,
    codec: C,
    passes: Box<dyn Fn(&Key) -> bool + Send + Sync>,
    project: Box<dyn Fn(T) -> Option<V> + Send + Sync>,
    is_same: fn(&V, &V) -> bool,
    is_strict: bool,
    metrics: Option<String>,
}

impl<T: Send + Sync + 'static> FollowerBuilder<T> {
    pub(super) fn new(store: &Arc<dyn Store>, prefix: std::result::Result<Prefix, KeyError>) -> Self {
        Self {
            store: Arc::clone(store),
            prefix,
            codec: Json,
            passes: Box::new(|_| true),
            project: Box::new(Some),
            // The bytes differ, or nobody would ask.
            is_same: |_, _| false,
            is_strict: false,
            metrics: None,
        }
    }
}

impl<T: Send + Sync + 'static, C, V: Send + Sync + 'static> FollowerBuilder<T, C, V> {
    /// Sets how the nodes are decoded. JSON unless set.
    pub fn codec<D: Decode<T>>(self, codec: D) -> FollowerBuilder<T, D, V> {
        let Self { store, prefix, codec: _, passes, project, is_same, is_strict, metrics } = self;
        FollowerBuilder { store, prefix, codec, passes, project, is_same, is_strict, metrics }
    }

    /// Follows only the nodes with keys that pass, without looking at the values of the others.
    pub fn filter_key(mut self, passes: impl Fn(&Key) -> bool + Send + Sync + 'static) -> Self {
        self.passes = Box::new(passes);
        self
    }

    /// Holds and tells of each node only what `project` makes of it, and nothing of a node for which it gives
    /// `None`: that is as if the node were not there. A node that changes without a change in what is made of it is
    /// not told. A node on which `project` panics is rejected.
    ///
    /// Without a projection every write of other bytes is told.
    pub fn project<W: PartialEq + Send + Sync + 'static>(
        self,
        project: impl Fn(&V) -> Option<W> + Send + Sync + 'static,
    ) -> FollowerBuilder<T, C, W> {
        let Self { store, prefix, codec, passes, project: inner, is_same: _, is_strict, metrics } = self;
        let project = Box::new(move |value| project(&inner(value)?));
        FollowerBuilder { store, prefix, codec, passes, project, is_same: W::eq, is_strict, metrics }
    }

    /// Takes equal values for no news, though their bytes differ. A projection does so by itself.
    pub fn skip_equal(mut self) -> Self
    where
        V: PartialEq,
    {
        self.is_same = V::eq;
        self
    }

    /// Ends with the first node that cannot be decoded. Unless set such nodes are told as rejected, and what was told
    /// of them before stays.
    pub const fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Reports metrics through the `metrics` crate, under a name for this follower (label `follower`). They go to the
    /// recorder that is installed when it is started.
    ///
    /// | metric | kind | what it says |
    /// |---|---|---|
    /// | `quorate_follow_nodes` | gauge | nodes that are held |
    /// | `quorate_follow_rejected_nodes` | gauge | nodes whose newest value cannot be decoded |
    /// | `quorate_follow_revision` | gauge | revision up to which everything was observed |
    /// | `quorate_follow_events_total` | counter, `kind` | events: `new`, `updated`, `deleted`, `rejected` |
    /// | `quorate_follow_coalesced_total` | counter | events folded into a net change for who was behind |
    /// | `quorate_follow_queue_depth` | gauge | events that waited to be taken when the last ones came |
    /// | `quorate_follow_losses_total` | counter | times that the nodes could not be followed for a while |
    pub fn metrics(mut self, name: impl Into<String>) -> Self {
        self.metrics = Some(name.into());
        self
    }

    fn measured(metrics: Option<&String>) -> Metrics {
        metrics.map_or_else(Metrics::default, |name| Metrics::new(name))
    }

    /// Starts to follow, in a task of the tokio runtime that this is called in.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if the prefix is none. A store that cannot be reached is no error: the
    /// [status](Follower::status) tells, and it is tried again.
    pub fn start(self) -> Result<Follower<V>>
    where
        C: Decode<T>,
    {
        let Self { store, prefix, codec, passes, project, is_same, is_strict, metrics } = self;
        let metrics = Self::measured(metrics.as_ref());
        let feed = Feed::new(&store, Selection::Prefix(prefix.map_err(Error::from)?));
        let core = Arc::new(Core::new(Box::new(Projected { codec, passes, project, is_same })));
        let store_status = store.status();
        let (status, read) = watch::channel(FollowStatus::new(store_status.borrow().link.clone()));
        let driver = Driver { core: Arc::clone(&core), feed, store_status, status, is_strict, metrics };
        let task = tokio::spawn(driver.run());
        Ok(Follower::new(Arc::new(Handle::new(core, read, task.abort_handle()))))
    }
}

impl<T: Send + Sync + 'static, C: Decode<T>, V: Send + Sync + 'static> FollowerBuilder<T, C, V> {
    /// Follows, and calls `follow` with what happens, until it fails or the store is closed. Dropping the future ends
    /// it. There is no task: while a callback runs nothing else happens, and if that takes so long that the store
    /// loses count of what it has to tell, the difference is told when it is over.
    ///
    /// # Errors
    ///
    /// [`FollowError::Callback`] as soon as a callback fails, [`FollowError::Rejected`] if a
    /// [strict](Self::strict) follower meets a node that it cannot decode, [`FollowError::Store`] if the prefix is
    /// none or the store was closed.
    ///
    /// # Cancel safety
    ///
    /// A dropped future drops the callback that runs. It cannot be taken up again: what was told is known only to
    /// whoever was told.
    pub async fn run<F: Follow<V>>(self, follow: F) -> std::result::Result<(), FollowError<F::Error>> {
        let Self { store, prefix, codec, passes, project, is_same, is_strict, metrics } = self;
        let metrics = Self::measured(metrics.as_ref());
        let feed = Feed::new(&store, Selection::Prefix(prefix.map_err(Error::from)?));
        drop(store);
        run::run(feed, &Projected { codec, passes, project, is_same }, is_strict, metrics, follow).await
    }
}

impl<T, C: fmt::Debug, V> fmt::Debug for FollowerBuilder<T, C, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowerBuilder")
            .field("prefix", &self.prefix)
            .field("codec", &self.codec)
            .field("is_strict", &self.is_strict)
            .finish_non_exhaustive()
    }
}

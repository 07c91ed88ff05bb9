//! Opening a shared struct: create it or join it, or wait until somebody else made it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::Shared;
use super::core::Core;
use super::edit::Editor;
use super::error::OpenError;
use super::layout::Layout;
use super::metrics::Metrics;
use super::owner::Owner;
use super::presence::{Presence, is_final};
use super::snapshot::Data;
use super::status::{DataStatus, SharedStatus};
use super::streams::SharedEvents;
use crate::coordinate::after;
use crate::{Consistency, Error, ErrorKind, Key, KeyError, Store};

/// How old a copy may be before reads fail, unless set otherwise.
const BOUND: Duration = Duration::from_secs(30);

/// How long updates wait for the lock, unless set otherwise.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// A shared struct that is about to be opened: set what differs from the usual, then [`create`](Self::create),
/// [`join`](Self::join), [`expect`](Self::expect) or [`wait`](Self::wait).
#[must_use = "nothing is opened before create, join, expect or wait"]
pub struct Open<T> {
    store: Arc<dyn Store>,
    layout: Result<Layout, Error>,
    bound: Duration,
    lock_wait: Duration,
    is_listener: bool,
    reports_applied: bool,
    metrics: Option<String>,
    early: Option<Arc<Core<T>>>,
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Open<T> {
    pub(crate) fn below(store: &Arc<dyn Store>, directory: Result<Key, KeyError>) -> Self {
        Self::new(store, directory.map_err(Error::from).and_then(Layout::below), true)
    }

    pub(crate) fn at(store: &Arc<dyn Store>, key: Result<Key, KeyError>) -> Self {
        Self::new(store, key.map_err(Error::from).map(Layout::at), false)
    }

    fn new(store: &Arc<dyn Store>, layout: Result<Layout, Error>, is_listener: bool) -> Self {
        let store = Arc::clone(store);
        Self {
            store,
            layout,
            bound: BOUND,
            lock_wait: LOCK_WAIT,
            is_listener,
            reports_applied: false,
            metrics: None,
            early: None,
        }
    }

    /// Sets how old the copy may be before [`Shared::read`] fails. 30 s unless set.
    pub const fn bound(mut self, bound: Duration) -> Self {
        self.bound = bound;
        self
    }

    /// Sets how long updates wait for the lock. 30 s unless set.
    pub const fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Does not register as a listener.
    pub const fn unlisted(mut self) -> Self {
        self.is_listener = false;
        self
    }

    /// Reports, as a listener, the newest revision that the copy here has ([`Listener::applied`](crate::Listener)):
    /// the newest only, at most once in 5 s. Without this a listener is written once.
    pub const fn report_applied(mut self) -> Self {
        self.reports_applied = true;
        self
    }

    /// Reports metrics through the `metrics` crate, under a name for this struct (label `struct`). They go to the
    /// recorder that is installed when the struct is opened. Name before subscribing.
    ///
    /// | metric | kind | what it says |
    /// |---|---|---|
    /// | `quorate_shared_age_seconds` | gauge | age of the copy, looked at four times in its bound |
    /// | `quorate_shared_revision` | gauge | newest revision observed |
    /// | `quorate_shared_changes_total` | counter, `origin` | changes observed: `local`, `process`, `remote` |
    /// | `quorate_shared_rejected_total` | counter | payloads that could not be decoded |
    /// | `quorate_shared_coalesced_total` | counter | events folded into a net change for a slow subscriber |
    /// | `quorate_shared_queue_depth` | gauge | events that wait for the slowest subscriber |
    /// | `quorate_shared_subscribers` | gauge | subscribers |
    /// | `quorate_shared_resyncs_total` | counter | times the struct was loaded anew |
    /// | `quorate_shared_lock_wait_seconds` | histogram | from asking for the lock to having it |
    /// | `quorate_shared_update_seconds` | histogram, `way` | an update, `exclusive` or `optimistic` |
    /// | `quorate_shared_update_failures_total` | counter | updates that failed or were refused |
    /// | `quorate_shared_conflicts_total` | counter | writes made again because somebody else wrote |
    /// | `quorate_shared_updates_per_write` | histogram | updates that shared one write |
    pub fn metrics(mut self, name: impl Into<String>) -> Self {
        self.metrics = Some(name.into());
        self
    }

    /// Subscribes before the struct is opened: so a payload that cannot be decoded is told while
    /// [`wait`](Self::wait) waits for a good one. Set the bound first.
    ///
    /// # Errors
    ///
    /// [`OpenError::Store`] for an invalid key.
    pub fn events(&mut self) -> Result<SharedEvents<T>, OpenError> {
        let (queue, ()) = self.core()?.subscribers.add(|| ());
        Ok(SharedEvents::new(queue))
    }

    /// Watches how the copy is doing from before the struct is opened. Set the bound first.
    ///
    /// # Errors
    ///
    /// [`OpenError::Store`] for an invalid key.
    pub fn status(&mut self) -> Result<watch::Receiver<SharedStatus>, OpenError> {
        Ok(self.core()?.status.subscribe())
    }

    /// Creates the struct with this value and all its parents, or joins it if it exists: atomically, so that two
    /// who create it at once both succeed with one value. Joining never tells the value given here as a change.
    ///
    /// # Errors
    ///
    /// [`OpenError::Rejected`] if it exists and cannot be decoded, [`OpenError::Encode`], [`OpenError::Store`]; of a
    /// store that does not answer within the bound, [`TimedOut`](ErrorKind::TimedOut).
    ///
    /// # Cancel safety
    ///
    /// A dropped future may have created the struct.
    pub async fn create(mut self, initial: T) -> Result<Shared<T>, OpenError> {
        let payload = serde_json::to_vec(&initial).map_err(OpenError::Encode)?;
        let core = self.core()?;
        let deadline = after(self.bound);
        let creating = self.create_or_join(core, payload.into(), deadline);
        timeout_at(deadline, creating).await.unwrap_or_else(|_| Err(self.timed_out()))
    }

    async fn create_or_join(
        &self,
        core: Arc<Core<T>>,
        payload: Bytes,
        deadline: Instant,
    ) -> Result<Shared<T>, OpenError> {
        core.editor.ensure(payload, deadline).await?;
        self.start(core, Until::Decided).await
    }

    /// Joins a struct that exists.
    ///
    /// # Errors
    ///
    /// [`OpenError::Missing`], [`OpenError::Rejected`], [`OpenError::Store`].
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind.
    pub async fn join(mut self) -> Result<Shared<T>, OpenError> {
        let core = self.core()?;
        let joining = async {
            if core.editor.read(Consistency::Synced).await?.is_none() {
                return Err(OpenError::Missing(core.editor.layout.payload.clone()));
            }
            self.start(core, Until::Decided).await
        };
        timeout_at(after(self.bound), joining).await.unwrap_or_else(|_| Err(self.timed_out()))
    }

    /// Waits until the struct exists and can be decoded, for at most `wait`.
    ///
    /// # Errors
    ///
    /// [`OpenError::TimedOut`], [`OpenError::Store`].
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind.
    pub async fn expect(mut self, wait: Duration) -> Result<Shared<T>, OpenError> {
        let core = self.core()?;
        let key = core.editor.layout.payload.clone();
        let opened = timeout_at(after(wait), self.start(core, Until::Good)).await;
        opened.unwrap_or_else(|_| Err(OpenError::TimedOut { key, waited: wait }))
    }

    /// Waits until the struct exists and can be decoded, however long that takes.
    ///
    /// # Errors
    ///
    /// [`OpenError::Store`].
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind.
    pub async fn wait(mut self) -> Result<Shared<T>, OpenError> {
        let core = self.core()?;
        self.start(core, Until::Good).await
    }

    fn core(&mut self) -> Result<Arc<Core<T>>, OpenError> {
        if let Some(core) = &self.early {
            return Ok(Arc::clone(core));
        }
        let layout = match &self.layout {
            Ok(layout) => layout.clone(),
            Err(error) => {
                return Err(Error::new(error.kind(), "open").because(error.to_string()).into());
            }
        };
        let metrics = self.metrics.as_deref().map(Metrics::new).unwrap_or_default();
        let core = Arc::new(Core::new(Editor::new(&self.store, layout).measured(metrics), self.bound));
        self.early = Some(Arc::clone(&core));
        Ok(core)
    }

    /// Starts the owner of the copy, waits until it holds what is asked for, and registers as a listener.
    async fn start(&self, core: Arc<Core<T>>, until: Until) -> Result<Shared<T>, OpenError> {
        let mut status = core.status.subscribe();
        let owner = tokio::spawn(Owner::new(Arc::clone(&core)).run());
        let mut shared = Shared::new(core, owner.abort_handle(), self.lock_wait);
        let span = tracing::debug_span!("open", key = %shared.core().editor.layout.payload);
        self.opened(&mut status, &shared, until).instrument(span).await?;
        debug_assert!(!matches!(&**shared.core().data(), Data::Waiting), "a present copy is readable");
        if self.is_listener {
            self.listen(&mut shared).await?;
        }
        Ok(shared)
    }

    /// Waits until the copy holds what is asked for.
    async fn opened(
        &self,
        status: &mut watch::Receiver<SharedStatus>,
        shared: &Shared<T>,
        until: Until,
    ) -> Result<(), OpenError> {
        loop {
            let SharedStatus { data, proved, .. } = status.borrow_and_update().clone();
            let payload = &shared.core().editor.layout.payload;
            match data {
                DataStatus::Present if proved.is_some() => return Ok(()),
                DataStatus::Rejected(rejected) if until == Until::Decided => {
                    return Err(OpenError::Rejected { key: payload.clone(), rejected });
                }
                DataStatus::Deleted if until == Until::Decided => {
                    return Err(OpenError::Missing(payload.clone()));
                }
                DataStatus::Present | DataStatus::Deleted | DataStatus::Rejected(_) | DataStatus::Waiting => {
                }
            }
            if matches!(status.borrow().link, crate::Link::Closed) || status.changed().await.is_err() {
                return Err(Error::new(ErrorKind::Closed, "open").on(payload).into());
            }
        }
    }

    /// Registers as a listener now, and stays registered as long as the handle lives.
    async fn listen(&self, shared: &mut Shared<T>) -> Result<(), OpenError> {
        let core = shared.core();
        let Some(directory) = &core.editor.layout.directory else {
            return Ok(());
        };
        let mut presence = Presence::new(&core.editor.store, &core.editor.keeper, &directory.listeners)?;
        if self.reports_applied {
            presence = presence.reporting(core.status.subscribe());
        }
        let lease = match presence.register().await {
            Ok(lease) => Some(lease),
            Err(error) if is_final(&error) => {
                tracing::warn!(key = %directory.listeners, %error, "not registered as a listener");
                return Ok(());
            }
            Err(error) => {
                tracing::debug!(key = %directory.listeners, %error, "registering as a listener is tried again");
                None
            }
        };
        let task = tokio::spawn(async move { presence.keep(lease).await });
        shared.own(task.abort_handle());
        Ok(())
    }

    fn timed_out(&self) -> OpenError {
        let error = Error::new(ErrorKind::TimedOut, "open");
        error.because(format!("the store did not show the struct within {:?}", self.bound)).into()
    }
}

/// What opening waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// The store has said what is there, good or not.
    Decided,
    /// A good copy is there.
    Good,
}

impl<T> fmt::Debug for Open<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("layout", &self.layout)
            .field("bound", &self.bound)
            .field("lock_wait", &self.lock_wait)
            .field("is_listener", &self.is_listener)
            .finish_non_exhaustive()
    }
}

//! A shared struct.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{
    ChangeSet, Changes, Document, Key, KeyError, Listener, Pointer, ReadError, Select, SelectBy, SharedEvent,
    SharedEvents, SharedStatus, Snapshot, UpdateError, UpdateHandler, Updated,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::background::Held;
use super::open_shared::Open;
use super::store::Store;
use super::told::Told;

/// A struct that lives in a store, with a live copy here, for programs without a runtime: see
/// [`Shared`](crate::Shared), whose promises these are. Cheap to clone; all clones share one copy.
///
/// Handles may be used from any number of threads at once. What waits panics where waiting is not allowed, as
/// [everything here](crate::blocking#panics); `read`, `peek`, `snapshot` and `status` wait for nothing and may be
/// called anywhere.
pub struct Shared<T> {
    shared: Held<crate::Shared<T>>,
    document: Option<Arc<Document>>,
}

/// Why [`Shared::wait_for`] gave nothing.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitError {
    /// What was waited for did not come true in time.
    #[error("what was waited for did not come true within {0:?}")]
    TimedOut(Duration),
    /// The store was closed.
    #[error("the store was closed")]
    Closed,
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Shared<T> {
    pub(super) fn new(shared: Held<crate::Shared<T>>, document: Option<Document>) -> Self {
        Self { shared, document: document.map(Arc::new) }
    }

    /// The struct below `directory`: see [`Shared::open`](crate::Shared::open).
    pub fn open<K>(store: &Store, directory: K) -> Open<T>
    where
        K: TryInto<Key>,
        K::Error: Into<KeyError>,
    {
        let directory: Result<Key, KeyError> = directory.try_into().map_err(Into::into);
        let open = match directory.clone() {
            Ok(key) => crate::Shared::open(store.store(), key),
            Err(error) => crate::Shared::open(store.store(), Refused(error)),
        };
        Open::new(store, directory.ok(), open)
    }

    /// The struct on one plain key: see [`Shared::at_key`](crate::Shared::at_key).
    pub fn at_key<K>(store: &Store, key: K) -> Open<T>
    where
        K: TryInto<Key>,
        K::Error: Into<KeyError>,
    {
        Open::new(store, None, crate::Shared::at_key(store.store(), key))
    }

    /// Asks the store for the newest value: see [`Shared::read_consistent`](crate::Shared::read_consistent).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::read_consistent`](crate::Shared::read_consistent).
    pub fn read_consistent(&self) -> Result<Arc<T>, ReadError> {
        self.block_on(self.shared.value().read_consistent())
    }

    /// Changes the struct exclusively, exactly once: see [`Shared::update`](crate::Shared::update).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::update`](crate::Shared::update).
    pub fn update<R>(&self, change: impl FnMut(&mut T) -> R) -> Result<Updated<T, R>, UpdateError> {
        self.block_on(self.shared.value().update(change))
    }

    /// As [`update`](Self::update), with a closure that may refuse: see
    /// [`Shared::try_update`](crate::Shared::try_update).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::try_update`](crate::Shared::try_update).
    pub fn try_update<R, E>(
        &self,
        change: impl FnMut(&mut T) -> Result<R, E>,
    ) -> Result<Updated<T, R>, UpdateError<E>> {
        self.block_on(self.shared.value().try_update(change))
    }

    /// As [`update`](Self::update), but fails if the copy here was behind: see
    /// [`Shared::update_strict`](crate::Shared::update_strict).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::update_strict`](crate::Shared::update_strict).
    pub fn update_strict<R>(&self, change: impl FnMut(&mut T) -> R) -> Result<Updated<T, R>, UpdateError> {
        self.block_on(self.shared.value().update_strict(change))
    }

    /// Changes the struct without the lock: see [`Shared::update_optimistic`](crate::Shared::update_optimistic).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::update_optimistic`](crate::Shared::update_optimistic).
    pub fn update_optimistic<R>(
        &self,
        change: impl FnMut(&mut T) -> R,
    ) -> Result<Updated<T, R>, UpdateError> {
        self.block_on(self.shared.value().update_optimistic(change))
    }

    /// Waits until the struct is as `holds` says, for at most `wait`, and gives it back as it was then. What it was
    /// only between two looks may be missed.
    ///
    /// # Errors
    ///
    /// [`WaitError`].
    pub fn wait_for(&self, wait: Duration, mut holds: impl FnMut(&T) -> bool) -> Result<Arc<T>, WaitError> {
        let (first, mut events) = self.shared.value().snapshot_and_events();
        let waiting = async {
            if !self.shared.value().is_deleted() && holds(&first.value) {
                return Ok(first.value);
            }
            while let Some(event) = events.next().await {
                if let SharedEvent::Changed(ChangeSet { current: Some(current), .. }) = event
                    && holds(&current.value)
                {
                    return Ok(current.value);
                }
            }
            Err(WaitError::Closed)
        };
        self.block_on(async { tokio::time::timeout(wait, waiting).await })
            .unwrap_or(Err(WaitError::TimedOut(wait)))
    }

    /// Calls `handler` for each change, on the background thread: see
    /// [`Shared::update_handler`](crate::Shared::update_handler). While it runs, nothing else goes on there, so it
    /// must be brief and may not wait.
    pub fn update_handler(&self, handler: impl FnMut(&ChangeSet<T>) + Send + 'static) -> UpdateHandler {
        self.shared.background().enter(|| self.shared.value().update_handler(handler))
    }
}

impl<T> Shared<T> {
    /// The local copy, if it was proved current within its bound: see [`Shared::read`](crate::Shared::read).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::read`](crate::Shared::read).
    pub fn read(&self) -> Result<Arc<T>, ReadError> {
        self.shared.value().read()
    }

    /// The last good copy, however old: see [`Shared::peek`](crate::Shared::peek).
    #[must_use]
    pub fn peek(&self) -> Arc<T> {
        self.shared.value().peek()
    }

    /// The last good copy with its document and revision: see [`Shared::snapshot`](crate::Shared::snapshot).
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<T> {
        self.shared.value().snapshot()
    }

    /// How the copy is doing now.
    #[must_use]
    pub fn status(&self) -> SharedStatus {
        self.shared.value().status().borrow().clone()
    }

    /// Whether the struct was deleted, as far as is known here.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.shared.value().is_deleted()
    }

    /// The changes from now on: see [`Shared::changes`](crate::Shared::changes).
    pub fn changes(&self) -> Told<Changes<T>> {
        self.told(self.shared.value().changes())
    }

    /// Everything that is told from now on: see [`Shared::events`](crate::Shared::events).
    pub fn events(&self) -> Told<SharedEvents<T>> {
        self.told(self.shared.value().events())
    }

    /// What one field is, and then what it was and is: see [`Shared::select`](crate::Shared::select).
    pub fn select<F, P>(&self, project: P) -> Told<Select<T, F, P>>
    where
        F: Clone + PartialEq + Unpin,
        P: Fn(&T) -> &F + Unpin,
    {
        self.told(self.shared.value().select(project))
    }

    /// The same of one place in the document: see [`Shared::select_by`](crate::Shared::select_by).
    pub fn select_by(&self, pointer: Pointer) -> Told<SelectBy<T>> {
        self.told(self.shared.value().select_by(pointer))
    }

    /// Who listens now; nobody, for a struct on one plain key.
    ///
    /// # Errors
    ///
    /// Those of [`Document::listeners`].
    pub fn listeners(&self) -> quorate_datasync::Result<Vec<Listener>> {
        match &self.document {
            Some(document) => self.block_on(document.listeners()),
            None => Ok(Vec::new()),
        }
    }

    fn told<S: futures_core::Stream + Unpin>(&self, stream: S) -> Told<S> {
        Told::new(Held::new(self.shared.background().clone(), stream))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.shared.background().block_on(future)
    }
}

/// A key that is none, which is told when the struct is opened.
struct Refused(KeyError);

impl TryFrom<Refused> for Key {
    type Error = KeyError;

    fn try_from(refused: Refused) -> Result<Self, KeyError> {
        Err(refused.0)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), document: self.document.clone() }
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(self.shared.value()).finish()
    }
}

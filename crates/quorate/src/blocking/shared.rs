//! A shared struct.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::access::Access;
use super::background::Held;
use super::open_shared::Open;
use super::store::Store;
use super::told::Told;
use crate::{
    ChangeSet, Changes, ChangesOptions, Error, ErrorKind, Key, KeyError, Listener, Listeners, Pointer,
    ReadError, Select, SelectBy, SharedEvents, SharedStatus, Snapshot, UpdateError, UpdateHandler,
    UpdateOptions, Updated,
};

/// A struct that lives in a store, with a live copy here, for programs without a runtime: see
/// [`Shared`](crate::Shared), whose promises these are. Cheap to clone; all clones share one copy.
///
/// Handles may be used from any number of threads at once. What waits panics where waiting is not allowed, as
/// [everything here](crate::blocking#panics); `read`, `peek`, `snapshot` and `status` wait for nothing and may be
/// called anywhere.
pub struct Shared<T> {
    shared: Held<crate::Shared<T>>,
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Shared<T> {
    pub(super) const fn new(shared: Held<crate::Shared<T>>) -> Self {
        Self { shared }
    }

    /// The struct below `directory`: see [`Shared::open`](crate::Shared::open).
    pub fn open<K>(store: &Store, directory: K) -> Open<T>
    where
        K: TryInto<Key>,
        K::Error: Into<KeyError>,
    {
        Open::new(store, crate::Shared::open(store.store(), directory))
    }

    /// The struct on one plain key: see [`Shared::at_key`](crate::Shared::at_key).
    pub fn at_key<K>(store: &Store, key: K) -> Open<T>
    where
        K: TryInto<Key>,
        K::Error: Into<KeyError>,
    {
        Open::new(store, crate::Shared::at_key(store.store(), key))
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

    /// As [`update`](Self::update), in the way that the options say: see
    /// [`Shared::update_with`](crate::Shared::update_with).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::update_with`](crate::Shared::update_with).
    pub fn update_with<R>(
        &self,
        options: UpdateOptions,
        change: impl FnMut(&mut T) -> R,
    ) -> Result<Updated<T, R>, UpdateError> {
        self.block_on(self.shared.value().update_with(options, change))
    }

    /// As [`try_update`](Self::try_update), in the way that the options say: see
    /// [`Shared::try_update_with`](crate::Shared::try_update_with).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::try_update_with`](crate::Shared::try_update_with).
    pub fn try_update_with<R, E>(
        &self,
        options: UpdateOptions,
        change: impl FnMut(&mut T) -> Result<R, E>,
    ) -> Result<Updated<T, R>, UpdateError<E>> {
        self.block_on(self.shared.value().try_update_with(options, change))
    }

    /// Waits until the struct is as `holds` says, for at most `wait`, and gives it back as it was then: see
    /// [`Shared::wait_for`](crate::Shared::wait_for).
    ///
    /// # Errors
    ///
    /// [`TimedOut`](crate::ErrorKind::TimedOut), and those of [`Shared::wait_for`](crate::Shared::wait_for).
    pub fn wait_for(&self, wait: Duration, holds: impl FnMut(&T) -> bool) -> crate::Result<Arc<T>> {
        let waiting = self.shared.value().wait_for(holds);
        self.block_on(async { tokio::time::timeout(wait, waiting).await }).unwrap_or_else(|_| {
            let why = format!("what was waited for did not come true within {wait:?}");
            Err(Error::new(ErrorKind::TimedOut, "wait").because(why))
        })
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

    /// The local copy, if it was proved current within this time: see
    /// [`Shared::read_within`](crate::Shared::read_within).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::read`](crate::Shared::read).
    pub fn read_within(&self, bound: Duration) -> Result<Arc<T>, ReadError> {
        self.shared.value().read_within(bound)
    }

    /// Reads the copy from a hot path: see [`Shared::access`](crate::Shared::access).
    #[must_use]
    pub fn access(&self) -> Access<T> {
        Access::new(Held::new(self.shared.background().clone(), self.shared.value().access()))
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

    /// The changes from now on, in the way that the options say: see
    /// [`Shared::changes_with`](crate::Shared::changes_with).
    pub fn changes_with(&self, options: ChangesOptions) -> Told<Changes<T>> {
        self.told(self.shared.value().changes_with(options))
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

    /// Who listens now: see [`Shared::listeners`](crate::Shared::listeners).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::listeners`](crate::Shared::listeners).
    pub fn listeners(&self) -> crate::Result<Vec<Listener>> {
        self.block_on(self.shared.value().listeners())
    }

    /// Who listens, who comes and who leaves: see [`Shared::watch_listeners`](crate::Shared::watch_listeners).
    ///
    /// # Errors
    ///
    /// Those of [`Shared::watch_listeners`](crate::Shared::watch_listeners).
    pub fn watch_listeners(&self) -> crate::Result<Told<Listeners>> {
        Ok(self.told(self.shared.value().watch_listeners()?))
    }

    fn told<S: futures_core::Stream + Unpin>(&self, stream: S) -> Told<S> {
        Told::new(Held::new(self.shared.background().clone(), stream))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.shared.background().block_on(future)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(self.shared.value()).finish()
    }
}

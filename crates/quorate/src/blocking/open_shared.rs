//! Opening a shared struct.

use std::fmt;
use std::time::Duration;

use quorate_datasync::OpenError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::background::Held;
use super::shared::Shared;
use super::store::Store;

/// A shared struct that is about to be opened, made by [`Shared::open`]: see [`Open`](crate::Open).
///
/// What opens it panics where waiting is not allowed, as [everything here](crate::blocking#panics).
#[must_use = "nothing is opened before create, join, expect or wait"]
pub struct Open<T> {
    store: Store,
    open: crate::Open<T>,
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Open<T> {
    pub(super) fn new(store: &Store, open: crate::Open<T>) -> Self {
        Self { store: store.clone(), open }
    }

    /// Sets how old the copy may be before [`Shared::read`] fails. 30 s unless set.
    pub fn bound(mut self, bound: Duration) -> Self {
        self.open = self.open.bound(bound);
        self
    }

    /// Sets how long updates wait for the lock. 30 s unless set.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.open = self.open.lock_wait(wait);
        self
    }

    /// Does not register as a listener.
    pub fn unlisted(mut self) -> Self {
        self.open = self.open.unlisted();
        self
    }

    /// Reports the revision last applied to whoever asks who listens: see
    /// [`Open::report_applied`](crate::Open::report_applied).
    pub fn report_applied(mut self) -> Self {
        self.open = self.open.report_applied();
        self
    }

    /// Counts what happens under this name: see [`Open::metrics`](crate::Open::metrics).
    pub fn metrics(mut self, name: impl Into<String>) -> Self {
        self.open = self.open.metrics(name);
        self
    }

    /// Creates the struct with this value, or joins it if it exists: see [`Open::create`](crate::Open::create).
    ///
    /// # Errors
    ///
    /// Those of [`Open::create`](crate::Open::create).
    pub fn create(self, initial: T) -> Result<Shared<T>, OpenError> {
        self.opened(async |open| open.create(initial).await)
    }

    /// Joins a struct that exists: see [`Open::join`](crate::Open::join).
    ///
    /// # Errors
    ///
    /// Those of [`Open::join`](crate::Open::join).
    pub fn join(self) -> Result<Shared<T>, OpenError> {
        self.opened(async |open| open.join().await)
    }

    /// Waits until the struct exists, for at most `wait`: see [`Open::expect`](crate::Open::expect).
    ///
    /// # Errors
    ///
    /// Those of [`Open::expect`](crate::Open::expect).
    pub fn expect(self, wait: Duration) -> Result<Shared<T>, OpenError> {
        self.opened(async |open| open.expect(wait).await)
    }

    /// Waits until the struct exists, however long that takes: see [`Open::wait`](crate::Open::wait).
    ///
    /// # Errors
    ///
    /// Those of [`Open::wait`](crate::Open::wait).
    pub fn wait(self) -> Result<Shared<T>, OpenError> {
        self.opened(async |open| open.wait().await)
    }

    fn opened(
        self,
        how: impl AsyncFnOnce(crate::Open<T>) -> Result<crate::Shared<T>, OpenError>,
    ) -> Result<Shared<T>, OpenError> {
        let background = self.store.background().clone();
        let shared = background.block_on(how(self.open))?;
        Ok(Shared::new(Held::new(background, shared)))
    }
}

impl<T> fmt::Debug for Open<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Open").field(&self.open).finish()
    }
}

//! An open store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::background::{Background, Held};
use super::told::TimedOut;
use crate::OpenStore;

/// An open store for programs without a runtime, made by [`open`](super::open). Cheap to clone.
///
/// The store is closed, and its background thread ended, when the last clone and all that was opened of it are
/// dropped. That takes 2 s at most. Where waiting is not allowed it is done in the background.
#[derive(Clone)]
pub struct Store(Held<OpenStore>);

impl Store {
    pub(super) const fn new(background: Background, store: OpenStore) -> Self {
        Self(Held::new(background, store))
    }

    pub(super) const fn background(&self) -> &Background {
        self.0.background()
    }

    /// The store itself, for what waits for nothing, and for [`block_on`](Self::block_on).
    #[must_use]
    pub fn store(&self) -> &Arc<dyn quorate_datasync::Store> {
        self.0.value().store()
    }

    /// Waits for something of this store that is asynchronous: all of this crate can be used so.
    ///
    /// ```
    /// use quorate::{Key, StoreExt, blocking};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = blocking::open("mem:")?;
    /// let key = Key::parse("/motd")?;
    /// store.block_on(store.store().put(&key, "hello"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Where waiting is not allowed, as [everything here](crate::blocking#panics).
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.background().block_on(future)
    }

    /// As [`block_on`](Self::block_on), for at most `wait`. What is not done by then is dropped, which may be before or
    /// after it had its effect: its own documentation says which.
    ///
    /// ```
    /// use std::time::Duration;
    /// use quorate::{Key, StoreExt, blocking};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = blocking::open("mem:")?;
    /// let key = Key::parse("/motd")?;
    /// let entry = store.block_on_within(Duration::from_secs(5), store.store().entry(&key))??;
    /// assert!(entry.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`TimedOut`].
    ///
    /// # Panics
    ///
    /// Where waiting is not allowed, as [everything here](crate::blocking#panics).
    pub fn block_on_within<F: Future>(&self, wait: Duration, future: F) -> Result<F::Output, TimedOut> {
        let done = self.block_on(async { tokio::time::timeout(wait, future).await });
        done.map_err(|_| TimedOut { waited: wait })
    }

    /// Closes the store now: see [`Store::close`](quorate_datasync::Store::close). Everything afterwards is
    /// [`Closed`](crate::ErrorKind::Closed). Closing twice is fine.
    ///
    /// # Panics
    ///
    /// Where waiting is not allowed, as [everything here](crate::blocking#panics).
    pub fn close(&self) {
        self.block_on(self.store().close());
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(self.store()).finish()
    }
}

//! Reading a live copy from a hot path.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;
use arc_swap::cache::Cache;

use super::Shared;
use super::core::Core;
use super::error::ReadError;
use super::snapshot::Data;

/// Reads a live copy without touching memory that other threads write: for hot paths, one for each thread.
///
/// It keeps what it read last and looks whether there is something newer, so that reads cost the same on many
/// threads as on one. What it keeps stays in memory until it reads again. It keeps the live copy alive as a clone
/// of [`Shared`] does. Made by [`Shared::access`].
pub struct Access<T> {
    shared: Shared<T>,
    cache: Cache<Place<T>, Arc<Data<T>>>,
}

/// Where the copy is.
struct Place<T>(Arc<Core<T>>);

impl<T> Access<T> {
    pub(super) fn new(shared: &Shared<T>) -> Self {
        Self { shared: shared.clone(), cache: Cache::new(Place::of(shared)) }
    }

    /// The local copy, if it was proved current within its bound, as [`Shared::read`] gives it.
    ///
    /// # Errors
    ///
    /// Those of [`Shared::read`].
    pub fn read(&mut self) -> Result<&T, ReadError> {
        // The proof is read first: the data that follows is at least as new.
        let core = self.shared.core();
        let proved = core.proved();
        let data = self.cache.load();
        data.current(proved.elapsed(), core.bound).map(|value| &**value)
    }

    /// The last good copy, however old, as [`Shared::peek`] gives it. Reads no clock.
    pub fn peek(&mut self) -> &T {
        let good = self.cache.load().good();
        &good.expect("a struct is opened with a good copy, and one is kept from then on").value
    }
}

impl<T> Place<T> {
    fn of(shared: &Shared<T>) -> Self {
        Self(Arc::clone(&shared.0.core))
    }
}

impl<T> Deref for Place<T> {
    type Target = ArcSwap<Data<T>>;

    fn deref(&self) -> &Self::Target {
        self.0.cell()
    }
}

impl<T> Clone for Access<T> {
    fn clone(&self) -> Self {
        Self::new(&self.shared)
    }
}

impl<T> fmt::Debug for Access<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

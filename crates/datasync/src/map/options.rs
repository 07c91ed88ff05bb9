//! How the structs of a map are opened.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Open;

/// How long one opening waits for another of the same struct, unless a bound was set.
const WAIT: Duration = Duration::from_secs(30);

/// How the structs of a [`SharedMap`](crate::SharedMap) are opened, and how many of those that nobody uses are kept.
#[derive(Clone, Debug, Default)]
pub struct MapOptions {
    bound: Option<Duration>,
    lock_wait: Option<Duration>,
    is_unlisted: bool,
    kept: usize,
}

impl MapOptions {
    /// Those of every struct: see [`Open`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how old a copy may be before reads of it fail, as [`Open::bound`].
    #[must_use]
    pub const fn bound(mut self, bound: Duration) -> Self {
        self.bound = Some(bound);
        self
    }

    /// Sets how long updates wait for the lock, as [`Open::lock_wait`].
    #[must_use]
    pub const fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = Some(wait);
        self
    }

    /// Does not register as a listener of the structs, as [`Open::unlisted`].
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.is_unlisted = true;
        self
    }

    /// Keeps the copies of this many structs alive, those asked for last, even while nobody uses them. None unless
    /// set: a copy ends with its last user.
    #[must_use]
    pub const fn keep(mut self, copies: usize) -> Self {
        self.kept = copies;
        self
    }

    /// How many copies are kept that nobody uses.
    pub(super) const fn kept(&self) -> usize {
        self.kept
    }

    /// How long may be waited for others who open the same struct.
    pub(super) fn wait(&self) -> Duration {
        self.bound.unwrap_or(WAIT)
    }

    /// Sets all this on a struct that is about to be opened.
    pub(super) fn apply<T>(&self, open: Open<T>) -> Open<T>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let open = if let Some(bound) = self.bound { open.bound(bound) } else { open };
        let open = if let Some(wait) = self.lock_wait { open.lock_wait(wait) } else { open };
        if self.is_unlisted { open.unlisted() } else { open }
    }
}

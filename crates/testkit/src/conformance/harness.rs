//! What a backend hands to the suite.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use quorate_datasync::Store;

/// A store that was opened for one claim, as two independent clients.
pub struct Harness {
    store: Arc<dyn Store>,
    second: Arc<dyn Store>,
    kept: Vec<Box<dyn Any>>,
}

impl Harness {
    /// Two handles to the same data that share nothing else: two clients of one server, as two processes would be.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, second: Arc<dyn Store>) -> Self {
        Self { store, second, kept: Vec::new() }
    }

    /// Keeps something until the claim is done: a folder, a server.
    #[must_use]
    pub fn keep(mut self, guard: impl Any) -> Self {
        self.kept.push(Box::new(guard));
        self
    }

    /// The first handle.
    #[must_use]
    pub const fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The second handle.
    #[must_use]
    pub const fn second(&self) -> &Arc<dyn Store> {
        &self.second
    }
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness")
            .field("store", &self.store)
            .field("second", &self.second)
            .finish_non_exhaustive()
    }
}

//! A handle that does not keep the live copy alive.

use std::sync::{Arc, Weak};

use super::{Handle, Shared};

/// Finds the handle of a live copy again, as long as somebody uses it.
#[derive(Debug)]
pub(crate) struct WeakShared<T>(Weak<Handle<T>>);

impl<T> Shared<T> {
    pub(crate) fn downgrade(&self) -> WeakShared<T> {
        WeakShared(Arc::downgrade(&self.0))
    }
}

impl<T> WeakShared<T> {
    pub(crate) fn upgrade(&self) -> Option<Shared<T>> {
        self.0.upgrade().map(Shared)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl<T> Default for WeakShared<T> {
    fn default() -> Self {
        Self(Weak::new())
    }
}

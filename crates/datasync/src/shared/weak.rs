//! A handle that does not keep the live copy alive.

use std::sync::{Arc, Weak};

use super::{Handle, Shared};
use crate::Link;

/// Finds the handle of a live copy again, as long as somebody uses it.
#[derive(Debug)]
pub(crate) struct WeakShared<T>(Weak<Handle<T>>);

impl<T> Shared<T> {
    pub(crate) fn downgrade(&self) -> WeakShared<T> {
        WeakShared(Arc::downgrade(&self.0))
    }
}

impl<T> WeakShared<T> {
    /// The handle, unless nobody uses it or its copy is live no longer, as when the runtime that kept it so has ended.
    pub(crate) fn upgrade(&self) -> Option<Shared<T>> {
        self.0.upgrade().map(Shared).filter(|shared| shared.status().borrow().link != Link::Closed)
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

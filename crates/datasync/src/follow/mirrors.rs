//! What is kept in step with the view of a follower.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, Weak};
use std::thread::{self, ThreadId};

use super::view::Held;
use crate::Key;
use crate::mutex::lock;

/// Something that is kept in step with the view.
pub(super) trait Mirror<V>: Send + Sync {
    /// Puts what became of each node that changed.
    fn update(&self, changes: &mut dyn Iterator<Item = (&Key, Option<&Held<V>>, Option<&Held<V>>)>);
}

/// The mirrors of one view, for one at a time. While they are made and updated foreign code runs.
pub(super) struct Mirrors<V> {
    all: Mutex<Vec<Weak<dyn Mirror<V>>>>,
    /// On which thread they are used now.
    thread: Mutex<Option<ThreadId>>,
}

/// The mirrors, for as long as this is held.
pub(super) struct MirrorsGuard<'a, V> {
    all: MutexGuard<'a, Vec<Weak<dyn Mirror<V>>>>,
    thread: &'a Mutex<Option<ThreadId>>,
}

impl<V> Mirrors<V> {
    pub(super) const fn new() -> Self {
        Self { all: Mutex::new(Vec::new()), thread: Mutex::new(None) }
    }

    /// Waits for those who use them, and panics if that is the caller, who would wait for ever.
    pub(super) fn lock(&self) -> MirrorsGuard<'_, V> {
        let here = Some(thread::current().id());
        assert!(*lock(&self.thread) != here, "the function of an index makes an index of the same nodes");
        let all = lock(&self.all);
        *lock(&self.thread) = here;
        MirrorsGuard { all, thread: &self.thread }
    }
}

impl<V> Deref for MirrorsGuard<'_, V> {
    type Target = Vec<Weak<dyn Mirror<V>>>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl<V> DerefMut for MirrorsGuard<'_, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.all
    }
}

impl<V> Drop for MirrorsGuard<'_, V> {
    fn drop(&mut self) {
        *lock(self.thread) = None;
    }
}

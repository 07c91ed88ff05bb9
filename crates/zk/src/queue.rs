//! The bounded queue between the driver and one stream.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// An item that can say that others were dropped.
pub(crate) trait Lossy {
    /// Stands for what was dropped in front of it.
    fn lagged() -> Self;
}

#[derive(Debug)]
struct Queued<T> {
    items: VecDeque<T>,
    ended: bool,
    waker: Option<Waker>,
}

/// The driver never waits for it.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    queued: Mutex<Queued<T>>,
    count_max: usize,
}

impl<T: Lossy> Queue<T> {
    pub(crate) fn new(count_max: usize) -> Self {
        let queued = Queued { items: VecDeque::new(), ended: false, waker: None };
        Self { queued: Mutex::new(queued), count_max: count_max.max(1) }
    }

    /// Adds an item. If there is no room, all give way to one that says that they did.
    pub(crate) fn push(&self, item: T) {
        let mut queued = self.lock();
        if queued.ended {
            return;
        }
        if queued.items.len() >= self.count_max {
            queued.items.clear();
            queued.items.push_back(T::lagged());
        } else {
            queued.items.push_back(item);
        }
        wake(queued);
    }

    /// Ends the stream behind what is queued.
    pub(crate) fn end(&self) {
        let mut queued = self.lock();
        queued.ended = true;
        wake(queued);
    }

    /// Drops everything, since nobody listens any more.
    pub(crate) fn close(&self) {
        let mut queued = self.lock();
        queued.ended = true;
        queued.items = VecDeque::new();
    }

    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<T>> {
        let mut queued = self.lock();
        if let Some(item) = queued.items.pop_front() {
            return Poll::Ready(Some(item));
        }
        if queued.ended {
            return Poll::Ready(None);
        }
        match &mut queued.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            waker => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// A queue is in order between any two of its operations, so a panic elsewhere does not matter.
    fn lock(&self) -> MutexGuard<'_, Queued<T>> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the consumer without holding the lock it is about to take.
fn wake<T>(mut queued: MutexGuard<'_, Queued<T>>) {
    let waker = queued.waker.take();
    drop(queued);
    if let Some(waker) = waker {
        waker.wake();
    }
}

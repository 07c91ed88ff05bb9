//! The streams that subscribers read.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::task::AbortHandle;

use super::snapshot::{ChangeSet, SharedEvent};
use super::subscribers::Queue;

/// Everything that is told of a shared struct, in order: a [`Stream`] of [`SharedEvent`]s.
///
/// A subscriber that falls behind is told the net change since what it last saw. The stream ends when the last
/// handle of the struct is dropped or the store is closed; dropping it unsubscribes.
#[must_use = "streams do nothing unless polled"]
pub struct SharedEvents<T> {
    queue: Arc<Queue<T>>,
}

/// The changes of a shared struct, in order: a [`Stream`] of [`ChangeSet`]s, otherwise as [`SharedEvents`].
#[must_use = "streams do nothing unless polled"]
pub struct Changes<T> {
    events: SharedEvents<T>,
}

/// A handler that runs for every change. Dropping this leaves it running.
#[derive(Debug)]
pub struct UpdateHandler {
    task: AbortHandle,
}

impl<T> SharedEvents<T> {
    pub(crate) const fn new(queue: Arc<Queue<T>>) -> Self {
        Self { queue }
    }
}

impl<T> Changes<T> {
    pub(crate) const fn new(queue: Arc<Queue<T>>) -> Self {
        Self { events: SharedEvents::new(queue) }
    }
}

impl UpdateHandler {
    pub(crate) const fn new(task: AbortHandle) -> Self {
        Self { task }
    }

    /// Stops the handler. A call that runs is finished.
    pub fn stop(&self) {
        self.task.abort();
    }
}

impl<T> Stream for SharedEvents<T> {
    type Item = SharedEvent<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SharedEvent<T>>> {
        self.queue.poll(cx)
    }
}

impl<T> Stream for Changes<T> {
    type Item = ChangeSet<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ChangeSet<T>>> {
        loop {
            match ready!(Pin::new(&mut self.events).poll_next(cx)) {
                Some(SharedEvent::Changed(set)) => return Poll::Ready(Some(set)),
                Some(SharedEvent::Rejected(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> fmt::Debug for SharedEvents<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedEvents").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Changes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

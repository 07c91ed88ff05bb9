//! The streams that subscribers read.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::task::AbortHandle;

use super::snapshot::{ChangeSet, Origin, SharedEvent};
use super::subscribers::Queue;

/// Everything that is told of a shared struct, in order: a [`Stream`] of [`SharedEvent`]s.
///
/// A subscriber that falls behind is told the net change since what it last saw. The stream ends when the last
/// handle of the struct is dropped or the store is closed; dropping it unsubscribes.
#[must_use = "streams do nothing unless polled"]
pub struct SharedEvents<T> {
    /// What is told before the queue.
    first: VecDeque<SharedEvent<T>>,
    queue: Arc<Queue<T>>,
    skipped: Option<Origin>,
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
        Self { first: VecDeque::new(), queue, skipped: None }
    }

    /// Leaves out the changes that this handle and its clones made. A net change that others had a part in is told.
    pub const fn skip_own(mut self) -> Self {
        self.skipped = Some(Origin::Local);
        self
    }

    /// Leaves out the changes that this process made, through whatever handle of the struct on the same store handle.
    pub const fn skip_process(mut self) -> Self {
        self.skipped = Some(Origin::Process);
        self
    }

    fn is_skipped(&self, event: &SharedEvent<T>) -> bool {
        match (event, self.skipped) {
            (SharedEvent::Changed(set), Some(skipped)) => set.origin.is_within(skipped),
            _ => false,
        }
    }
}

impl<T> Changes<T> {
    pub(crate) const fn new(queue: Arc<Queue<T>>) -> Self {
        Self { events: SharedEvents::new(queue) }
    }

    /// Tells these events first.
    pub(crate) fn after(mut self, first: Vec<SharedEvent<T>>) -> Self {
        self.events.first = first.into();
        self
    }

    /// Leaves out the changes that this handle and its clones made. A net change that others had a part in is told.
    pub fn skip_own(self) -> Self {
        Self { events: self.events.skip_own() }
    }

    /// Leaves out the changes that this process made, through whatever handle of the struct on the same store handle.
    pub fn skip_process(self) -> Self {
        Self { events: self.events.skip_process() }
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

// The queue is shared and events are never pinned in place.
impl<T> Unpin for SharedEvents<T> {}

impl<T> Stream for SharedEvents<T> {
    type Item = SharedEvent<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SharedEvent<T>>> {
        loop {
            let event = match self.first.pop_front() {
                Some(event) => Some(event),
                None => ready!(self.queue.poll(cx)),
            };
            match event {
                Some(event) if self.is_skipped(&event) => {}
                event => return Poll::Ready(event),
            }
        }
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

//! The consumer's end of a watch.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use quorate_zk_proto::{WatchMode, WatchedEvent, ZnodePath};
use tokio::sync::oneshot;

use crate::{
    error::{RequestError, Subject},
    inbox::Inbox,
};

/// What a [`Watcher`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Watched {
    /// A watched znode changed. What it is now must be read.
    Event(WatchedEvent),
    /// The watch was armed again after a lost connection or an expired session. What happened meanwhile is not
    /// known: read everything again.
    Resync,
    /// This watcher did not keep up, and events were dropped in front of this one: read everything again.
    Lagged,
}

#[derive(Debug, Default)]
struct Queued {
    items: VecDeque<Watched>,
    ended: bool,
    waker: Option<Waker>,
}

/// The bounded queue between the driver and one watcher. The driver never waits for it.
#[derive(Debug)]
pub(crate) struct Queue {
    queued: Mutex<Queued>,
    count_max: usize,
}

impl Queue {
    pub(crate) fn new(count_max: usize) -> Self {
        Self { queued: Mutex::default(), count_max: count_max.max(1) }
    }

    /// Adds an item. If there is no room, all give way to one [`Watched::Lagged`], which says the same.
    pub(crate) fn push(&self, item: Watched) {
        let mut queued = self.lock();
        if queued.items.len() >= self.count_max {
            queued.items.clear();
            queued.items.push_back(Watched::Lagged);
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

    fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Watched>> {
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
    fn lock(&self) -> MutexGuard<'_, Queued> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the consumer without holding the lock it is about to take.
fn wake(mut queued: MutexGuard<'_, Queued>) {
    let waker = queued.waker.take();
    drop(queued);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A persistent or recursive watch, as a stream of [`Watched`].
///
/// It survives lost connections and expired sessions, and says [`Watched::Resync`] when it did. An event is in
/// its queue before a reply that could show the change reaches its caller. A recursive one tells of every znode
/// at or below its path, but never of changed lists of children: the children's own events say that.
///
/// The stream ends when the client is closed, or the server refuses to arm the watch again. Dropping the last
/// watcher of a path removes the watch from the server.
#[derive(Debug)]
pub struct Watcher {
    id: u64,
    path: ZnodePath,
    mode: WatchMode,
    queue: Arc<Queue>,
    inbox: Arc<Inbox>,
}

impl Watcher {
    pub(crate) const fn new(
        id: u64,
        path: ZnodePath,
        mode: WatchMode,
        queue: Arc<Queue>,
        inbox: Arc<Inbox>,
    ) -> Self {
        Self { id, path, mode, queue, inbox }
    }

    /// Returns the path it watches.
    #[must_use]
    pub const fn path(&self) -> &ZnodePath {
        &self.path
    }

    /// Returns how far it reaches.
    #[must_use]
    pub const fn mode(&self) -> WatchMode {
        self.mode
    }

    /// Waits for the next item; `None` after the end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Watched> {
        poll_fn(|cx| self.queue.poll_next(cx)).await
    }
}

impl Stream for Watcher {
    type Item = Watched;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Watched>> {
        self.queue.poll_next(cx)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.inbox.unwatch(self.id);
    }
}

/// The future of a watch: resolves to its [`Watcher`] once the server has armed it.
///
/// # Cancel safety
///
/// Dropping it takes the watch back, at the server too if it got that far.
#[derive(Debug)]
#[must_use = "dropping the future takes the watch back"]
pub struct AddingWatch {
    ready: oneshot::Receiver<Result<Watcher, RequestError>>,
    /// The path as the caller knows it.
    path: ZnodePath,
}

impl AddingWatch {
    pub(crate) fn new(path: ZnodePath) -> (Self, oneshot::Sender<Result<Watcher, RequestError>>) {
        let (sender, ready) = oneshot::channel();
        (Self { ready, path }, sender)
    }
}

impl Future for AddingWatch {
    type Output = Result<Watcher, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.ready)
            .poll(cx)
            .map(|answer| answer.unwrap_or_else(|_| Err(Subject::watch(&self.path).abandoned())))
    }
}

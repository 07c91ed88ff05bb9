//! The consumer's end of a persistent watch.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use quorate_zk_proto::{WatchMode, WatchedEvent, ZnodePath};
use tokio::sync::oneshot;

use crate::{
    error::{RequestError, Subject},
    inbox::{Inbox, Unwatched},
    queue::{Lossy, Queue},
};

/// What a watcher tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Watched {
    /// A watched znode changed. What it is now must be read.
    Event(WatchedEvent),
    /// The watch was lost with its connection or session, and what happened since is not known: read everything
    /// again. A persistent watch has been armed again; a one-shot watch is gone.
    Resync,
    /// This watcher did not keep up, and events were dropped in front of this one: read everything again.
    Lagged,
}

impl Lossy for Watched {
    fn lagged() -> Self {
        Self::Lagged
    }
}

/// A persistent or recursive watch, as a stream of [`Watched`].
///
/// It survives lost connections and expired sessions, and says [`Watched::Resync`] when it did. An event is in
/// its queue before a reply that could show the change reaches its caller. A recursive one tells of every znode
/// at or below its path, but never of changed lists of children: the children's own events say that.
///
/// The stream ends when the client is closed, when the server refuses to arm the watch again, or after
/// [`EventType::PersistentWatchRemoved`](crate::EventType::PersistentWatchRemoved) when
/// [`Client::remove_watches`](crate::Client::remove_watches) took the watch away. Dropping the last watcher of a
/// path removes the watch from the server.
#[derive(Debug)]
pub struct Watcher {
    id: u64,
    path: ZnodePath,
    mode: WatchMode,
    queue: Arc<Queue<Watched>>,
    inbox: Arc<Inbox>,
}

impl Watcher {
    pub(crate) const fn new(
        id: u64,
        path: ZnodePath,
        mode: WatchMode,
        queue: Arc<Queue<Watched>>,
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
        self.queue.close();
        self.inbox.unwatch(Unwatched::Persistent(self.id));
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

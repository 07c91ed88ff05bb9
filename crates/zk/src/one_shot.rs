//! The consumer's end of a one-shot watch.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use quorate_zk_proto::ZnodePath;
use tokio::sync::oneshot;

use crate::{
    inbox::{Inbox, Unwatched},
    watcher::Watched,
};

/// A one-shot watch, as a future of the first thing that happens.
///
/// Resolves to [`Watched::Event`] when the znode changed; to [`Watched::Resync`] when the session expired, and
/// the watch with it; to `None` when the client was closed. A lost connection does not fire it: the watch is
/// armed again on the next one, and the server tells then what was missed, except for a znode that was created
/// and deleted again in between. The event is there before a reply that could show the change.
///
/// Dropping it removes the watch from the server, unless somebody else of this client holds the same. Cancel
/// safe: it can be awaited by reference in a `select!` loop.
#[derive(Debug)]
#[must_use = "dropping it takes the watch back"]
pub struct OneshotWatcher {
    fired: oneshot::Receiver<Watched>,
    /// The path as the server knows it, and where to say that nobody listens; gone once it has fired.
    hold: Option<(ZnodePath, Arc<Inbox>)>,
}

impl OneshotWatcher {
    pub(crate) fn new(path: ZnodePath, inbox: Arc<Inbox>) -> (Self, oneshot::Sender<Watched>) {
        let (sender, fired) = oneshot::channel();
        (Self { fired, hold: Some((path, inbox)) }, sender)
    }
}

impl Future for OneshotWatcher {
    type Output = Option<Watched>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.hold.is_none() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.fired).poll(cx).map(|fired| {
            self.hold = None;
            fired.ok()
        })
    }
}

impl Drop for OneshotWatcher {
    fn drop(&mut self) {
        self.fired.close();
        // What has fired is gone from the server.
        if let Some((path, inbox)) = self.hold.take()
            && self.fired.try_recv() == Err(oneshot::error::TryRecvError::Closed)
        {
            inbox.unwatch(Unwatched::OneShot(path));
        }
    }
}

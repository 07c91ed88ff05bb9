//! What reads send ahead of themselves to be current: one barrier for all that are asked for together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::Shared;
use quorate_datasync::Consistency;
use quorate_zk::{Client, Multi, Reply, Request, RequestError, Response, SyncRequest, ZnodePath};
use tokio::sync::oneshot;

/// Reads that wait to be sent behind a barrier.
#[derive(Debug, Default)]
pub(crate) struct Barriers {
    synced: Queue,
    linearizable: Queue,
}

#[derive(Debug, Default)]
struct Queue(Mutex<Vec<Waiting>>);

/// A read, and where to its response goes.
#[derive(Debug)]
struct Waiting {
    request: Request,
    sent: oneshot::Sender<Sent>,
}

/// A read that was sent, and the barrier that was sent ahead of it.
#[derive(Debug)]
struct Sent {
    barrier: Shared<Response>,
    read: Response,
}

impl Barriers {
    /// Sends a read behind the barrier that makes it as current as asked for.
    ///
    /// `sync` lets the server catch up with its leader. An empty `multi` is proposed to the quorum, takes a
    /// transaction id of its own, and the session's reads wait behind it: whatever was acknowledged before is part
    /// of them. A read counts only if its barrier was answered well itself, since some servers answer the read
    /// where they refuse the barrier.
    ///
    /// # Cancel safety
    ///
    /// A dropped future takes its own read back, and nobody else's.
    pub(crate) async fn read(
        &self,
        client: &Client,
        at: Consistency,
        request: Request,
    ) -> Result<Reply, RequestError> {
        let (queue, barrier) = match at {
            Consistency::Local => return client.request(request).await,
            Consistency::Synced => (&self.synced, Request::Sync(SyncRequest { path: ZnodePath::root() })),
            Consistency::Linearizable => (&self.linearizable, Request::Multi(Multi { ops: Vec::new() })),
        };
        let (sent, is_sent) = oneshot::channel();
        queue.lock().push(Waiting { request, sent });
        // Whoever asks in the same moment joins; then the first to go on sends for all.
        tokio::task::yield_now().await;
        queue.send(client, barrier);
        let Sent { barrier, read } = is_sent.await.expect("whoever takes a read from the queue sends it");
        barrier.await?;
        read.await
    }
}

impl Queue {
    /// Sends everything that waits, all of which was asked for before the barrier.
    fn send(&self, client: &Client, barrier: Request) {
        let waiting = std::mem::take(&mut *self.lock());
        if waiting.is_empty() {
            return;
        }
        let (reads, sent): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|waiting| (waiting.request, waiting.sent)).unzip();
        let mut responses = client.request_all(std::iter::once(barrier).chain(reads).collect()).into_iter();
        let barrier = responses.next().expect("there is a response for every request").shared();
        for (read, sent) in responses.zip(sent) {
            // Whoever no longer waits drops the response, which takes the read back.
            let _ = sent.send(Sent { barrier: barrier.clone(), read });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

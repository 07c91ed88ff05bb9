//! The session-wide stream.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;
use quorate_zk_proto::WatchedEvent;

use crate::{
    queue::{Lossy, Queue},
    state::ClientState,
};

/// Something that the session tells to everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A one-shot watch fired that was set through [`Client::watch`](crate::Client::watch). Paths are below the
    /// chroot of the options.
    Watch(WatchedEvent),
    /// The client entered another state. Unlike [`Client::state`](crate::Client::state) this tells every one.
    State(ClientState),
    /// The one-shot watches set so far through [`Client::watch`](crate::Client::watch) are gone without having
    /// fired, with their session or since the server refused to arm them again: read again.
    WatchesLost,
    /// This stream did not keep up, and events were dropped in front of this one: read again.
    Lagged,
}

impl Lossy for SessionEvent {
    fn lagged() -> Self {
        Self::Lagged
    }
}

/// The session-wide stream: one-shot watches that fired, and states, in the order they happened.
///
/// A watch event is in its queue before a reply that could show the change reaches its caller. The queue is
/// bounded; who does not keep up is told [`SessionEvent::Lagged`]. The stream ends when the client is closed.
#[derive(Debug)]
pub struct SessionEvents {
    queue: Arc<Queue<SessionEvent>>,
}

impl SessionEvents {
    pub(crate) const fn new(queue: Arc<Queue<SessionEvent>>) -> Self {
        Self { queue }
    }

    /// Waits for the next event; `None` after the end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<SessionEvent> {
        poll_fn(|cx| self.queue.poll_next(cx)).await
    }
}

impl Stream for SessionEvents {
    type Item = SessionEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SessionEvent>> {
        self.queue.poll_next(cx)
    }
}

impl Drop for SessionEvents {
    fn drop(&mut self) {
        self.queue.close();
    }
}

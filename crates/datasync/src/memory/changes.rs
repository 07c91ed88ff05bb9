//! The stream of one watch.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::time::{Sleep, sleep_until};

use crate::RawChange;

use super::client::Client;
use super::watchers::WatcherId;

/// What one watch is told.
///
/// Keys with a time to live go when somebody looks, and a waiting watch looks in time: it sleeps no longer than
/// until the next of them goes. So the store needs no task of its own.
pub(super) struct Changes {
    client: Arc<Client>,
    id: WatcherId,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Changes {
    pub(super) const fn new(client: Arc<Client>, id: WatcherId) -> Self {
        Self { client, id, sleep: None }
    }
}

impl Stream for Changes {
    type Item = RawChange;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RawChange>> {
        let this = &mut *self;
        loop {
            let (next, deadline) = this.client.shared().run(|state| state.poll_watcher(this.id, cx));
            if next.is_ready() {
                return next;
            }
            let Some(deadline) = deadline else {
                this.sleep = None;
                return Poll::Pending;
            };
            let sleep = this.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if sleep.deadline() != deadline {
                sleep.as_mut().reset(deadline);
            }
            ready!(sleep.as_mut().poll(cx));
            this.sleep = None;
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.client.shared().run(|state| state.unwatch(self.id));
    }
}

//! The driver: the task that follows.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::coop::consume_budget;

use super::core::Core;
use super::feed::{Fed, Feed};
use super::metrics::Metrics;
use super::tracker::Told;
use super::{FollowEvent, FollowStatus};
use crate::{Error, Link, Moment, Revision, StoreStatus};

/// Owns the feed of one follower and keeps what the handles read.
pub(super) struct Driver<V> {
    pub(super) core: Arc<Core<V>>,
    pub(super) feed: Feed<V>,
    pub(super) store_status: watch::Receiver<StoreStatus>,
    pub(super) status: watch::Sender<FollowStatus>,
    /// Whether a node that cannot be decoded ends it.
    pub(super) is_strict: bool,
    pub(super) metrics: Metrics,
}

impl<V> Driver<V> {
    /// Runs until the store is closed, a strict follower meets a node that it cannot decode, or the task is aborted.
    pub(super) async fn run(mut self) {
        loop {
            // The store may always have something more to tell.
            consume_budget().await;
            tokio::select! {
                biased;
                Ok(()) = self.store_status.changed() => self.on_store_status(),
                fed = self.feed.next(self.core.lens()) => match fed {
                    Some(Fed::Batch(told)) if self.is_strict && has_rejected(&told) => return self.on_batch(told),
                    Some(Fed::Batch(told)) => self.on_batch(told),
                    Some(Fed::Proved(revision, asked)) => self.on_proved(revision, asked),
                    Some(Fed::Lost(error)) => self.on_lost(&error),
                    None => return self.on_closed(),
                },
            }
        }
    }

    fn on_batch(&self, told: Told<V>) {
        let (revision, is_synced) = (told.after.revision, told.after.is_synced);
        let rejected = told.after.rejected.size();
        self.metrics.on_batch(&told);
        self.metrics.on_waiting(self.core.tell(told));
        self.status.send_modify(|status| {
            status.revision = revision;
            status.is_synced = is_synced;
            status.rejected = rejected;
        });
    }

    fn on_proved(&self, revision: Revision, asked: Moment) {
        self.core.prove(revision);
        self.metrics.on_revision(revision);
        // What proves may have been under way when the connection was lost.
        let link = self.store_status.borrow().link.clone();
        self.status.send_modify(|status| {
            status.revision = self.core.view().revision;
            status.proved = status.proved.max(Some(asked));
            status.link = link;
        });
    }

    fn on_lost(&self, error: &Error) {
        tracing::debug!(%error, "what is followed is getting old");
        self.metrics.on_lost();
        let link = match &self.store_status.borrow().link {
            Link::Live => Link::Lost { reason: error.to_string().into() },
            link => link.clone(),
        };
        self.set_link(link);
    }

    fn on_store_status(&mut self) {
        let link = self.store_status.borrow_and_update().link.clone();
        self.set_link(link);
    }

    fn on_closed(&self) {
        self.set_link(Link::Closed);
    }

    fn set_link(&self, link: Link) {
        self.status.send_if_modified(|status| {
            let is_new = status.link != link;
            status.link = link;
            is_new
        });
    }
}

impl<V> Drop for Driver<V> {
    fn drop(&mut self) {
        self.core.close();
    }
}

fn has_rejected<V>(told: &Told<V>) -> bool {
    told.batch.events.iter().any(|event| matches!(event, FollowEvent::Rejected { .. }))
}

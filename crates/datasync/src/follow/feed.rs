//! The feed: a watch and the tracker behind it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::task::coop::poll_proceed;

use super::lens::Lens;
use super::tracker::{Told, Tracker};
use crate::{Error, Moment, Revision, Selection, Store, Watch};

/// Batches of a selection of a store, as they happen.
pub(super) struct Feed<V> {
    watch: Watch,
    tracker: Tracker<V>,
}

/// What a feed tells.
pub(super) enum Fed<V> {
    /// The view changed.
    Batch(Told<V>),
    /// The view is complete up to a revision, which was asked for at a moment.
    Proved(Revision, Moment),
    /// The view may be getting old. It goes on.
    Lost(Error),
}

impl<V> Feed<V> {
    pub(super) fn new(store: &Arc<dyn Store>, selection: Selection) -> Self {
        let tracker = Tracker::new(store.capabilities().atomic_watch);
        Self { watch: Watch::new(store, selection), tracker }
    }

    /// The next of what is told, or `None` once the store is closed. Dropping the future loses nothing.
    pub(super) async fn next(&mut self, lens: &(impl Lens<V> + ?Sized)) -> Option<Fed<V>> {
        poll_fn(|cx| self.poll_next(cx, lens)).await
    }

    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        lens: &(impl Lens<V> + ?Sized),
    ) -> Poll<Option<Fed<V>>> {
        loop {
            if let Some(told) = self.tracker.poll_batch() {
                return Poll::Ready(Some(Fed::Batch(told)));
            }
            if let Some((revision, asked)) = self.tracker.poll_proof() {
                return Poll::Ready(Some(Fed::Proved(revision, asked)));
            }
            // A large content, or a store that always has more to tell, leaves others their turn.
            let turn = ready!(poll_proceed(cx));
            match Pin::new(&mut self.watch).poll_next(cx) {
                Poll::Ready(Some(Ok(event))) => {
                    turn.made_progress();
                    self.tracker.apply(event, lens);
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Fed::Lost(error))),
                Poll::Ready(None) => {
                    self.tracker.handle_quiet();
                    return Poll::Ready(self.tracker.poll_batch().map(Fed::Batch));
                }
                Poll::Pending => {
                    self.tracker.handle_quiet();
                    let Some(told) = self.tracker.poll_batch() else { return Poll::Pending };
                    return Poll::Ready(Some(Fed::Batch(told)));
                }
            }
        }
    }
}

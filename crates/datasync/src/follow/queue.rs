//! The queue between the task that follows and whoever is told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::lens::Lens;
use super::tracker::Told;
use super::view::{Touched, View};
use super::{Batch, FollowEvent};

/// How many events may wait, beside those of one batch. Past it whoever is told gets the net change.
const EVENTS_MAX: usize = 4096;

/// How many nodes that came and went the net change may remember, beside those that are there.
const GONE_MAX: usize = 4096;

/// What was not told yet.
pub(super) struct Queue<V> {
    batches: VecDeque<Told<V>>,
    /// How many events are in `batches`.
    events: usize,
    /// What came after there was no room, folded into one.
    net: Option<Net<V>>,
    waker: Option<Waker>,
    is_closed: bool,
    /// Whether nobody will ever take anything.
    is_abandoned: bool,
}

/// From what was told last to how it is now.
struct Net<V> {
    before: View<V>,
    after: View<V>,
    touched: Touched,
}

impl<V> Queue<V> {
    pub(super) const fn new() -> Self {
        Self {
            batches: VecDeque::new(),
            events: 0,
            net: None,
            waker: None,
            is_closed: false,
            is_abandoned: false,
        }
    }

    /// Adds a batch. Whoever waits is woken by [`wake`](Self::wake).
    pub(super) fn push(&mut self, told: Told<V>) {
        if self.is_abandoned || told.batch.events.is_empty() {
            return;
        }
        let has_room = self.batches.is_empty() || self.events + told.batch.events.len() <= EVENTS_MAX;
        if self.net.is_none() && has_room {
            self.events += told.batch.events.len();
            self.batches.push_back(told);
        } else {
            self.fold(told);
        }
    }

    pub(super) fn wake(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    /// Says that nothing will follow what waits.
    pub(super) const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Drops what waits, and whatever follows.
    pub(super) fn abandon(&mut self) {
        self.is_abandoned = true;
        self.batches = VecDeque::new();
        self.net = None;
        self.waker = None;
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>, lens: &dyn Lens<V>) -> Poll<Option<Batch<V>>> {
        if let Some(told) = self.batches.pop_front() {
            self.events -= told.batch.events.len();
            return Poll::Ready(Some(told.batch));
        }
        if let Some(batch) = self.net.take().and_then(|net| net.into_batch(lens)) {
            return Poll::Ready(Some(batch));
        }
        if self.is_closed {
            return Poll::Ready(None);
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Folds everything that waits, and `told`, into the net change.
    fn fold(&mut self, told: Told<V>) {
        self.events = 0;
        for Told { batch, before, after } in self.batches.drain(..).chain([told]) {
            let net =
                self.net.get_or_insert_with(|| Net { before, after: View::new(), touched: Touched::new() });
            let changed =
                batch.events.iter().filter_map(|event| Some((event.key()?.clone(), event.revision())));
            net.touched.extend(changed);
            net.after = after;
        }
        if let Some(net) = &mut self.net {
            net.forget_gone();
        }
    }
}

impl<V> Net<V> {
    /// Forgets the nodes that came and went meanwhile, before they become too many.
    fn forget_gone(&mut self) {
        let Self { before, after, touched } = self;
        if touched.len() > GONE_MAX + 2 * (known(before) + known(after)) {
            touched.retain(|key, _| before.knows(key) || after.knows(key));
        }
    }

    /// The net change, unless all of it was undone.
    fn into_batch(self, lens: &dyn Lens<V>) -> Option<Batch<V>> {
        let Self { before, after, touched } = self;
        let events: Vec<FollowEvent<V>> = after.since(&before, &touched, |was, is| {
            Arc::ptr_eq(&was.value, &is.value) || was.bytes == is.bytes || lens.is_same(&was.value, &is.value)
        });
        let View { revision, is_synced, .. } = after;
        (!events.is_empty()).then_some(Batch { revision, events, is_synced, is_coalesced: true })
    }
}

fn known<V>(view: &View<V>) -> usize {
    view.nodes.size() + view.rejected.size()
}

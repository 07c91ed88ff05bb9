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

/// How much waits, and how much of it became one by what was added last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) events: usize,
    pub(super) folded: usize,
}

/// What is taken from a queue.
pub(super) enum Taken<V> {
    /// A batch as it was told.
    Batch(Batch<V>),
    /// Several. What they come to is worked out by whoever takes it, while nobody waits for the queue.
    Net(Net<V>),
}

/// From what was told last to how it is now.
pub(super) struct Net<V> {
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
    pub(super) fn push(&mut self, told: Told<V>) -> Waiting {
        let added = told.batch.events.len();
        if self.is_abandoned || added == 0 {
            return self.waiting(0);
        }
        let has_room = self.batches.is_empty() || self.events + added <= EVENTS_MAX;
        if self.net.is_none() && has_room {
            self.events += added;
            self.batches.push_back(told);
            return self.waiting(0);
        }
        let folded = self.events + added;
        self.fold(told);
        self.waiting(folded)
    }

    fn waiting(&self, folded: usize) -> Waiting {
        let net = self.net.as_ref().map_or(0, |net| net.touched.len());
        Waiting { events: self.events + net, folded }
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

    /// Takes what waits longest; if nothing does, `cx` is woken when something comes.
    pub(super) fn take(&mut self, cx: &mut Context<'_>) -> Poll<Option<Taken<V>>> {
        if let Some(told) = self.batches.pop_front() {
            self.events -= told.batch.events.len();
            return Poll::Ready(Some(Taken::Batch(told.batch)));
        }
        if let Some(net) = self.net.take() {
            return Poll::Ready(Some(Taken::Net(net)));
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
    pub(super) fn into_batch(self, lens: &dyn Lens<V>) -> Option<Batch<V>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::lens::Projected;
    use crate::follow::view::Held;
    use crate::{Json, Key, Revision};

    /// One batch in which a node of its own comes, or goes.
    fn told(before: &View<u64>, name: u64, at: u64) -> Told<u64> {
        let (key, revision) = (Key::parse(&format!("/{name}")).unwrap(), Revision::new(at));
        let mut after = before.clone();
        if !after.nodes.remove_mut(&key) {
            let (value, bytes) = (Arc::new(name), name.to_string().into());
            after.nodes.insert_mut(key.clone(), Held { value, bytes, revision, created: revision });
        }
        after.revision = revision;
        let events = after.since(before, &Touched::from([(key, revision)]), |_, _| false);
        let batch = Batch { revision, events, is_synced: true, is_coalesced: false };
        Told { batch, before: before.clone(), after }
    }

    fn poll(queue: &mut Queue<u64>) -> Option<Batch<u64>> {
        let lens = Projected {
            codec: Json,
            passes: Box::new(|_| true),
            project: Box::new(Some::<u64>),
            is_same: |_: &u64, _: &u64| false,
        };
        match queue.take(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Taken::Batch(batch))) => Some(batch),
            Poll::Ready(Some(Taken::Net(net))) => net.into_batch(&lens),
            _ => None,
        }
    }

    #[test]
    fn nodes_that_come_and_go_cost_no_memory_while_nobody_takes_anything() {
        let (mut queue, mut view) = (Queue::new(), View::new());
        for n in 0..50_000 {
            let told = told(&view, n / 2, n + 1);
            view = told.after.clone();
            queue.push(told);
            let remembered = queue.net.as_ref().map_or(0, |net| net.touched.len());
            assert!(queue.events <= EVENTS_MAX && remembered <= GONE_MAX + EVENTS_MAX + 4);
        }
        assert!(poll(&mut queue).is_none());
    }

    #[test]
    fn a_batch_of_any_size_waits_whole_if_nothing_else_does() {
        let (mut queue, before) = (Queue::new(), View::new());
        let mut all = told(&before, 0, 1);
        for n in 1..2 * EVENTS_MAX as u64 {
            let next = told(&all.after, n, 1);
            all.batch.events.extend(next.batch.events);
            all.after = next.after;
        }
        queue.push(all);
        let batch = poll(&mut queue).unwrap();
        assert_eq!((batch.events.len(), batch.is_coalesced), (2 * EVENTS_MAX, false));
    }

    #[test]
    fn what_was_abandoned_takes_nothing() {
        let mut queue = Queue::new();
        queue.abandon();
        queue.push(told(&View::new(), 0, 1));
        assert!(queue.batches.is_empty() && queue.net.is_none());
    }
}

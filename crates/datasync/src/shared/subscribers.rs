//! Those who are told of changes, each with a queue of its own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use super::changes_options::ChangesOptions;
use super::interest::{Interest, Offer};
use super::net::Net;
use super::snapshot::SharedEvent;
use crate::mutex::lock;

/// Everybody who is told of the changes of one struct, and whether nothing will be told any more.
#[derive(Debug)]
pub(crate) struct Subscribers<T>(Mutex<Vec<Weak<Queue<T>>>>, AtomicBool);

/// What one subscriber was not told yet.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    interest: Interest,
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    /// How many events may wait; past it they are folded into the net change.
    bound: usize,
    events: VecDeque<SharedEvent<T>>,
    /// What came after the queue was full, folded into one.
    net: Option<Net<T>>,
    waker: Option<Waker>,
    is_closed: bool,
}

/// How it is with the subscribers after an event was told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(super) subscribers: usize,
    /// How many events wait for the one who is furthest behind.
    pub(super) depth: usize,
    /// How many are told the net change.
    pub(super) coalesced: usize,
}

impl<T> Default for Subscribers<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()), AtomicBool::new(false))
    }
}

impl<T> Subscribers<T> {
    /// Adds a subscriber and gives it what `see` sees: no event falls between the two.
    pub(crate) fn add<S>(&self, see: impl FnOnce() -> S) -> (Arc<Queue<T>>, S) {
        self.add_as(Interest::Everything, ChangesOptions::new().bound, see)
    }

    /// The same for a subscriber that is told only of what it is interested in.
    pub(crate) fn add_for<S>(&self, interest: Interest, see: impl FnOnce() -> S) -> (Arc<Queue<T>>, S) {
        self.add_as(interest, ChangesOptions::new().bound, see)
    }

    /// As [`add`](Self::add), for a subscriber that may be so many events behind.
    pub(crate) fn add_bounded<S>(&self, bound: usize, see: impl FnOnce() -> S) -> (Arc<Queue<T>>, S) {
        self.add_as(Interest::Everything, bound, see)
    }

    fn add_as<S>(&self, interest: Interest, bound: usize, see: impl FnOnce() -> S) -> (Arc<Queue<T>>, S) {
        let mut all = lock(&self.0);
        // Written under the same lock: who comes too late is told the end at once.
        let is_closed = self.1.load(Ordering::Relaxed);
        let inner = Inner { bound, events: VecDeque::new(), net: None, waker: None, is_closed };
        let queue = Arc::new(Queue { interest, inner: Mutex::new(inner) });
        if all.len() == all.capacity() {
            // Before there is room made for more: those who left without a word.
            all.retain(|queue| queue.strong_count() > 0);
        }
        all.push(Arc::downgrade(&queue));
        (queue, see())
    }

    /// Queues an event for everybody, then lets `show` make the new state readable, then lets everybody take the
    /// event: whoever was told reads at least what was told.
    pub(crate) fn tell(&self, event: Option<&SharedEvent<T>>, show: impl FnOnce()) -> Option<Told> {
        let mut all = lock(&self.0);
        let Some(event) = event else {
            show();
            return None;
        };
        all.retain(|queue| queue.strong_count() > 0);
        let mut offer = Offer::new(event);
        let interested = |queue: &Arc<Queue<T>>| offer.is_for(&queue.interest);
        let queues: Vec<_> = all.iter().filter_map(Weak::upgrade).filter(interested).collect();
        let mut told: Vec<_> = queues.iter().map(|queue| lock(&queue.inner)).collect();
        for inner in &mut told {
            inner.push(event.clone());
        }
        show();
        let mut state = Told { subscribers: all.len(), ..Told::default() };
        let mut woken = Vec::new();
        for mut inner in told {
            state.depth = state.depth.max(inner.events.len());
            state.coalesced += usize::from(inner.net.is_some());
            woken.extend(inner.waker.take());
        }
        drop(all);
        // Under no lock: some executors ask at once, where they are woken.
        woken.into_iter().for_each(Waker::wake);
        Some(state)
    }

    /// Tells everybody that nothing will follow.
    pub(crate) fn close(&self) {
        let mut all = lock(&self.0);
        self.1.store(true, Ordering::Relaxed);
        let queues: Vec<_> = all.drain(..).filter_map(|queue| queue.upgrade()).collect();
        drop(all);
        for queue in queues {
            let mut inner = lock(&queue.inner);
            inner.is_closed = true;
            let waker = inner.waker.take();
            drop(inner);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl<T> Queue<T> {
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<SharedEvent<T>>> {
        let mut inner = lock(&self.inner);
        loop {
            if let Some(event) = inner.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            let Some(net) = inner.net.take() else { break };
            // The difference is computed for who asks, and while nobody waits for the queue's lock for long.
            drop(inner);
            let events = net.into_events(&self.interest);
            inner = lock(&self.inner);
            for event in events.into_iter().rev() {
                inner.events.push_front(event);
            }
        }
        if inner.is_closed {
            return Poll::Ready(None);
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> Inner<T> {
    fn push(&mut self, event: SharedEvent<T>) {
        if self.net.is_none() && self.events.len() < self.bound {
            self.events.push_back(event);
        } else {
            self.fold(event);
        }
    }

    /// Folds everything that waits, and `event`, into the net change.
    fn fold(&mut self, event: SharedEvent<T>) {
        let waiting = std::mem::take(&mut self.events);
        let net = self.net.get_or_insert_default();
        waiting.into_iter().chain([event]).for_each(|event| net.add(event));
    }
}

impl<T> Drop for Subscribers<T> {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shared::diff::Change;
    use crate::shared::net::changes_between;
    use crate::shared::snapshot::{ChangeSet, Origin, Rejected, Snapshot};
    use crate::{Revision, Version};

    fn snapshot(at: u64) -> Snapshot<u64> {
        let revision = Revision::new(at);
        Snapshot {
            value: Arc::new(at),
            document: Arc::new(json!({ "n": at }).into()),
            revision,
            version: Version::new(revision, at),
        }
    }

    fn step(at: u64) -> SharedEvent<u64> {
        let (previous, current) = (Some(snapshot(at - 1)), Some(snapshot(at)));
        let changes = changes_between(previous.as_ref(), current.as_ref()).into();
        let revision = Revision::new(at);
        let (origin, coalesced) = (Origin::Remote, false);
        SharedEvent::Changed(ChangeSet { revision, origin, coalesced, changes, previous, current })
    }

    fn poll(queue: &Queue<u64>) -> Option<ChangeSet<u64>> {
        match queue.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(SharedEvent::Changed(set))) => Some(set),
            _ => None,
        }
    }

    #[test]
    fn a_subscriber_that_keeps_up_is_told_each_change() {
        let all = Subscribers::default();
        let (queue, ()) = all.add(|| ());
        for at in 1..=3 {
            all.tell(Some(&step(at)), || ());
            let set = poll(&queue).unwrap();
            assert_eq!((set.revision, set.coalesced), (Revision::new(at), false));
        }
    }

    #[test]
    fn a_slow_subscriber_is_told_the_net_change() {
        let all = Subscribers::default();
        let (queue, ()) = all.add(|| ());
        for at in 1..=1000 {
            all.tell(Some(&step(at)), || ());
        }
        assert!(lock(&queue.inner).events.len() <= ChangesOptions::new().bound);
        let set = poll(&queue).unwrap();
        assert!(set.coalesced);
        assert_eq!(*set.changes, [Change::Modified { path: "/n".into(), old: json!(0), new: json!(1000) }]);
        assert!(poll(&queue).is_none());
        all.tell(Some(&step(1001)), || ());
        assert!(!poll(&queue).unwrap().coalesced);
    }

    #[test]
    fn a_change_that_was_undone_is_not_told_to_the_slow() {
        let all = Subscribers::default();
        let (queue, ()) = all.add(|| ());
        for at in 1..=300 {
            all.tell(Some(&step(at)), || ());
        }
        let SharedEvent::Changed(mut back) = step(301) else { unreachable!("a step is a change") };
        back.current = Some(snapshot(0));
        all.tell(Some(&SharedEvent::Changed(back)), || ());
        assert!(poll(&queue).is_none());
    }

    #[test]
    fn of_many_rejected_payloads_the_slow_are_told_the_last() {
        let all = Subscribers::<u64>::default();
        let (queue, ()) = all.add(|| ());
        for at in 1..=1000 {
            let error = crate::DecodeError::WrongShape("bad".into());
            all.tell(Some(&SharedEvent::Rejected(Rejected { revision: Revision::new(at), error })), || ());
        }
        let Poll::Ready(Some(SharedEvent::Rejected(last))) =
            queue.poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("a rejection is told");
        };
        assert_eq!(last.revision, Revision::new(1000));
    }

    /// Polls at once, where it is woken, as some executors do.
    struct Eager(Arc<Queue<u64>>, std::sync::mpsc::Sender<Option<u64>>);

    impl std::task::Wake for Eager {
        fn wake(self: Arc<Self>) {
            let told = match self.0.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(SharedEvent::Changed(set))) => Some(set.revision.get()),
                _ => None,
            };
            // The test may have ended.
            let _ = self.1.send(told);
        }
    }

    #[test]
    fn whoever_is_woken_may_take_what_was_told_at_once() {
        let all = Arc::new(Subscribers::default());
        let (queue, ()) = all.add(|| ());
        let (tell, told) = std::sync::mpsc::channel();
        let waker = Waker::from(Arc::new(Eager(Arc::clone(&queue), tell)));
        let subscribers = Arc::clone(&all);
        std::thread::spawn(move || {
            for at in 1..=2 {
                assert!(queue.poll(&mut Context::from_waker(&waker)).is_pending());
                match at {
                    1 => assert!(subscribers.tell(Some(&step(1)), || ()).is_some()),
                    _ => subscribers.close(),
                }
            }
        });
        let wait = std::time::Duration::from_secs(5);
        assert_eq!(told.recv_timeout(wait), Ok(Some(1)));
        assert_eq!(told.recv_timeout(wait), Ok(None));
    }

    #[test]
    fn subscribers_that_left_cost_nothing() {
        let all = Subscribers::<u64>::default();
        for _ in 0..10_000 {
            drop(all.add(|| ()));
        }
        assert!(lock(&all.0).capacity() < 100);
    }

    #[test]
    fn who_subscribes_after_the_end_is_told_the_end() {
        let all = Subscribers::<u64>::default();
        all.close();
        let (queue, ()) = all.add(|| ());
        assert!(matches!(queue.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(None)));
    }

    #[test]
    fn a_dropped_subscriber_is_forgotten() {
        let all = Subscribers::default();
        drop(all.add(|| ()));
        all.tell(Some(&step(1)), || ());
        assert!(lock(&all.0).is_empty());
    }
}

//! What the task that follows shares with the handles.

use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, ready};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::lens::Lens;
use super::mirrors::{Mirror, Mirrors};
use super::queue::{Queue, Taken, Waiting};
use super::tracker::Told;
use super::view::View;
use super::{Batch, FollowStatus};
use crate::mutex::lock;

/// What the task that follows shares with the handles.
pub(super) struct Core<V> {
    view: ArcSwap<View<V>>,
    lens: Box<dyn Lens<V>>,
    mirrors: Mirrors<V>,
    /// Locked after the mirrors, and never while foreign code runs.
    queue: Mutex<Queue<V>>,
}

/// Keeps the task alive. The last one ends it.
pub(super) struct Handle<V> {
    pub(super) core: Arc<Core<V>>,
    pub(super) status: watch::Receiver<FollowStatus>,
    task: AbortHandle,
}

impl<V> Core<V> {
    pub(super) fn new(lens: Box<dyn Lens<V>>) -> Self {
        let view = ArcSwap::from_pointee(View::new());
        Self { view, lens, mirrors: Mirrors::new(), queue: Mutex::new(Queue::new()) }
    }

    pub(super) fn lens(&self) -> &dyn Lens<V> {
        &*self.lens
    }

    /// The view as it is now.
    pub(super) fn view(&self) -> arc_swap::Guard<Arc<View<V>>> {
        self.view.load()
    }

    /// Brings the mirrors up to date, queues a batch, then makes the new view readable, then lets the batch be taken:
    /// whoever was told reads at least what was told.
    pub(super) fn tell(&self, told: Told<V>) -> Waiting {
        let mut mirrors = self.mirrors.lock();
        let after = Arc::new(told.after.clone());
        mirrors.retain(|mirror| mirror.strong_count() > 0);
        for mirror in mirrors.iter().filter_map(Weak::upgrade) {
            let keys = told.batch.events.iter().filter_map(super::FollowEvent::key);
            mirror.update(&mut keys.map(|key| (key, told.before.nodes.get(key), after.nodes.get(key))));
        }
        let mut queue = lock(&self.queue);
        let waiting = queue.push(told);
        self.view.store(after);
        let waker = queue.wake();
        drop(queue);
        drop(mirrors);
        if let Some(waker) = waker {
            waker.wake();
        }
        waiting
    }

    /// Says that the view is complete up to where it was proved, though nothing changed in it.
    pub(super) fn prove(&self, revision: crate::Revision) {
        let view = self.view.load_full();
        if view.revision != revision {
            self.view.store(Arc::new(View { revision, ..(*view).clone() }));
        }
    }

    /// Adds a mirror, made of the view as it is when it is added.
    pub(super) fn add_mirror<M: Mirror<V> + 'static>(&self, make: impl FnOnce(&View<V>) -> Arc<M>) -> Arc<M>
    where
        V: 'static,
    {
        let mut mirrors = self.mirrors.lock();
        let mirror = make(&self.view.load());
        let weak: Weak<M> = Arc::downgrade(&mirror);
        mirrors.push(weak);
        mirror
    }

    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Batch<V>>> {
        loop {
            let taken = ready!(lock(&self.queue).take(cx));
            match taken {
                Some(Taken::Batch(batch)) => return Poll::Ready(Some(batch)),
                Some(Taken::Net(net)) => {
                    if let Some(batch) = net.into_batch(self.lens()) {
                        return Poll::Ready(Some(batch));
                    }
                }
                None => return Poll::Ready(None),
            }
        }
    }

    pub(super) fn abandon(&self) {
        lock(&self.queue).abandon();
    }

    pub(super) fn close(&self) {
        let mut queue = lock(&self.queue);
        queue.close();
        let waker = queue.wake();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<V> Handle<V> {
    pub(super) const fn new(
        core: Arc<Core<V>>,
        status: watch::Receiver<FollowStatus>,
        task: AbortHandle,
    ) -> Self {
        Self { core, status, task }
    }
}

impl<V> Drop for Handle<V> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

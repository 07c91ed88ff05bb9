//! One path with persistent watches, and everybody who holds one.

use std::sync::Arc;

use quorate_zk_proto::{WatchMode, WatchedEvent, ZnodePath};
use tokio::sync::oneshot;

use crate::{
    chroot::strip_path,
    error::RequestError,
    inbox::{Inbox, WatchOrder},
    queue::Queue,
    watcher::{Watched, Watcher},
};

/// One watcher.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) id: u64,
    pub(super) mode: WatchMode,
    chroot: Option<ZnodePath>,
    queue: Arc<Queue<Watched>>,
    /// Until the watch is armed for the first time.
    ready: Option<oneshot::Sender<Result<Watcher, RequestError>>>,
    /// Whether the watch was lost since.
    stale: bool,
}

/// One path and everybody who watches it.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) path: ZnodePath,
    /// Tells a path from its earlier lives, whose replies may still be under way.
    pub(super) generation: u64,
    pub(super) armed: Option<WatchMode>,
    pub(super) asked: Option<WatchMode>,
    pub(super) consumers: Vec<Consumer>,
}

impl Base {
    pub(super) const fn new(path: ZnodePath, generation: u64) -> Self {
        Self { path, generation, armed: None, asked: None, consumers: Vec::new() }
    }

    /// The strongest mode that anybody needs.
    pub(super) fn wanted(&self) -> Option<WatchMode> {
        self.consumers.iter().map(|consumer| consumer.mode).max()
    }

    pub(super) fn is_recursive(&self) -> bool {
        self.armed == Some(WatchMode::PersistentRecursive)
    }

    /// While a watch is widened it may be of either kind, and then both kinds of events count.
    pub(super) fn reaches_children(&self) -> bool {
        self.is_recursive() || self.asked == Some(WatchMode::PersistentRecursive)
    }

    /// Gives their watchers to those who wait, and tells those whose watch was lost that it is back.
    pub(super) fn hand_out(&mut self, inbox: &Arc<Inbox>) {
        let armed = self.armed;
        for consumer in self.consumers.iter_mut().filter(|consumer| armed >= Some(consumer.mode)) {
            consumer.hand_out(&self.path, inbox);
        }
    }

    /// Hands an event to those it is meant for.
    pub(super) fn tell(&self, event: &WatchedEvent, is_meant: impl Fn(WatchMode) -> bool) {
        for consumer in self.consumers.iter().filter(|consumer| is_meant(consumer.mode)) {
            consumer.queue.push(Watched::Event(stripped(event, consumer.chroot.as_ref())));
        }
    }

    /// Tells everybody who holds the watch to read again.
    pub(super) fn tell_resync(&self) {
        for consumer in self.consumers.iter().filter(|consumer| consumer.ready.is_none()) {
            consumer.queue.push(Watched::Resync);
        }
    }

    /// Takes note that the server holds no watch any more.
    pub(super) fn drop_watch(&mut self) {
        self.armed = None;
        self.consumers.iter_mut().for_each(|consumer| consumer.stale = true);
    }
}

impl Consumer {
    pub(super) fn new(id: u64, count_max: usize, order: WatchOrder) -> Self {
        let WatchOrder { mode, chroot, ready, .. } = order;
        Self { id, mode, chroot, queue: Arc::new(Queue::new(count_max)), ready: Some(ready), stale: false }
    }

    fn hand_out(&mut self, path: &ZnodePath, inbox: &Arc<Inbox>) {
        let was_stale = std::mem::take(&mut self.stale);
        if let Some(ready) = self.ready.take() {
            let path = strip_path(path, self.chroot.as_ref());
            let watcher = Watcher::new(self.id, path, self.mode, Arc::clone(&self.queue), Arc::clone(inbox));
            // Where nobody waits any more, dropping the watcher takes it out again.
            drop(ready.send(Ok(watcher)));
        } else if was_stale {
            self.queue.push(Watched::Resync);
        }
    }

    /// Ends its stream behind a last event. Who still waits for it gets it so.
    pub(super) fn end_with(mut self, event: &WatchedEvent, inbox: &Arc<Inbox>) {
        self.queue.push(Watched::Event(stripped(event, self.chroot.as_ref())));
        self.queue.end();
        self.hand_out(&event.path, inbox);
    }

    /// Ends its stream, or fails who still waits for it.
    pub(super) fn end(self, path: &ZnodePath, error: impl FnOnce(ZnodePath) -> RequestError) {
        self.queue.end();
        if let Some(ready) = self.ready {
            let error = error(strip_path(path, self.chroot.as_ref()));
            // Nobody listening means that the watch is not wanted any more.
            drop(ready.send(Err(error)));
        }
    }
}

/// An event as seen from within a chroot.
pub(super) fn stripped(event: &WatchedEvent, chroot: Option<&ZnodePath>) -> WatchedEvent {
    let mut event = event.clone();
    if chroot.is_some() {
        event.path = strip_path(&event.path, chroot);
    }
    event
}

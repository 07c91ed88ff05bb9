//! Which watches the server should hold, which it holds, and who is told.
//!
//! Up to ZooKeeper 3.8 a path has one watch mode per session. So all watchers of a path share one watch: a
//! recursive one if any of them is recursive, from whose events those of the others are derived.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use quorate_zk_proto::{EventType, FailureKind, WatchMode, WatchedEvent, ZnodePath};
use tokio::sync::oneshot;

use crate::{
    error::{RequestError, Subject},
    inbox::Inbox,
    watcher::{Queue, Watched, Watcher},
};

/// Something to ask the server for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Add { path: ZnodePath, mode: WatchMode, generation: u64 },
    Remove { path: ZnodePath },
}

/// One watcher.
#[derive(Debug)]
struct Consumer {
    id: u64,
    mode: WatchMode,
    queue: Arc<Queue>,
    /// Until the watch is armed for the first time.
    ready: Option<oneshot::Sender<Result<Watcher, RequestError>>>,
    /// Whether the watch was lost since.
    stale: bool,
}

/// One path and everybody who watches it.
#[derive(Debug)]
struct Base {
    path: ZnodePath,
    /// Tells a path from its earlier lives, whose replies may still be under way.
    generation: u64,
    armed: Option<WatchMode>,
    asked: Option<WatchMode>,
    consumers: Vec<Consumer>,
}

/// The watches of one client. Paths are the server's.
#[derive(Debug)]
pub(crate) struct Registry {
    bases: HashMap<Box<str>, Base>,
    paths: HashMap<u64, ZnodePath>,
    /// Paths whose watch may not be what it should be.
    dirty: VecDeque<ZnodePath>,
    next_number: u64,
    watched_max: usize,
    chroot: Option<ZnodePath>,
    inbox: Arc<Inbox>,
}

impl Registry {
    pub(crate) fn new(watched_max: usize, chroot: Option<ZnodePath>, inbox: Arc<Inbox>) -> Self {
        Self {
            bases: HashMap::new(),
            paths: HashMap::new(),
            dirty: VecDeque::new(),
            next_number: 0,
            watched_max,
            chroot,
            inbox,
        }
    }

    /// Adds a watcher. It is handed out at once if the watch that it needs is armed, else when it is.
    pub(crate) fn attach(
        &mut self,
        path: &ZnodePath,
        mode: WatchMode,
        ready: oneshot::Sender<Result<Watcher, RequestError>>,
    ) {
        let (id, generation) = (self.number(), self.number());
        let queue = Arc::new(Queue::new(self.watched_max));
        let base =
            self.bases.entry(path.as_str().into()).or_insert_with(|| Base::new(path.clone(), generation));
        base.consumers.push(Consumer { id, mode, queue, ready: Some(ready), stale: false });
        self.paths.insert(id, path.clone());
        base.hand_out(self.chroot.as_ref(), &self.inbox);
        self.dirty.push_back(path.clone());
    }

    /// Takes a watcher out. Returns its path if nobody else watches it.
    pub(crate) fn detach(&mut self, id: u64) -> Option<ZnodePath> {
        let path = self.paths.remove(&id)?;
        let base = self.bases.get_mut(path.as_str())?;
        base.consumers.retain(|consumer| consumer.id != id);
        if !base.consumers.is_empty() {
            return None;
        }
        self.dirty.push_back(path.clone());
        Some(path)
    }

    /// Forgets a path that nobody watches.
    pub(crate) fn forget(&mut self, path: &ZnodePath) {
        self.bases.remove(path.as_str());
    }

    /// Takes the next thing to ask the server for, which then counts as asked.
    pub(crate) fn next_step(&mut self) -> Option<Step> {
        while let Some(path) = self.dirty.pop_front() {
            let Some(base) = self.bases.get_mut(path.as_str()) else { continue };
            match base.wanted() {
                None => {
                    let base = self.bases.remove(path.as_str())?;
                    if base.armed.is_some() || base.asked.is_some() {
                        return Some(Step::Remove { path });
                    }
                }
                Some(mode) if base.asked.is_none() && base.armed < Some(mode) => {
                    base.asked = Some(mode);
                    return Some(Step::Add { path, mode, generation: base.generation });
                }
                Some(_) => {}
            }
        }
        None
    }

    /// Takes note that the server armed a watch. Returns whether anybody wants it.
    pub(crate) fn armed(&mut self, path: &ZnodePath, generation: u64, mode: WatchMode) -> bool {
        let Some(base) = self.bases.get_mut(path.as_str()).filter(|base| base.generation == generation)
        else {
            return false;
        };
        base.asked = None;
        base.armed = base.armed.max(Some(mode));
        base.hand_out(self.chroot.as_ref(), &self.inbox);
        self.dirty.push_back(path.clone());
        true
    }

    /// Takes note that the request to arm a watch was lost, so that it is made again.
    pub(crate) fn unanswered(&mut self, path: &ZnodePath, generation: u64) {
        if let Some(base) = self.bases.get_mut(path.as_str()).filter(|base| base.generation == generation) {
            base.asked = None;
            self.dirty.push_back(path.clone());
        }
    }

    /// Takes note that the server refused to arm a watch: whoever needs it learns that there is none.
    pub(crate) fn refused(&mut self, path: &ZnodePath, generation: u64, error: &RequestError) {
        let error = error.clone().about(self.strip(path));
        let Some(base) = self.bases.get_mut(path.as_str()).filter(|base| base.generation == generation)
        else {
            return;
        };
        base.asked = None;
        let armed = base.armed;
        for consumer in base.consumers.extract_if(.., |consumer| armed < Some(consumer.mode)) {
            self.paths.remove(&consumer.id);
            consumer.end(&error);
        }
        self.dirty.push_back(path.clone());
    }

    /// Takes note that the session armed its watches again on a new connection. Nothing is replayed.
    pub(crate) fn rearmed(&self) {
        for base in self.bases.values().filter(|base| base.armed.is_some()) {
            for consumer in base.consumers.iter().filter(|consumer| consumer.ready.is_none()) {
                consumer.queue.push(Watched::Resync);
            }
        }
    }

    /// Takes note that the server holds no watch any more. All are to be armed again.
    pub(crate) fn dropped(&mut self) {
        self.dirty.clear();
        for base in self.bases.values_mut() {
            base.armed = None;
            base.consumers.iter_mut().for_each(|consumer| consumer.stale = true);
            self.dirty.push_back(base.path.clone());
        }
    }

    /// Hands a notification to everybody it is meant for; one packet may serve several.
    pub(crate) fn dispatch(&self, event: &WatchedEvent) {
        let event_type = event.event_type;
        if let Some(base) = self.bases.get(event.path.as_str()) {
            self.tell(base, event, |mode| match mode {
                WatchMode::Persistent => event_type != EventType::NodeChildrenChanged || !base.is_recursive(),
                WatchMode::PersistentRecursive => event_type != EventType::NodeChildrenChanged,
            });
        }
        if event_type == EventType::NodeChildrenChanged {
            return;
        }
        for (distance, path) in ancestors(&event.path).enumerate() {
            let Some(base) = self.bases.get(path) else { continue };
            self.tell(base, event, |mode| mode == WatchMode::PersistentRecursive);
            if distance == 0 && base.reaches_children() && is_listed(event_type) {
                let mut derived = event.clone();
                derived.event_type = EventType::NodeChildrenChanged;
                derived.path = base.path.clone();
                self.tell(base, &derived, |mode| mode == WatchMode::Persistent);
            }
        }
    }

    /// Ends everybody's stream, and fails who still waits for a watch.
    pub(crate) fn end(&mut self, kind: &FailureKind) {
        let chroot = self.chroot.clone();
        for (_, base) in self.bases.drain() {
            let path = strip(&base.path, chroot.as_ref());
            let error = Subject::watch(&path).not_sent(kind.clone());
            base.consumers.into_iter().for_each(|consumer| consumer.end(&error));
        }
        self.paths.clear();
        self.dirty.clear();
    }

    fn tell(&self, base: &Base, event: &WatchedEvent, is_meant: impl Fn(WatchMode) -> bool) {
        for consumer in base.consumers.iter().filter(|consumer| is_meant(consumer.mode)) {
            let mut event = event.clone();
            event.path = self.strip(&event.path);
            consumer.queue.push(Watched::Event(event));
        }
    }

    fn strip(&self, path: &ZnodePath) -> ZnodePath {
        strip(path, self.chroot.as_ref())
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}

impl Base {
    const fn new(path: ZnodePath, generation: u64) -> Self {
        Self { path, generation, armed: None, asked: None, consumers: Vec::new() }
    }

    /// The strongest mode that anybody needs.
    fn wanted(&self) -> Option<WatchMode> {
        self.consumers.iter().map(|consumer| consumer.mode).max()
    }

    fn is_recursive(&self) -> bool {
        self.armed == Some(WatchMode::PersistentRecursive)
    }

    /// While a watch is widened it may be of either kind, and then both kinds of events count.
    fn reaches_children(&self) -> bool {
        self.is_recursive() || self.asked == Some(WatchMode::PersistentRecursive)
    }

    /// Gives their watchers to those who wait, and tells those whose watch was lost that it is back.
    fn hand_out(&mut self, chroot: Option<&ZnodePath>, inbox: &Arc<Inbox>) {
        let armed = self.armed;
        for consumer in self.consumers.iter_mut().filter(|consumer| armed >= Some(consumer.mode)) {
            let was_stale = std::mem::take(&mut consumer.stale);
            if let Some(ready) = consumer.ready.take() {
                let path = strip(&self.path, chroot);
                let watcher = Watcher::new(
                    consumer.id,
                    path,
                    consumer.mode,
                    Arc::clone(&consumer.queue),
                    Arc::clone(inbox),
                );
                // Where nobody waits any more, dropping the watcher takes it out again.
                drop(ready.send(Ok(watcher)));
            } else if was_stale {
                consumer.queue.push(Watched::Resync);
            }
        }
    }
}

impl Consumer {
    fn end(self, error: &RequestError) {
        self.queue.end();
        if let Some(ready) = self.ready {
            // Nobody listening means that the watch is not wanted any more.
            drop(ready.send(Err(error.clone())));
        }
    }
}

fn strip(path: &ZnodePath, chroot: Option<&ZnodePath>) -> ZnodePath {
    chroot.and_then(|chroot| path.strip_chroot(chroot)).unwrap_or_else(|| path.clone())
}

/// Returns whether an event changes the list of the parent's children.
const fn is_listed(event_type: EventType) -> bool {
    matches!(event_type, EventType::NodeCreated | EventType::NodeDeleted)
}

/// Returns the paths above one, nearest first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(path), |path| parent(path))
}

fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        (_, "") => None,
        ("", _) => Some("/"),
        (parent, _) => Some(parent),
    }
}

//! Watches that fire once, and whom they tell.

use std::sync::Arc;

use quorate_zk_proto::{EventType, Request, WatchedEvent, WatcherType, ZnodePath};
use tokio::sync::oneshot;

use super::{Paths, base::stripped};
use crate::{queue::Queue, session_events::SessionEvent, watcher::Watched};

/// Who is told when a one-shot watch fires.
#[derive(Debug)]
pub(crate) enum Target {
    /// Whoever reads the session-wide stream.
    Session,
    /// One watcher, whose paths are below a chroot.
    Watcher(oneshot::Sender<Watched>, Option<ZnodePath>),
}

/// What a one-shot watch is set on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    /// The znode itself: that it exists, and its data.
    Data,
    /// Its list of children.
    Children,
}

/// Paths are the server's.
#[derive(Debug, Default)]
pub(super) struct OneShots {
    by_path: Paths<Vec<(Half, Target)>>,
}

impl Half {
    /// Returns what a request would watch; `None` if it sets no one-shot watch.
    pub(crate) fn of(request: &Request) -> Option<(Self, &ZnodePath)> {
        match request {
            Request::Exists(exists) if exists.watch => Some((Self::Data, &exists.path)),
            Request::GetData(get) if get.watch => Some((Self::Data, &get.path)),
            Request::GetChildren(list) | Request::GetChildrenWithStat(list) if list.watch => {
                Some((Self::Children, &list.path))
            }
            _ => None,
        }
    }

    pub(crate) const fn watcher_type(self) -> WatcherType {
        match self {
            Self::Data => WatcherType::Data,
            Self::Children => WatcherType::Children,
        }
    }

    /// Returns the halves that are meant by a removal.
    pub(crate) fn removed_by(kind: WatcherType) -> impl Iterator<Item = Self> {
        [Self::Data, Self::Children].into_iter().filter(move |half| half.is_removed_by(kind))
    }

    const fn is_fired_by(self, event_type: EventType) -> bool {
        match event_type {
            EventType::NodeDeleted => true,
            EventType::NodeCreated | EventType::NodeDataChanged => matches!(self, Self::Data),
            EventType::NodeChildrenChanged => matches!(self, Self::Children),
            _ => false,
        }
    }

    const fn is_removed_by(self, kind: WatcherType) -> bool {
        match kind {
            WatcherType::Any => true,
            WatcherType::Data => matches!(self, Self::Data),
            WatcherType::Children => matches!(self, Self::Children),
            WatcherType::Persistent | WatcherType::PersistentRecursive => false,
        }
    }

    const fn removal(self) -> EventType {
        match self {
            Self::Data => EventType::DataWatchRemoved,
            Self::Children => EventType::ChildWatchRemoved,
        }
    }
}

impl Target {
    fn tell(self, event: &WatchedEvent, session: &SessionQueue) {
        match self {
            Self::Session => session.push(SessionEvent::Watch(session.stripped(event))),
            // Nobody listening means that the watch is not wanted any more.
            Self::Watcher(fired, chroot) => {
                drop(fired.send(Watched::Event(stripped(event, chroot.as_ref()))))
            }
        }
    }

    /// Returns whether nobody listens any more.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Watcher(fired, _) if fired.is_closed())
    }
}

impl OneShots {
    pub(super) fn arm(&mut self, path: ZnodePath, half: Half, target: Target) {
        let held = self.by_path.entry(path).or_default();
        // The session-wide stream is told once, however often it asked.
        let is_there = |(other, held): &(Half, Target)| *other == half && matches!(held, Target::Session);
        if !matches!(target, Target::Session) || !held.iter().any(is_there) {
            held.push((half, target));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    pub(super) fn holds(&self, path: &ZnodePath) -> bool {
        self.by_path.contains_key(path)
    }

    pub(super) fn holds_half(&self, path: &ZnodePath, half: Half) -> bool {
        self.by_path.get(path).is_some_and(|held| held.iter().any(|(other, _)| *other == half))
    }

    /// Hands an event to those whose watch it has used up. Returns whether the path has none left now that had.
    pub(super) fn fire(&mut self, event: &WatchedEvent, session: &SessionQueue) -> bool {
        // Nearly always all of them fire, so they are taken out first: the path is looked up once.
        let Some((path, mut held)) = self.by_path.remove_entry(&event.path) else { return false };
        for (_, target) in held.extract_if(.., |(half, _)| half.is_fired_by(event.event_type)) {
            target.tell(event, session);
        }
        let is_empty = held.is_empty();
        if !is_empty {
            self.by_path.insert(path, held);
        }
        is_empty
    }

    /// Ends the watches of a kind on behalf of all who hold them. Returns whether there were any.
    pub(super) fn remove(&mut self, path: &ZnodePath, kind: WatcherType, session: &SessionQueue) -> bool {
        let Some(held) = self.by_path.get_mut(path) else { return false };
        let mut any = false;
        for (half, target) in held.extract_if(.., |(half, _)| half.is_removed_by(kind)) {
            any = true;
            target.tell(&WatchedEvent::new(half.removal(), path.clone()), session);
        }
        self.forget_if_empty(path);
        any
    }

    /// Takes out those that nobody waits for. Returns the halves of the path that have lost their last.
    pub(super) fn prune(&mut self, path: &ZnodePath) -> Vec<Half> {
        let Some(held) = self.by_path.get_mut(path) else { return Vec::new() };
        let gone: Vec<_> =
            held.extract_if(.., |(_, target)| target.is_gone()).map(|(half, _)| half).collect();
        let is_left = |half: Half| held.iter().any(|(other, _)| *other == half);
        let lost = [Half::Data, Half::Children]
            .into_iter()
            .filter(|half| gone.contains(half) && !is_left(*half))
            .collect();
        self.forget_if_empty(path);
        lost
    }

    /// Tells everybody that their watches are gone.
    pub(super) fn lose(&mut self, session: &SessionQueue) {
        let mut is_session_told = false;
        for (_, target) in self.by_path.drain().flat_map(|(_, held)| held) {
            match target {
                Target::Session if is_session_told => {}
                Target::Session => {
                    is_session_told = true;
                    session.push(SessionEvent::WatchesLost);
                }
                Target::Watcher(fired, _) => drop(fired.send(Watched::Resync)),
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.by_path.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.by_path.len()
    }

    fn forget_if_empty(&mut self, path: &ZnodePath) -> bool {
        let is_empty = self.by_path.get(path).is_some_and(Vec::is_empty);
        if is_empty {
            self.by_path.remove(path);
        }
        is_empty
    }
}

/// The session-wide stream, if anybody asked for it.
#[derive(Debug, Default)]
pub(crate) struct SessionQueue {
    queue: Option<Arc<Queue<SessionEvent>>>,
    chroot: Option<ZnodePath>,
}

impl SessionQueue {
    pub(crate) const fn new(queue: Option<Arc<Queue<SessionEvent>>>, chroot: Option<ZnodePath>) -> Self {
        Self { queue, chroot }
    }

    pub(crate) fn push(&self, event: SessionEvent) {
        if let Some(queue) = &self.queue {
            queue.push(event);
        }
    }

    pub(crate) fn end(&self) {
        if let Some(queue) = &self.queue {
            queue.end();
        }
    }

    fn stripped(&self, event: &WatchedEvent) -> WatchedEvent {
        stripped(event, self.chroot.as_ref())
    }
}

//! Which watches the server should hold, which it holds, and who is told.
//!
//! Up to ZooKeeper 3.8 a path has one watch mode per session. So all watchers of a path share one watch: a
//! recursive one if any of them is recursive, from whose events those of the others are derived. One-shot watches
//! on such a path are told by the same watch, which stays armed until they have fired.

mod base;
mod one_shots;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use quorate_zk_proto::{EventType, FailureKind, Outcome, WatchMode, WatchedEvent, WatcherType, ZnodePath};

pub(crate) use self::one_shots::{Half, SessionQueue, Target};
use self::{
    base::{Base, Consumer},
    one_shots::OneShots,
};
use crate::{
    error::{RequestError, Subject},
    inbox::{Inbox, WatchOrder},
};

/// Something to ask the server for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Add { path: ZnodePath, mode: WatchMode, generation: u64 },
    Remove { path: ZnodePath, kind: WatcherType },
}

/// Whatever is kept by path. Notifications come by the ten thousand, and each is looked up here.
type Paths<T> = HashMap<ZnodePath, T, foldhash::fast::RandomState>;

/// The watches of one client. Paths are the server's.
#[derive(Debug)]
pub(crate) struct Registry {
    bases: Paths<Base>,
    paths: HashMap<u64, ZnodePath>,
    one_shots: OneShots,
    /// Paths whose watch may not be what it should be.
    dirty: VecDeque<ZnodePath>,
    /// One-shot watches that nobody waits for.
    unwanted: VecDeque<(ZnodePath, Half)>,
    next_number: u64,
    watched_max: usize,
    session: SessionQueue,
    inbox: Arc<Inbox>,
}

impl Registry {
    pub(crate) fn new(watched_max: usize, session: SessionQueue, inbox: Arc<Inbox>) -> Self {
        Self {
            bases: Paths::default(),
            paths: HashMap::new(),
            one_shots: OneShots::default(),
            dirty: VecDeque::new(),
            unwanted: VecDeque::new(),
            next_number: 0,
            watched_max,
            session,
            inbox,
        }
    }

    /// Returns the session-wide stream.
    pub(crate) const fn session(&self) -> &SessionQueue {
        &self.session
    }

    /// Returns how many paths are watched.
    pub(crate) fn len(&self) -> usize {
        self.bases.len() + self.one_shots.len()
    }

    /// Adds a watcher. It is handed out at once if the watch that it needs is armed, else when it is.
    pub(crate) fn attach(&mut self, order: WatchOrder) {
        let (id, generation) = (self.number(), self.number());
        let path = order.path.clone();
        let base = self.bases.entry(path.clone()).or_insert_with(|| Base::new(path.clone(), generation));
        base.consumers.push(Consumer::new(id, self.watched_max, order));
        self.paths.insert(id, path.clone());
        base.hand_out(&self.inbox);
        self.dirty.push_back(path);
    }

    /// Takes a watcher out. Returns its path if nobody else watches it.
    pub(crate) fn detach(&mut self, id: u64) -> Option<ZnodePath> {
        let path = self.paths.remove(&id)?;
        let base = self.bases.get_mut(&path)?;
        base.consumers.retain(|consumer| consumer.id != id);
        if !base.consumers.is_empty() {
            return None;
        }
        self.dirty.push_back(path.clone());
        Some(path)
    }

    /// Returns whether a path has a persistent watch that no watcher holds any more.
    pub(crate) fn is_unheld(&self, path: &ZnodePath) -> bool {
        self.bases.get(path).is_some_and(|base| base.consumers.is_empty())
    }

    /// Forgets a path that nobody watches.
    pub(crate) fn forget(&mut self, path: &ZnodePath) {
        self.bases.remove(path);
    }

    /// Enters a one-shot watch that the server has armed.
    pub(crate) fn arm_one_shot(&mut self, path: ZnodePath, half: Half, target: Target) {
        self.one_shots.arm(path, half, target);
    }

    /// Takes note that a request ended which would have set a one-shot watch, for which a persistent one may have
    /// been kept.
    pub(crate) fn recheck(&mut self, path: &ZnodePath) {
        if self.bases.contains_key(path) {
            self.dirty.push_back(path.clone());
        }
    }

    /// Takes out the one-shot watches of a path that nobody waits for, and at the server too unless they are
    /// told by a persistent watch. Returns which halves have none left.
    pub(crate) fn prune_one_shots(&mut self, path: &ZnodePath) -> Vec<Half> {
        let lost = self.one_shots.prune(path);
        if self.bases.contains_key(path) {
            self.dirty.push_back(path.clone());
        } else {
            self.unwanted.extend(lost.iter().map(|half| (path.clone(), *half)));
        }
        lost
    }

    /// Ends all watches of a kind on behalf of all who hold them. Returns whether there were any.
    ///
    /// The server keeps a persistent watch for as long as anybody else is told by it: see
    /// [`next_step`](Self::next_step).
    pub(crate) fn remove(&mut self, path: &ZnodePath, kind: WatcherType) -> bool {
        let mut any = self.one_shots.remove(path, kind, &self.session);
        if let Some(base) = self.bases.get_mut(path) {
            let event = WatchedEvent::new(EventType::PersistentWatchRemoved, path.clone());
            for consumer in base.consumers.extract_if(.., |consumer| is_removed(consumer.mode, kind)) {
                any = true;
                self.paths.remove(&consumer.id);
                consumer.end_with(&event, &self.inbox);
            }
            self.dirty.push_back(path.clone());
        } else if any {
            self.unwanted.extend(Half::removed_by(kind).map(|half| (path.clone(), half)));
        }
        any
    }

    /// Takes the next thing to ask the server for, which then counts as asked. `is_pending` tells whether a
    /// request is under way that will set a one-shot watch on a path, of one half or of any.
    pub(crate) fn next_step(
        &mut self,
        is_pending: impl Fn(&ZnodePath, Option<Half>) -> bool,
    ) -> Option<Step> {
        while let Some(path) = self.dirty.pop_front() {
            let is_kept = self.one_shots.holds(&path) || is_pending(&path, None);
            let Some(base) = self.bases.get_mut(&path) else { continue };
            match base.wanted() {
                None if is_kept && (base.armed.is_some() || base.asked.is_some()) => {}
                None => {
                    let base = self.bases.remove(&path)?;
                    if base.armed.is_some() || base.asked.is_some() {
                        return Some(Step::Remove { path, kind: WatcherType::Any });
                    }
                }
                Some(mode) if base.asked.is_none() && base.armed < Some(mode) => {
                    base.asked = Some(mode);
                    return Some(Step::Add { path, mode, generation: base.generation });
                }
                Some(_) => {}
            }
        }
        while let Some((path, half)) = self.unwanted.pop_front() {
            // Somebody may have set it again meanwhile.
            let is_wanted = self.one_shots.holds_half(&path, half) || is_pending(&path, Some(half));
            if !is_wanted && !self.bases.contains_key(&path) {
                return Some(Step::Remove { path, kind: half.watcher_type() });
            }
        }
        None
    }

    /// Takes note that the server armed a watch. Returns whether anybody wants it.
    pub(crate) fn armed(&mut self, path: &ZnodePath, generation: u64, mode: WatchMode) -> bool {
        let Some(base) = self.bases.get_mut(path).filter(|base| base.generation == generation) else {
            return false;
        };
        base.asked = None;
        base.armed = base.armed.max(Some(mode));
        base.hand_out(&self.inbox);
        self.dirty.push_back(path.clone());
        true
    }

    /// Takes note that the request to arm a watch was lost, so that it is made again.
    pub(crate) fn unanswered(&mut self, path: &ZnodePath, generation: u64) {
        if let Some(base) = self.bases.get_mut(path).filter(|base| base.generation == generation) {
            base.asked = None;
            self.dirty.push_back(path.clone());
        }
    }

    /// Takes note that the server refused to arm a watch: whoever needs it learns that there is none.
    pub(crate) fn refused(&mut self, path: &ZnodePath, generation: u64, error: &RequestError) {
        let Some(base) = self.bases.get_mut(path).filter(|base| base.generation == generation) else {
            return;
        };
        base.asked = None;
        let armed = base.armed;
        for consumer in base.consumers.extract_if(.., |consumer| armed < Some(consumer.mode)) {
            self.paths.remove(&consumer.id);
            consumer.end(path, |path| error.clone().about(path));
        }
        self.dirty.push_back(path.clone());
    }

    /// Takes note that the session armed its watches again on a new connection. Nothing is replayed for
    /// persistent ones.
    pub(crate) fn rearmed(&self) {
        self.bases.values().filter(|base| base.armed.is_some()).for_each(Base::tell_resync);
    }

    /// Takes note that the server holds no watch any more. Persistent ones are to be armed again.
    pub(crate) fn dropped(&mut self) {
        self.dirty.clear();
        self.unwanted.clear();
        self.one_shots.lose(&self.session);
        for base in self.bases.values_mut() {
            base.drop_watch();
            self.dirty.push_back(base.path.clone());
        }
    }

    /// Hands a notification to everybody it is meant for; one packet may serve several.
    pub(crate) fn dispatch(&mut self, event: &WatchedEvent) {
        self.fire(event);
        if self.bases.is_empty() {
            return;
        }
        let event_type = event.event_type;
        if let Some(base) = self.bases.get(&event.path) {
            base.tell(event, |mode| match mode {
                WatchMode::Persistent => event_type != EventType::NodeChildrenChanged || !base.is_recursive(),
                WatchMode::PersistentRecursive => event_type != EventType::NodeChildrenChanged,
            });
        }
        if event_type != EventType::NodeChildrenChanged {
            self.dispatch_upwards(event);
        }
    }

    fn dispatch_upwards(&mut self, event: &WatchedEvent) {
        for (distance, path) in ancestors(&event.path).enumerate() {
            let Some(base) = self.bases.get(path) else { continue };
            base.tell(event, |mode| mode == WatchMode::PersistentRecursive);
            if distance == 0 && base.reaches_children() && is_listed(event.event_type) {
                let mut derived = event.clone();
                derived.event_type = EventType::NodeChildrenChanged;
                derived.path = base.path.clone();
                base.tell(&derived, |mode| mode == WatchMode::Persistent);
                self.fire(&derived);
            }
        }
    }

    /// A persistent watch that was only kept for one-shot ones goes with the last of them.
    fn fire(&mut self, event: &WatchedEvent) {
        if !self.one_shots.is_empty()
            && self.one_shots.fire(event, &self.session)
            && self.bases.contains_key(&event.path)
        {
            self.dirty.push_back(event.path.clone());
        }
    }

    /// Ends everybody's stream, and fails who still waits for a watch.
    pub(crate) fn end(&mut self, kind: &FailureKind) {
        for (path, base) in self.bases.drain() {
            let outcome = if base.asked.is_some() { Outcome::Failed } else { Outcome::NotSent };
            for consumer in base.consumers {
                consumer.end(&path, |path| Subject::watch(&path).failed(outcome, kind.clone()));
            }
        }
        self.one_shots.clear();
        self.session.end();
        self.paths.clear();
        self.dirty.clear();
        self.unwanted.clear();
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}

/// Returns whether persistent watches of a mode are meant by a removal.
pub(crate) const fn is_removed(mode: WatchMode, kind: WatcherType) -> bool {
    match kind {
        WatcherType::Any => true,
        WatcherType::Persistent => matches!(mode, WatchMode::Persistent),
        WatcherType::PersistentRecursive => matches!(mode, WatchMode::PersistentRecursive),
        WatcherType::Data | WatcherType::Children => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::one_shot::OneshotWatcher;

    #[test]
    fn a_watch_set_again_before_its_removal_was_sent_stays() {
        let inbox = Arc::new(Inbox::default());
        let mut registry = Registry::new(1, SessionQueue::default(), Arc::clone(&inbox));
        let node = ZnodePath::new("/node").unwrap();
        let (gone, fired) = OneshotWatcher::new(node.clone(), Arc::clone(&inbox));
        registry.arm_one_shot(node.clone(), Half::Data, Target::Watcher(fired, None));
        drop(gone);
        assert_eq!(registry.prune_one_shots(&node), [Half::Data]);
        let (_held, fired) = OneshotWatcher::new(node.clone(), inbox);
        registry.arm_one_shot(node, Half::Data, Target::Watcher(fired, None));
        assert_eq!(registry.next_step(|_, _| false), None);
    }

    #[test]
    fn a_watch_under_way_at_the_end_is_not_said_to_be_unsent() {
        for (is_asked, outcome) in [(false, Outcome::NotSent), (true, Outcome::Failed)] {
            let mut registry = Registry::new(1, SessionQueue::default(), Arc::new(Inbox::default()));
            let (ready, mut answer) = tokio::sync::oneshot::channel();
            let path = ZnodePath::new("/node").unwrap();
            registry.attach(WatchOrder { path, mode: WatchMode::Persistent, chroot: None, ready });
            assert!(!is_asked || registry.next_step(|_, _| false).is_some());
            registry.end(&FailureKind::Closed);
            assert_eq!(answer.try_recv().unwrap().unwrap_err().outcome(), outcome);
        }
    }
}

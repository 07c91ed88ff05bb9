//! As much of a server as watches need: znodes without data, and the watches of one connection.

use std::collections::{BTreeMap, BTreeSet};

use quorate_zk_proto::*;

/// What the watch manager of a server keeps for one path.
#[derive(Clone, Copy, Debug, Default)]
struct Modes {
    one_shot: bool,
    persistent: bool,
    recursive: bool,
}

/// Transactions that last touched a znode and its children.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Znode {
    pub(crate) mzxid: i64,
    pub(crate) pzxid: i64,
}

/// A server; up to 3.8 a path has one mode.
#[derive(Debug)]
pub(crate) struct Server {
    has_one_mode: bool,
    pub(crate) znodes: BTreeMap<String, Znode>,
    pub(crate) zxid: i64,
    data: BTreeMap<String, Modes>,
    child: BTreeMap<String, Modes>,
    /// Notifications to be delivered.
    pub(crate) told: Vec<(EventType, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    OneShot,
    Persistent,
    Recursive,
}

impl Server {
    pub(crate) fn new(has_one_mode: bool) -> Self {
        let root = ("/".to_owned(), Znode { mzxid: 0, pzxid: 0 });
        Self {
            has_one_mode,
            znodes: BTreeMap::from([root]),
            zxid: 1,
            data: BTreeMap::new(),
            child: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// Creates a znode, or deletes it. Returns what happened, unless that cannot be.
    pub(crate) fn toggle(&mut self, at: &str) -> Option<EventType> {
        let parent = parent(at)?;
        let has_children = self.znodes.keys().any(|other| parent_is(other, at));
        if has_children || !self.znodes.contains_key(&parent) {
            return None;
        }
        self.zxid += 1;
        self.znodes.get_mut(&parent)?.pzxid = self.zxid;
        let event = if self.znodes.remove(at).is_some() {
            // Whoever was told by the first is not told again by the second.
            if !self.trigger(false, at, EventType::NodeDeleted) {
                self.trigger(true, at, EventType::NodeDeleted);
            } else if let Some(modes) = self.child.get_mut(at) {
                modes.one_shot = false;
            }
            EventType::NodeDeleted
        } else {
            self.znodes.insert(at.to_owned(), Znode { mzxid: self.zxid, pzxid: self.zxid });
            self.trigger(false, at, EventType::NodeCreated);
            EventType::NodeCreated
        };
        self.trigger(true, &parent, EventType::NodeChildrenChanged);
        Some(event)
    }

    pub(crate) fn set(&mut self, at: &str) -> Option<EventType> {
        let znode = self.znodes.get_mut(at)?;
        self.zxid += 1;
        znode.mzxid = self.zxid;
        self.trigger(false, at, EventType::NodeDataChanged);
        Some(EventType::NodeDataChanged)
    }

    pub(crate) fn watch(&mut self, is_child: bool, at: &str, mode: Mode) {
        let watches = if is_child { &mut self.child } else { &mut self.data };
        let modes = watches.entry(at.to_owned()).or_default();
        if self.has_one_mode {
            *modes = Modes::default();
        }
        match mode {
            Mode::OneShot => modes.one_shot = true,
            Mode::Persistent => modes.persistent = true,
            Mode::Recursive => modes.recursive = true,
        }
    }

    pub(crate) fn add(&mut self, at: &str, mode: WatchMode) {
        let mode = match mode {
            WatchMode::Persistent => Mode::Persistent,
            WatchMode::PersistentRecursive => Mode::Recursive,
        };
        self.watch(false, at, mode);
        self.watch(true, at, mode);
    }

    pub(crate) fn remove(&mut self, at: &str, kind: WatcherType) {
        for watches in [&mut self.data, &mut self.child] {
            let Some(modes) = watches.get_mut(at) else { continue };
            match kind {
                WatcherType::Persistent => modes.persistent = false,
                WatcherType::PersistentRecursive => modes.recursive = false,
                _ => *modes = Modes::default(),
            }
        }
    }

    /// Arms watches of a new connection; those that missed something fire at once.
    pub(crate) fn set_watches(&mut self, lists: &SetWatches2) {
        let one_shot = &lists.one_shot;
        let since = one_shot.relative_zxid.get();
        for path in &one_shot.data {
            match self.znodes.get(path.as_str()) {
                None => self.tell(EventType::NodeDeleted, path),
                Some(znode) if znode.mzxid > since => self.tell(EventType::NodeDataChanged, path),
                Some(_) => self.watch(false, path, Mode::OneShot),
            }
        }
        for path in &one_shot.exist {
            match self.znodes.get(path.as_str()) {
                None => self.watch(false, path, Mode::OneShot),
                Some(_) => self.tell(EventType::NodeCreated, path),
            }
        }
        for path in &one_shot.child {
            match self.znodes.get(path.as_str()) {
                None => self.tell(EventType::NodeDeleted, path),
                Some(znode) if znode.pzxid > since => self.tell(EventType::NodeChildrenChanged, path),
                Some(_) => self.watch(true, path, Mode::OneShot),
            }
        }
        lists.persistent.iter().for_each(|path| self.add(path, WatchMode::Persistent));
        lists.persistent_recursive.iter().for_each(|path| self.add(path, WatchMode::PersistentRecursive));
    }

    pub(crate) fn disconnect(&mut self) {
        self.data.clear();
        self.child.clear();
        self.told.clear();
    }

    /// Tells the watches of a path and the recursive ones above it, all in one packet.
    fn trigger(&mut self, is_child: bool, at: &str, event_type: EventType) -> bool {
        let watches = if is_child { &mut self.child } else { &mut self.data };
        let mut is_told = false;
        if let Some(modes) = watches.get_mut(at) {
            is_told = modes.one_shot || modes.persistent;
            modes.one_shot = false;
        }
        let is_above = |base: &str| base == "/" || at == base || at.starts_with(&format!("{base}/"));
        is_told |= event_type != EventType::NodeChildrenChanged
            && watches.iter().any(|(base, modes)| modes.recursive && is_above(base));
        if is_told {
            self.tell(event_type, at);
        }
        is_told
    }

    fn tell(&mut self, event_type: EventType, at: &str) {
        self.told.push((event_type, at.to_owned()));
    }
}

pub(crate) fn parent(at: &str) -> Option<String> {
    ZnodePath::new(at).unwrap().parent().map(|parent| parent.to_string())
}

fn parent_is(at: &str, expected: &str) -> bool {
    parent(at).is_some_and(|parent| parent == expected)
}

/// The paths among which everything happens.
pub(crate) const PATHS: [&str; 4] = ["/", "/r", "/r/a", "/r/b"];

/// What is armed, as whoever set it sees it.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// One-shot watches: kind, path, and the transaction they were set at.
    pub(crate) one_shots: BTreeMap<(Kind, String), i64>,
    pub(crate) lasting: BTreeSet<(bool, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Data,
    Exist,
    Child,
}

impl Expected {
    /// Takes out what a change uses up.
    pub(crate) fn fire(&mut self, event_type: EventType, at: &str) {
        let own: &[Kind] = match event_type {
            EventType::NodeCreated => &[Kind::Exist],
            EventType::NodeDeleted => &[Kind::Data, Kind::Child],
            _ => &[Kind::Data],
        };
        for kind in own {
            self.one_shots.remove(&(*kind, at.to_owned()));
        }
        if event_type != EventType::NodeDataChanged {
            self.one_shots.remove(&(Kind::Child, parent(at).unwrap_or_default()));
        }
    }

    /// Takes out what must have fired by now, whatever happened meanwhile.
    pub(crate) fn fire_missed(&mut self, znodes: &BTreeMap<String, Znode>) {
        self.one_shots.retain(|(kind, at), since| match (kind, znodes.get(at)) {
            (Kind::Exist, znode) => znode.is_none(),
            (Kind::Data, znode) => znode.is_some_and(|znode| znode.mzxid <= *since),
            (Kind::Child, znode) => znode.is_some_and(|znode| znode.pzxid <= *since),
        });
    }

    /// What persistent watches must be told of a change.
    pub(crate) fn due(&self, event_type: EventType, at: &str) -> BTreeSet<(i32, String)> {
        let mut due = BTreeSet::new();
        for (is_recursive, base) in &self.lasting {
            let within = base == "/" || at == base || at.starts_with(&format!("{base}/"));
            if at == base || (*is_recursive && within) {
                due.insert((event_type.code(), at.to_owned()));
            }
            let is_listing = event_type != EventType::NodeDataChanged && parent(at).as_ref() == Some(base);
            if !is_recursive && is_listing {
                due.insert((EventType::NodeChildrenChanged.code(), base.clone()));
            }
        }
        due
    }
}

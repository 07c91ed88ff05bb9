//! The watches that the server holds for this session, to arm them again on the next connection.

use std::collections::BTreeSet;

use crate::{
    error_code::ErrorCode,
    id::Zxid,
    op::{EventType, Request, SetWatches, SetWatches2, WatchMode, WatcherType},
    path::ZnodePath,
};

/// Most bytes of paths in one packet that arms watches again; the server refuses large requests
/// (ZOOKEEPER-706).
const BATCH_BYTES_MAX: usize = 128 * 1024;

/// What a reply will change among the watches.
#[derive(Debug)]
pub(super) enum WatchEffect {
    None,
    Data(ZnodePath),
    Exist(ZnodePath),
    Child(ZnodePath),
    Add(ZnodePath, WatchMode),
    Remove(ZnodePath, WatcherType),
}

/// One packet that arms watches again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Batch {
    OneShot(SetWatches),
    AnyKind(SetWatches2),
}

/// Sets are ordered so that the same history gives the same bytes.
#[derive(Debug, Default)]
pub(super) struct Watches {
    data: BTreeSet<ZnodePath>,
    exist: BTreeSet<ZnodePath>,
    child: BTreeSet<ZnodePath>,
    persistent: BTreeSet<ZnodePath>,
    recursive: BTreeSet<ZnodePath>,
}

#[derive(Clone, Copy)]
enum Kind {
    Data,
    Exist,
    Child,
    Persistent,
    Recursive,
}

impl WatchEffect {
    pub(super) fn of(request: &Request) -> Self {
        match request {
            Request::Exists(exists) if exists.watch => Self::Exist(exists.path.clone()),
            Request::GetData(get) if get.watch => Self::Data(get.path.clone()),
            Request::GetChildren(list) | Request::GetChildrenWithStat(list) if list.watch => {
                Self::Child(list.path.clone())
            }
            Request::AddWatch(add) => Self::Add(add.path.clone(), add.mode),
            Request::RemoveWatches(remove) => Self::Remove(remove.path.clone(), remove.kind),
            _ => Self::None,
        }
    }
}

impl Watches {
    /// Enters what a reply has proved. A watch on a missing znode is set by `exists` alone.
    pub(super) fn apply(&mut self, effect: WatchEffect, code: ErrorCode) {
        match (effect, code) {
            (WatchEffect::Data(path) | WatchEffect::Exist(path), ErrorCode::Ok) => {
                self.data.insert(path);
            }
            (WatchEffect::Exist(path), ErrorCode::NoNode) => {
                self.exist.insert(path);
            }
            (WatchEffect::Child(path), ErrorCode::Ok) => {
                self.child.insert(path);
            }
            (WatchEffect::Add(path, WatchMode::Persistent), ErrorCode::Ok) => {
                self.persistent.insert(path);
            }
            (WatchEffect::Add(path, WatchMode::PersistentRecursive), ErrorCode::Ok) => {
                self.recursive.insert(path);
            }
            // Without a watcher at the server there is none to arm again.
            (WatchEffect::Remove(path, kind), ErrorCode::Ok | ErrorCode::NoWatcher) => {
                self.remove(&path, kind);
            }
            _ => {}
        }
    }

    /// Takes out the one-shot watches that an event has used up.
    pub(super) fn fire(&mut self, event_type: EventType, path: &ZnodePath) {
        match event_type {
            EventType::NodeCreated | EventType::NodeDataChanged => {
                self.data.remove(path);
                self.exist.remove(path);
            }
            EventType::NodeDeleted => {
                self.data.remove(path);
                self.exist.remove(path);
                self.child.remove(path);
            }
            EventType::NodeChildrenChanged => {
                self.child.remove(path);
            }
            EventType::None
            | EventType::DataWatchRemoved
            | EventType::ChildWatchRemoved
            | EventType::PersistentWatchRemoved => {}
        }
    }

    pub(super) fn remove(&mut self, path: &ZnodePath, kind: WatcherType) {
        let any = kind == WatcherType::Any;
        if any || kind == WatcherType::Data {
            self.data.remove(path);
            self.exist.remove(path);
        }
        if any || kind == WatcherType::Children {
            self.child.remove(path);
        }
        if any || kind == WatcherType::Persistent {
            self.persistent.remove(path);
        }
        if any || kind == WatcherType::PersistentRecursive {
            self.recursive.remove(path);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.data.is_empty() && self.exist.is_empty() && self.child.is_empty() && !self.has_persistent()
    }

    /// Builds the packets that arm everything again.
    ///
    /// Servers before 3.6 know only the packet for one-shot watches, so that is used while it will do.
    /// Persistent watches go last, in packets of their own: up to 3.8 a path has one mode per session, and
    /// the last one set counts.
    pub(super) fn batches(&self, relative_zxid: Zxid) -> Vec<Batch> {
        let one_shot = tagged(Kind::Data, &self.data)
            .chain(tagged(Kind::Exist, &self.exist))
            .chain(tagged(Kind::Child, &self.child));
        let mut lists = split(one_shot, relative_zxid);
        if !self.has_persistent() {
            return lists.into_iter().map(|lists| Batch::OneShot(lists.one_shot)).collect();
        }
        let persistent =
            tagged(Kind::Persistent, &self.persistent).chain(tagged(Kind::Recursive, &self.recursive));
        lists.append(&mut split(persistent, relative_zxid));
        lists.into_iter().map(Batch::AnyKind).collect()
    }

    fn has_persistent(&self) -> bool {
        !(self.persistent.is_empty() && self.recursive.is_empty())
    }
}

fn tagged(kind: Kind, paths: &BTreeSet<ZnodePath>) -> impl Iterator<Item = (Kind, &ZnodePath)> {
    paths.iter().map(move |path| (kind, path))
}

/// Splits paths into packets of limited size; a single path over the limit gets one of its own.
fn split<'a>(paths: impl Iterator<Item = (Kind, &'a ZnodePath)>, relative_zxid: Zxid) -> Vec<SetWatches2> {
    let mut batches = Vec::new();
    let mut bytes_left = 0;
    for (kind, path) in paths {
        if batches.is_empty() || path.len() > bytes_left {
            batches.push(empty_lists(relative_zxid));
            bytes_left = BATCH_BYTES_MAX;
        }
        bytes_left = bytes_left.saturating_sub(path.len());
        let lists = batches.last_mut().expect("one was pushed if there was none");
        match kind {
            Kind::Data => lists.one_shot.data.push(path.clone()),
            Kind::Exist => lists.one_shot.exist.push(path.clone()),
            Kind::Child => lists.one_shot.child.push(path.clone()),
            Kind::Persistent => lists.persistent.push(path.clone()),
            Kind::Recursive => lists.persistent_recursive.push(path.clone()),
        }
    }
    batches
}

const fn empty_lists(relative_zxid: Zxid) -> SetWatches2 {
    SetWatches2 {
        one_shot: SetWatches { relative_zxid, data: Vec::new(), exist: Vec::new(), child: Vec::new() },
        persistent: Vec::new(),
        persistent_recursive: Vec::new(),
    }
}

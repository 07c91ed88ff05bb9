//! Who is told what.
//!
//! As in a server there are two tables: one for data and existence, one for lists of children. A persistent
//! watch is in both. Up to 3.8 an entry has one mode, and the last one set wins, so that a one-shot watch
//! breaks a persistent one of the same connection; from 3.9 on the modes stand side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use quorate_zk_proto::{Acl, EventType, WatchMode, WatcherType, ZnodePath};

use super::{
    ConnectionId,
    tree::{Change, ChangeKind},
};

/// The modes of one connection's watch on one path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Modes {
    one_shot: bool,
    persistent: bool,
    recursive: bool,
}

/// What kind of watch to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    OneShot,
    Persistent,
    Recursive,
}

/// An event and who gets it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) connections: BTreeSet<ConnectionId>,
    pub(crate) event_type: EventType,
    pub(crate) path: ZnodePath,
    /// Who may hear of it; everybody if there is none.
    pub(crate) acl: Option<Arc<[Acl]>>,
}

type Table = BTreeMap<ZnodePath, BTreeMap<ConnectionId, Modes>>;

/// The watches of all connections.
#[derive(Debug)]
pub(crate) struct Watches {
    data: Table,
    children: Table,
    modes_add_up: bool,
}

impl Modes {
    const NONE: Self = Self { one_shot: false, persistent: false, recursive: false };

    const fn set(&mut self, kind: Kind, on: bool) {
        match kind {
            Kind::OneShot => self.one_shot = on,
            Kind::Persistent => self.persistent = on,
            Kind::Recursive => self.recursive = on,
        }
    }

    const fn has(self, kind: Kind) -> bool {
        match kind {
            Kind::OneShot => self.one_shot,
            Kind::Persistent => self.persistent,
            Kind::Recursive => self.recursive,
        }
    }
}

impl From<WatchMode> for Kind {
    fn from(mode: WatchMode) -> Self {
        match mode {
            WatchMode::Persistent => Self::Persistent,
            WatchMode::PersistentRecursive => Self::Recursive,
        }
    }
}

impl Watches {
    pub(crate) const fn new(modes_add_up: bool) -> Self {
        Self { data: Table::new(), children: Table::new(), modes_add_up }
    }

    /// Sets a one-shot watch on data or existence.
    pub(crate) fn watch_data(&mut self, connection: ConnectionId, path: &ZnodePath) {
        add(&mut self.data, self.modes_add_up, connection, path, Kind::OneShot);
    }

    /// Sets a one-shot watch on the list of children.
    pub(crate) fn watch_children(&mut self, connection: ConnectionId, path: &ZnodePath) {
        add(&mut self.children, self.modes_add_up, connection, path, Kind::OneShot);
    }

    /// Sets a persistent watch.
    pub(crate) fn add(&mut self, connection: ConnectionId, path: &ZnodePath, mode: WatchMode) {
        add(&mut self.data, self.modes_add_up, connection, path, mode.into());
        // From 3.9 on a recursive watch has nothing to do with the lists of children.
        if mode == WatchMode::Persistent || !self.modes_add_up {
            add(&mut self.children, self.modes_add_up, connection, path, mode.into());
        }
    }

    /// Removes watches; returns whether there were any.
    pub(crate) fn remove(&mut self, connection: ConnectionId, path: &ZnodePath, kind: WatcherType) -> bool {
        let (data, children) = (&mut self.data, &mut self.children);
        // Before 3.9 a removal takes whatever mode there is.
        let only = |kind| self.modes_add_up.then_some(kind);
        match kind {
            WatcherType::Data => take(data, connection, path, only(Kind::OneShot)),
            WatcherType::Children => take(children, connection, path, only(Kind::OneShot)),
            WatcherType::Any => take(children, connection, path, None) | take(data, connection, path, None),
            WatcherType::Persistent => {
                take(children, connection, path, Some(Kind::Persistent))
                    | take(data, connection, path, Some(Kind::Persistent))
            }
            WatcherType::PersistentRecursive => take(data, connection, path, Some(Kind::Recursive)),
        }
    }

    /// Returns whether there are watches of a kind. Before 3.9 those of other connections count too: the
    /// server only looks whether the path is watched.
    pub(crate) fn contains(&self, connection: ConnectionId, path: &ZnodePath, kind: WatcherType) -> bool {
        let any = |table: &Table| match self.modes_add_up {
            true => modes(table, connection, path) != Modes::NONE,
            false => table.contains_key(path),
        };
        let has = |table: &Table, kind| match self.modes_add_up {
            true => modes(table, connection, path).has(kind),
            false => table.contains_key(path),
        };
        match kind {
            WatcherType::Data => has(&self.data, Kind::OneShot),
            WatcherType::Children => has(&self.children, Kind::OneShot),
            WatcherType::Any => any(&self.data) || any(&self.children),
            WatcherType::Persistent => has(&self.data, Kind::Persistent),
            WatcherType::PersistentRecursive => has(&self.data, Kind::Recursive),
        }
    }

    /// Forgets all watches of a connection.
    pub(crate) fn drop_connection(&mut self, connection: ConnectionId) {
        for table in [&mut self.data, &mut self.children] {
            table.retain(|_, watchers| {
                watchers.remove(&connection);
                !watchers.is_empty()
            });
        }
    }

    /// Finds out who is told of a change, in the order of a server, and uses up one-shot watches.
    pub(crate) fn trigger(&mut self, change: &Change) -> Vec<Told> {
        let Change { kind, path, acl, parent_acl } = change;
        let mut told = Vec::new();
        match kind {
            ChangeKind::Created => told.push(self.tell_data(EventType::NodeCreated, path, acl)),
            ChangeKind::DataSet => told.push(self.tell_data(EventType::NodeDataChanged, path, acl)),
            ChangeKind::Deleted => {
                let of_data = self.tell_data(EventType::NodeDeleted, path, acl);
                let mut of_children = self.tell_children(EventType::NodeDeleted, path, acl);
                // Nobody is told twice that the znode is gone.
                of_children.connections.retain(|id| !of_data.connections.contains(id));
                told.extend([of_data, of_children]);
            }
        }
        if let Some(parent) = path.parent().filter(|_| *kind != ChangeKind::DataSet) {
            told.push(self.tell_children(EventType::NodeChildrenChanged, &parent, parent_acl));
        }
        told.retain(|told| !told.connections.is_empty());
        told
    }

    fn tell_data(&mut self, event_type: EventType, path: &ZnodePath, acl: &Arc<[Acl]>) -> Told {
        let connections = fire(&mut self.data, event_type, path);
        Told { connections, event_type, path: path.clone(), acl: Some(Arc::clone(acl)) }
    }

    fn tell_children(&mut self, event_type: EventType, path: &ZnodePath, acl: &Arc<[Acl]>) -> Told {
        let connections = fire(&mut self.children, event_type, path);
        Told { connections, event_type, path: path.clone(), acl: Some(Arc::clone(acl)) }
    }
}

fn modes(table: &Table, connection: ConnectionId, path: &ZnodePath) -> Modes {
    table.get(path).and_then(|watchers| watchers.get(&connection)).copied().unwrap_or(Modes::NONE)
}

fn add(table: &mut Table, modes_add_up: bool, connection: ConnectionId, path: &ZnodePath, kind: Kind) {
    let modes = table.entry(path.clone()).or_default().entry(connection).or_default();
    if !modes_add_up {
        *modes = Modes::NONE;
    }
    modes.set(kind, true);
}

/// Removes one kind of watch, or all kinds.
fn take(table: &mut Table, connection: ConnectionId, path: &ZnodePath, only: Option<Kind>) -> bool {
    let Some(watchers) = table.get_mut(path) else { return false };
    let Some(modes) = watchers.get_mut(&connection) else { return false };
    if only.is_some_and(|kind| !modes.has(kind)) {
        return false;
    }
    match only {
        Some(kind) => modes.set(kind, false),
        None => *modes = Modes::NONE,
    }
    forget_if_empty(table, path);
    true
}

fn fire(table: &mut Table, event_type: EventType, path: &ZnodePath) -> BTreeSet<ConnectionId> {
    let of_children = event_type == EventType::NodeChildrenChanged;
    let mut connections = BTreeSet::new();
    if let Some(watchers) = table.get_mut(path) {
        for (&connection, modes) in watchers.iter_mut() {
            if modes.one_shot || modes.persistent || !of_children {
                connections.insert(connection);
            }
            modes.one_shot = false;
        }
        forget_if_empty(table, path);
    }
    let mut ancestor = path.parent();
    while let Some(base) = ancestor.filter(|_| !of_children) {
        let watchers = table.get(&base).into_iter().flatten();
        connections.extend(watchers.filter(|(_, modes)| modes.recursive).map(|(&connection, _)| connection));
        ancestor = base.parent();
    }
    connections
}

fn forget_if_empty(table: &mut Table, path: &ZnodePath) {
    if let Some(watchers) = table.get_mut(path) {
        watchers.retain(|_, modes| *modes != Modes::NONE);
        if watchers.is_empty() {
            table.remove(path);
        }
    }
}

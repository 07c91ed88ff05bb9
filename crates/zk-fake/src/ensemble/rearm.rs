//! Arming watches again on a new connection.

use quorate_zk_proto::{EventType, SetWatches, SetWatches2, WatchMode, ZnodePath};

use super::{ConnectionId, Ensemble, watches::Told};

impl Ensemble {
    /// Arms one-shot watches; those whose znode changed meanwhile fire at once.
    pub(super) fn rearm(&mut self, id: ConnectionId, watches: &SetWatches) {
        let seen = watches.relative_zxid;
        for path in &watches.data {
            match self.tree_at(id).get(path).map(|node| node.head.mzxid > seen) {
                Err(_) => self.miss(id, EventType::NodeDeleted, path),
                Ok(true) => self.miss(id, EventType::NodeDataChanged, path),
                Ok(false) => self.watches_at(id).watch_data(id, path),
            }
        }
        for path in &watches.exist {
            match self.tree_at(id).get(path) {
                Ok(_) => self.miss(id, EventType::NodeCreated, path),
                Err(_) => self.watches_at(id).watch_data(id, path),
            }
        }
        for path in &watches.child {
            match self.tree_at(id).get(path).map(|node| node.head.pzxid > seen) {
                Err(_) => self.miss(id, EventType::NodeDeleted, path),
                Ok(true) => self.miss(id, EventType::NodeChildrenChanged, path),
                Ok(false) => self.watches_at(id).watch_children(id, path),
            }
        }
    }

    /// Arms watches of all kinds. Persistent ones are told nothing of what they missed (ZOOKEEPER-4698).
    pub(super) fn rearm_all(&mut self, id: ConnectionId, watches: &SetWatches2) {
        self.rearm(id, &watches.one_shot);
        for path in &watches.persistent {
            self.watches_at(id).add(id, path, WatchMode::Persistent);
        }
        for path in &watches.persistent_recursive {
            self.watches_at(id).add(id, path, WatchMode::PersistentRecursive);
        }
    }

    fn miss(&mut self, id: ConnectionId, event_type: EventType, path: &ZnodePath) {
        self.tell_missed(&Told { connections: [id].into(), event_type, path: path.clone(), acl: None });
    }
}

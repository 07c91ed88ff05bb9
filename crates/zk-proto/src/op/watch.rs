//! Adding, removing and re-arming watches.

use crate::{
    id::Zxid,
    op::event::EventType,
    path::ZnodePath,
    record::{coded, record},
};

coded! {
    /// How far a persistent watch reaches.
    #[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
    pub enum WatchMode {
        /// A znode and the list of its children.
        Persistent = 0,
        /// A znode and all below it.
        PersistentRecursive = 1,
    }
}

coded! {
    /// Which watches to remove.
    #[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
    pub enum WatcherType {
        /// One-shot watches on the list of children.
        Children = 1,
        /// One-shot watches on the data or existence.
        Data = 2,
        /// Every kind; the only way to remove persistent ones on servers before 3.9.
        Any = 3,
        /// Persistent watches. Servers from 3.9 on.
        Persistent = 4,
        /// Recursive watches. Servers from 3.9 on.
        PersistentRecursive = 5,
    }
}

record! {
    /// Adds a persistent watch.
    pub struct AddWatch {
        /// Where; the znode need not exist.
        pub path: ZnodePath,
        /// How far.
        pub mode: WatchMode,
    }
}

record! {
    /// Asks whether this connection holds a watch; answered by
    /// [`ErrorCode::NoWatcher`](crate::ErrorCode::NoWatcher) if it does not.
    pub struct CheckWatches {
        /// Where.
        pub path: ZnodePath,
        /// Which.
        pub kind: WatcherType,
    }
}

record! {
    /// Removes watches of this connection.
    pub struct RemoveWatches {
        /// Where.
        pub path: ZnodePath,
        /// Which.
        pub kind: WatcherType,
    }
}

record! {
    /// Arms one-shot watches on a new connection; those whose znode changed meanwhile fire at once.
    pub struct SetWatches {
        /// Changes after this transaction were not seen.
        pub relative_zxid: Zxid,
        /// Watches on data.
        pub data: Vec<ZnodePath>,
        /// Watches on znodes that did not exist.
        pub exist: Vec<ZnodePath>,
        /// Watches on lists of children.
        pub child: Vec<ZnodePath>,
    }
}

record! {
    /// Arms watches of all kinds on a new connection. Nothing is replayed for persistent ones
    /// (ZOOKEEPER-4698).
    pub struct SetWatches2 {
        /// The part that servers before 3.6 know too.
        pub one_shot: SetWatches,
        /// Persistent watches.
        pub persistent: Vec<ZnodePath>,
        /// Recursive watches.
        pub persistent_recursive: Vec<ZnodePath>,
    }
}

impl WatchMode {
    /// Returns whether a watch of this mode on `base` is meant by an event.
    ///
    /// Recursive watches are told of children by the children's own events and ignore
    /// [`EventType::NodeChildrenChanged`], which some servers send them too (ZOOKEEPER-4475).
    #[must_use]
    pub fn concerns(self, base: &ZnodePath, event_type: EventType, path: &ZnodePath) -> bool {
        match self {
            Self::Persistent => path == base,
            Self::PersistentRecursive => event_type != EventType::NodeChildrenChanged && path.is_within(base),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recursive_watches_ignore_changed_children() {
        let (base, child) = (ZnodePath::new("/a").unwrap(), ZnodePath::new("/a/b").unwrap());
        let recursive = WatchMode::PersistentRecursive;
        assert!(recursive.concerns(&base, EventType::NodeCreated, &child));
        assert!(!recursive.concerns(&base, EventType::NodeChildrenChanged, &base));
        assert!(!recursive.concerns(&child, EventType::NodeDataChanged, &base));
    }

    #[test]
    fn persistent_watches_see_their_own_path_alone() {
        let (base, child) = (ZnodePath::new("/a").unwrap(), ZnodePath::new("/a/b").unwrap());
        assert!(WatchMode::Persistent.concerns(&base, EventType::NodeChildrenChanged, &base));
        assert!(!WatchMode::Persistent.concerns(&base, EventType::NodeDataChanged, &child));
    }
}

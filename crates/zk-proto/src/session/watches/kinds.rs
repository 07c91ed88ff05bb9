//! Sets of the kinds that a watch can have.

use crate::op::{EventType, WatcherType};

/// Which of the five kinds of watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    /// On the data of a znode.
    pub(super) const DATA: Self = Self(1);
    /// On a znode that does not exist.
    pub(super) const EXIST: Self = Self(2);
    /// On the list of children.
    pub(super) const CHILD: Self = Self(4);
    pub(super) const PERSISTENT: Self = Self(8);
    pub(super) const RECURSIVE: Self = Self(16);
    /// Those that an event uses up.
    pub(super) const ONE_SHOT: Self = Self(1 | 2 | 4);
    /// Those that stay.
    pub(super) const LASTING: Self = Self(8 | 16);

    /// Those that are meant by a removal.
    pub(super) const fn removed_by(kind: WatcherType) -> Self {
        match kind {
            WatcherType::Children => Self::CHILD,
            WatcherType::Data => Self(1 | 2),
            WatcherType::Any => Self(1 | 2 | 4 | 8 | 16),
            WatcherType::Persistent => Self::PERSISTENT,
            WatcherType::PersistentRecursive => Self::RECURSIVE,
        }
    }

    /// Those that an event uses up.
    pub(super) const fn used_up_by(event_type: EventType) -> Self {
        match event_type {
            EventType::NodeCreated | EventType::NodeDataChanged => Self(1 | 2),
            EventType::NodeDeleted => Self::ONE_SHOT,
            EventType::NodeChildrenChanged => Self::CHILD,
            EventType::None
            | EventType::DataWatchRemoved
            | EventType::ChildWatchRemoved
            | EventType::PersistentWatchRemoved => Self::NONE,
        }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

//! What was deleted, for as long as an older put may still be told.

use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use crate::{Entry, Key, Revision};

/// How many deletions are remembered until everything before them is known to have been told.
pub(super) const DELETIONS_MAX: usize = 4096;

/// When keys were deleted. Past [`DELETIONS_MAX`] the oldest is forgotten: what was told before it is the least
/// likely to come late.
#[derive(Clone, Debug, Default)]
pub(super) struct Deletions {
    of_key: RedBlackTreeMapSync<Key, Revision>,
    /// The same, the oldest first.
    by_age: RedBlackTreeSetSync<(Revision, Key)>,
}

impl Deletions {
    /// Remembers that a key was deleted at a revision.
    pub(super) fn remember(&mut self, key: &Key, at: Revision) {
        if let Some(&known) = self.of_key.get(key) {
            if known >= at {
                return;
            }
            self.by_age.remove_mut(&(known, key.clone()));
        }
        self.of_key.insert_mut(key.clone(), at);
        self.by_age.insert_mut((at, key.clone()));
        if self.of_key.size() > DELETIONS_MAX {
            self.forget_oldest();
        }
    }

    /// Whether an entry is of before the deletion of its key, told late.
    pub(super) fn is_after(&self, entry: &Entry) -> bool {
        self.of_key.get(&entry.key).is_some_and(|at| *at >= entry.revision)
    }

    /// When a key was deleted, as far as that is remembered.
    pub(super) fn at(&self, key: &Key) -> Option<Revision> {
        self.of_key.get(key).copied()
    }

    /// Forgets what was deleted up to a revision, now that all before it was told.
    pub(super) fn forget_until(&mut self, revision: Revision) {
        while self.by_age.first().is_some_and(|(at, _)| *at <= revision) {
            self.forget_oldest();
        }
    }

    /// The keys that are remembered.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.of_key.keys()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.of_key.size(), self.by_age.size());
        self.of_key.size()
    }

    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.by_age.first().cloned() {
            self.by_age.remove_mut(&oldest);
            self.of_key.remove_mut(&oldest.1);
        }
    }
}

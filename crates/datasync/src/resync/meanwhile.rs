//! What a store tells while the content is being loaded.

use std::collections::HashSet;

use crate::{Entry, Key, RawChange, Revision};

/// How many changes are kept. Past it the content is loaded once more when it was told.
pub(super) const CHANGES_MAX: usize = 4096;

/// How many dirty keys are kept. They are small, and each is kept once, so that there can be as many as a busy store
/// touches while a large content is loaded.
pub(super) const DIRTY_MAX: usize = 65_536;

/// What was told since a load began.
#[derive(Debug, Default)]
pub(super) struct Meanwhile {
    changes: Vec<RawChange>,
    dirty: HashSet<Key>,
    /// Whether something was missed, or there was too much to keep.
    is_incomplete: bool,
}

impl Meanwhile {
    /// Keeps a change.
    pub(super) fn add(&mut self, change: RawChange) {
        match change {
            _ if self.is_incomplete => {}
            RawChange::Gap => self.give_up(),
            // One read tells them all.
            RawChange::Dirty(key) => drop(self.dirty.insert(key)),
            change => self.changes.push(change),
        }
        if self.changes.len() > CHANGES_MAX || self.dirty.len() > DIRTY_MAX {
            self.give_up();
        }
    }

    /// What is not part of a content, which is sorted and loaded up to `revision`; `None` if that is not known.
    pub(super) fn news(
        self,
        content: &[Entry],
        revision: Revision,
    ) -> Option<impl Iterator<Item = RawChange> + use<>> {
        if self.is_incomplete {
            return None;
        }
        let is_news = |change: &RawChange| !is_part_of(change, content, revision);
        let changes: Vec<RawChange> = self.changes.into_iter().filter(is_news).collect();
        // The dirty ones first: what was proved then waits until they are read.
        Some(self.dirty.into_iter().map(RawChange::Dirty).chain(changes))
    }

    fn give_up(&mut self) {
        *self = Self { is_incomplete: true, ..Self::default() };
    }
}

/// Whether a change that came while the content was loaded is contained in it already.
fn is_part_of(change: &RawChange, content: &[Entry], revision: Revision) -> bool {
    let loaded = |key: &Key| {
        let at = content.binary_search_by(|entry| entry.key.cmp(key)).ok()?;
        Some(content[at].revision)
    };
    match change {
        RawChange::Put(entry) => {
            loaded(&entry.key).map_or(entry.revision <= revision, |r| entry.revision <= r)
        }
        RawChange::Delete(key, at) => loaded(key).map_or(*at <= revision, |r| *at < r),
        RawChange::Progress { revision: proved, .. } => *proved < revision,
        RawChange::Dirty(_) | RawChange::Gap => false,
    }
}

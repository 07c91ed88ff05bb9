//! The last commits, for watches that start in the past.

use std::collections::VecDeque;

use crate::{Moment, RawChange, Revision, Selection};

/// How many commits are kept.
const COMMITS_MAX: usize = 10_000;

/// How many bytes of values are kept.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// The last commits, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    commits: VecDeque<Commit>,
    bytes: usize,
    /// The revision of the newest commit that was forgotten.
    forgotten: Revision,
}

/// What one commit changed.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) revision: Revision,
    /// When it was made.
    pub(super) at: Moment,
    /// Puts and deletes, in the order of the writes.
    pub(super) changes: Vec<RawChange>,
}

impl History {
    pub(super) fn push(&mut self, commit: Commit) {
        self.bytes += commit.bytes();
        self.commits.push_back(commit);
        while self.commits.len() > COMMITS_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.commits.pop_front() else { return };
            self.bytes -= oldest.bytes();
            self.forgotten = oldest.revision;
        }
    }

    /// What a watch of `selection` would have been told after `revision`, or `None` if that was forgotten.
    pub(super) fn after(&self, revision: Revision, selection: &Selection) -> Option<Vec<RawChange>> {
        if revision < self.forgotten {
            return None;
        }
        let from = self.commits.partition_point(|commit| commit.revision <= revision);
        Some(self.commits.range(from..).flat_map(|commit| commit.told_to(selection)).collect())
    }
}

impl Commit {
    /// The changes that are selected, and the progress after them if there are any.
    fn told_to(&self, selection: &Selection) -> Vec<RawChange> {
        let is_selected = |change: &&RawChange| change.key().is_some_and(|key| selection.contains(key));
        let mut told: Vec<RawChange> = self.changes.iter().filter(is_selected).cloned().collect();
        if !told.is_empty() {
            told.push(self.progress());
        }
        told
    }

    pub(super) const fn progress(&self) -> RawChange {
        RawChange::Progress { revision: self.revision, asked: self.at }
    }

    fn bytes(&self) -> usize {
        self.changes.iter().map(RawChange::value_bytes).sum()
    }
}

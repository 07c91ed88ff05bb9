//! What is to be written so that the target equals the source. No I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::key::above;
use crate::{Capabilities, Delta, Entry, Error, Event, Incarnation, Key, Prefix, Replica};

use super::batch::{Batch, ChangeKind, Rel};
use super::verdict::Verdict;
use super::{MirrorProgress, Side};

/// How many keys are compared before something else has its turn.
const COMPARED_MAX: usize = 1000;

/// The copies of both sides, and what has to be done about their differences.
#[derive(Debug)]
pub(super) struct Plan {
    source: Half,
    target: Half,
    /// Whether what only the target has is deleted.
    deletes_extra: bool,
    /// Keys that may differ: to be compared, parents before what is below them.
    pending: BTreeSet<Rel>,
    /// Keys to be deleted once everything else was compared, what is below a key before the key.
    extra: BTreeSet<Rel>,
    refused: BTreeMap<Rel, String>,
    leased: BTreeSet<Rel>,
    kept: BTreeSet<Rel>,
    /// So many of the next transactions are for one key each, since one of several keys failed.
    alone: usize,
}

/// One side.
#[derive(Debug)]
struct Half {
    prefix: Prefix,
    replica: Replica,
    keys: usize,
}

/// The next thing to be done.
#[derive(Debug)]
pub(super) enum Next {
    /// There is nothing to do.
    Idle,
    /// Something was compared, and more is to be.
    Busy,
    Commit(Batch),
    /// Worth telling: a key is refused, for this reason, which is not the one before.
    Refused(Key, Error),
}

impl Plan {
    pub(super) fn new(from: Prefix, to: Prefix, deletes_extra: bool) -> Self {
        let half = |prefix| Half { prefix, replica: Replica::new(), keys: 0 };
        Self {
            source: half(from),
            target: half(to),
            deletes_extra,
            pending: BTreeSet::new(),
            extra: BTreeSet::new(),
            refused: BTreeMap::new(),
            leased: BTreeSet::new(),
            kept: BTreeSet::new(),
            alone: 0,
        }
    }

    /// Takes what a side told. What it changed is compared again.
    pub(super) fn apply(&mut self, side: Side, event: Event) {
        let changed = self.half(side).apply(event);
        for rel in changed {
            if side == Side::Target {
                self.mark_related(&rel);
            }
            self.mark(rel);
        }
    }

    /// Takes what a commit of ours did. It is told by the watch as well, and is no news then.
    pub(super) fn committed(&mut self, events: Vec<Event>, rels: impl IntoIterator<Item = Rel>) {
        for event in events {
            self.target.apply(event);
        }
        for rel in rels {
            self.mark_related(&rel);
            self.forget(&rel);
        }
        self.alone = self.alone.saturating_sub(1);
    }

    /// Compares a key again.
    pub(super) fn mark(&mut self, rel: Rel) {
        self.extra.remove(&rel);
        self.pending.insert(rel);
    }

    /// Tries again what may have been refused because of a key of the target: what is above it, and what is below.
    fn mark_related(&mut self, rel: &Rel) {
        if self.refused.is_empty() {
            return;
        }
        let above = above(rel).filter_map(|text| self.refused.get_key_value(text));
        let text = format!("{rel}/");
        let below = self.refused.range::<str, _>((Bound::Included(text.as_str()), Bound::Unbounded));
        let below = below.take_while(|(refused, _)| refused.starts_with(&text));
        let related: Vec<Rel> = above.chain(below).map(|(refused, _)| refused.clone()).collect();
        self.pending.extend(related);
    }

    /// Tries everything again that was refused.
    pub(super) fn mark_refused(&mut self) {
        self.pending.extend(self.refused.keys().cloned());
    }

    /// A transaction of several keys failed because of one of them: they are tried one by one.
    pub(super) fn separate(&mut self, batch: Batch) {
        self.alone = batch.changes.len();
        self.take_back(batch);
    }

    /// What was to be written is compared again.
    pub(super) fn take_back(&mut self, batch: Batch) {
        for change in batch.changes {
            self.mark(change.rel);
        }
    }

    /// Notes that a key cannot be written; gives the error back if that is news.
    pub(super) fn refuse(&mut self, rel: &Rel, error: Error) -> Option<Error> {
        self.forget_but_refused(rel);
        self.alone = self.alone.saturating_sub(1);
        let words = error.to_string();
        let before = self.refused.insert(rel.clone(), words.clone());
        (before != Some(words)).then_some(error)
    }

    /// What is to be done next. Without `is_dry` what it gives out must be committed, or taken back.
    pub(super) fn next(&mut self, capabilities: &Capabilities) -> Next {
        let mut batch = Batch::default();
        for _ in 0..COMPARED_MAX {
            let Some((rel, is_extra)) = self.pop() else {
                return if batch.changes.is_empty() { Next::Idle } else { Next::Commit(batch) };
            };
            match self.verdict(&rel, capabilities) {
                Verdict::Same => self.forget(&rel),
                Verdict::Leased => {
                    self.forget(&rel);
                    self.leased.insert(rel);
                }
                Verdict::Kept => {
                    self.forget(&rel);
                    self.kept.insert(rel);
                }
                Verdict::Refused(key, error) => {
                    if let Some(error) = self.refuse(&rel, error) {
                        self.take_back(batch);
                        return Next::Refused(key, error);
                    }
                }
                Verdict::Change(change) if !is_extra && matches!(change.kind, ChangeKind::Delete(_)) => {
                    self.extra.insert(rel);
                }
                Verdict::Change(change) => {
                    if !batch.has_room(&change, capabilities) || (self.alone > 0 && !batch.changes.is_empty())
                    {
                        self.put_back(rel, is_extra);
                        return Next::Commit(batch);
                    }
                    batch.push(change);
                }
            }
        }
        if batch.changes.is_empty() { Next::Busy } else { Next::Commit(batch) }
    }

    pub(super) const fn is_synced(&self) -> bool {
        self.source.replica.is_synced() && self.target.replica.is_synced()
    }

    pub(super) const fn is_source_synced(&self) -> bool {
        self.source.replica.is_synced()
    }

    /// The life of the target that its copy is of.
    pub(super) const fn target_life(&self) -> Option<Incarnation> {
        self.target.replica.incarnation()
    }

    /// The lives of the stores that the copies are of.
    pub(super) fn incarnations(&self) -> Option<(Incarnation, Incarnation)> {
        self.source.replica.incarnation().zip(self.target.replica.incarnation())
    }

    pub(super) fn has_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Fills in what is known here.
    pub(super) fn progress(&self, progress: MirrorProgress) -> MirrorProgress {
        MirrorProgress {
            source_keys: self.source.keys,
            target_keys: self.target.keys,
            pending: progress.pending + self.pending.len() + self.extra.len(),
            refused: self.refused.len(),
            leased: self.leased.len(),
            kept: self.kept.len(),
            ..progress
        }
    }

    /// The next key to be compared, and whether it was found to be extra already.
    fn pop(&mut self) -> Option<(Rel, bool)> {
        let pending = self.pending.pop_first().map(|rel| (rel, false));
        pending.or_else(|| self.extra.pop_last().map(|rel| (rel, true)))
    }

    fn put_back(&mut self, rel: Rel, is_extra: bool) {
        if is_extra {
            self.extra.insert(rel)
        } else {
            self.pending.insert(rel)
        };
    }

    fn verdict(&self, rel: &Rel, capabilities: &Capabilities) -> Verdict {
        let (source, target) = (self.source.entry(rel), self.target.entry(rel));
        match self.target.prefix.join(rel) {
            Ok(key) => Verdict::of(rel, key, (source, target), self.deletes_extra, capabilities),
            Err(error) => Verdict::without_key(source, error),
        }
    }

    fn forget(&mut self, rel: &Rel) {
        self.forget_but_refused(rel);
        self.refused.remove(rel);
    }

    fn forget_but_refused(&mut self, rel: &Rel) {
        self.leased.remove(rel);
        self.kept.remove(rel);
    }

    const fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Source => &mut self.source,
            Side::Target => &mut self.target,
        }
    }
}

impl Half {
    fn apply(&mut self, event: Event) -> Vec<Rel> {
        let mut changed = Vec::new();
        for delta in self.replica.apply(event) {
            let key = match &delta {
                Delta::Put { entry, previous } => {
                    self.keys += usize::from(previous.is_none());
                    &entry.key
                }
                Delta::Deleted { previous, .. } => {
                    self.keys -= 1;
                    &previous.key
                }
                Delta::Current { .. } => continue,
            };
            changed.extend(self.prefix.strip(key).map(Rel::from));
        }
        changed
    }

    fn entry(&self, rel: &Rel) -> Option<&Entry> {
        self.replica.get(&self.prefix.join(rel).ok()?)
    }
}

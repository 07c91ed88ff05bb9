//! One subscriber: what it acknowledged, what it was not told yet, and how it is doing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Deadline, Outcome};
use crate::backoff::Backoff;
use crate::{Entry, Key, Prefix, Revision};

/// Tells one subscriber from another. They grow in the order of registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SubscriberId(pub(super) u64);

/// Tells one publisher who waits for answers from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TicketId(pub(super) u64);

/// How long a subscriber may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    pub(super) accept: Duration,
    pub(super) finish: Duration,
}

/// One subscriber of a hub.
///
/// What it acknowledged is not kept: it is what the hub's copy holds, but for the keys that are pending. So a
/// subscriber costs what it is behind, and never more than the keys it has and had.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) name: Arc<str>,
    pub(super) deadlines: Deadlines,
    /// What it wants. `true` once the content is there and it is told of changes.
    pub(super) prefixes: BTreeMap<Prefix, bool>,
    /// What is to be told anew.
    pub(super) stale: BTreeSet<Prefix>,
    /// Whether a resync waits for its turn among the subscribers.
    pub(super) awaits_turn: bool,
    /// The keys that differ from what was told last.
    pub(super) pending: BTreeMap<Key, Behind>,
    pub(super) phase: Phase,
    /// When the phase it is in ends, if nothing else ends it.
    pub(super) timer: Option<Instant>,
    pub(super) waker: Option<Waker>,
    /// Who wants to know what becomes of what is pending.
    pub(super) tickets: Vec<TicketId>,
    pub(super) backoff: Backoff,
    /// What became of the last delivery that was answered or missed.
    pub(super) last: Option<Outcome>,
    pub(super) acked: Option<Revision>,
    pub(super) next_delivery: u64,
}

/// What a subscriber has in place of what is there now.
#[derive(Clone, Debug)]
pub(super) struct Behind {
    pub(super) before: Option<Entry>,
    /// When the key became what it is now.
    pub(super) revision: Revision,
    /// What became of the last attempt to tell it, and how new the key was that was told.
    pub(super) failed: Option<(Revision, Outcome)>,
}

/// Where a subscriber stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// There is nothing to tell, or it may not be told yet.
    Idle,
    /// It was woken and may take its delivery.
    Offered { is_late: bool },
    /// It has a delivery that it did not answer yet.
    Taken(Flight),
    /// It refused, and is left alone for a while.
    Resting,
}

/// A delivery that was not answered yet.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) delivery: u64,
    pub(super) revision: Revision,
    pub(super) stale: BTreeSet<Prefix>,
    pub(super) told: BTreeMap<Key, Behind>,
    pub(super) tickets: Vec<TicketId>,
    pub(super) is_late: bool,
}

/// How one subscriber of a hub is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubscriberStatus {
    /// Its name.
    pub name: Arc<str>,
    /// What it subscribed to.
    pub prefixes: Vec<Prefix>,
    /// What became of the last delivery that it answered, or whose deadline it missed; `None` before the first.
    pub last: Option<Outcome>,
    /// The revision of the last delivery that it acknowledged.
    pub acked: Option<Revision>,
    /// How many keys it was not told of yet.
    pub pending: usize,
    /// Whether it holds a delivery that it did not answer yet.
    pub is_busy: bool,
}

impl Subscriber {
    pub(super) fn new(name: Arc<str>, deadlines: Deadlines) -> Self {
        Self {
            name,
            deadlines,
            prefixes: BTreeMap::new(),
            stale: BTreeSet::new(),
            awaits_turn: true,
            pending: BTreeMap::new(),
            phase: Phase::Idle,
            timer: None,
            waker: None,
            tickets: Vec::new(),
            backoff: Backoff::default(),
            last: None,
            acked: None,
            next_delivery: 0,
        }
    }

    /// Whether it is told of changes of this key.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.prefixes.iter().any(|(prefix, is_live)| *is_live && prefix.contains(key))
    }

    /// The prefix whose content it still waits for before it can be told of a key; `None` if it waits for none.
    pub(super) fn awaits(&self, key: &Key) -> Option<&Prefix> {
        let mut waiting = self.prefixes.iter().filter(|(prefix, is_live)| !**is_live && prefix.contains(key));
        if self.has(key) { None } else { waiting.next().map(|(prefix, _)| prefix) }
    }

    /// Whether everything it subscribed to is there.
    pub(super) fn is_live(&self) -> bool {
        self.prefixes.values().all(|is_live| *is_live)
    }

    /// Whether anything that it subscribed to is there.
    pub(super) fn has_some(&self) -> bool {
        self.prefixes.is_empty() || self.prefixes.values().any(|is_live| *is_live)
    }

    /// Whether it may be told something now.
    pub(super) fn has_news(&self) -> bool {
        let may_resync = !self.awaits_turn || self.stale.is_empty();
        may_resync && !(self.stale.is_empty() && self.pending.is_empty())
    }

    /// A key that was `previous` is `current` now.
    pub(super) fn touch(
        &mut self,
        key: &Key,
        previous: Option<&Entry>,
        current: Option<&Entry>,
        revision: Revision,
    ) {
        if let Some(behind) = self.pending.get_mut(key) {
            behind.revision = revision;
            if is_same(behind.before.as_ref(), current) {
                self.pending.remove(key);
            }
        } else if !is_same(previous, current) {
            self.pending.insert(key.clone(), Behind { before: previous.cloned(), revision, failed: None });
        }
    }

    /// A prefix became live of which it has nothing.
    pub(super) fn gain<'e>(&mut self, prefix: &Prefix, entries: impl Iterator<Item = &'e Entry>) {
        for entry in entries.filter(|entry| !self.has_elsewhere(&entry.key, prefix)).collect::<Vec<_>>() {
            self.touch(&entry.key, None, Some(entry), entry.revision);
        }
        self.prefixes.insert(prefix.clone(), true);
        self.stale.insert(prefix.clone());
    }

    /// A prefix was removed: what only it selects is gone for this subscriber.
    pub(super) fn lose<'e>(
        &mut self,
        prefix: &Prefix,
        entries: impl Iterator<Item = &'e Entry>,
        revision: Revision,
    ) {
        self.stale.remove(prefix);
        if self.prefixes.remove(prefix) != Some(true) {
            return;
        }
        for entry in entries.filter(|entry| !self.has(&entry.key)).collect::<Vec<_>>() {
            self.touch(&entry.key, Some(entry), None, revision);
        }
    }

    fn has_elsewhere(&self, key: &Key, but: &Prefix) -> bool {
        self.prefixes.iter().any(|(prefix, is_live)| *is_live && prefix != but && prefix.contains(key))
    }

    /// What was told and not acknowledged is told again, as the net difference to what is there now.
    pub(super) fn take_back<'e>(
        &mut self,
        flight: Flight,
        outcome: &Outcome,
        now: impl Fn(&Key) -> Option<&'e Entry>,
    ) {
        for (key, told) in flight.told {
            let current = if self.has(&key) { now(&key) } else { None };
            let revision = self.pending.get(&key).map_or(told.revision, |behind| behind.revision);
            if is_same(told.before.as_ref(), current) {
                self.pending.remove(&key);
            } else {
                let failed = Some((told.revision, outcome.clone()));
                self.pending.insert(key, Behind { before: told.before, revision, failed });
            }
        }
        let prefixes = &self.prefixes;
        self.stale.extend(flight.stale.into_iter().filter(|prefix| prefixes.contains_key(prefix)));
        // Those who wait for this are told what became of it now, not of the next attempt.
    }

    /// The prefixes that a delivery tells anew: those that must be, and if there are any, all that have news.
    pub(super) fn told_anew(&self) -> BTreeSet<Prefix> {
        let mut anew = self.stale.clone();
        if !anew.is_empty() {
            let live = self.prefixes.iter().filter(|(_, is_live)| **is_live).map(|(prefix, _)| prefix);
            anew.extend(live.filter(|prefix| self.has_news_below(prefix)).cloned());
        }
        anew
    }

    fn has_news_below(&self, prefix: &Prefix) -> bool {
        prefix.key().map_or(!self.pending.is_empty(), |key| {
            self.pending.range(key.clone()..).map(|(key, _)| key).any(|key| prefix.contains(key))
        })
    }

    /// What a publisher is told who asks while the subscriber cannot take what is pending.
    pub(super) const fn missed(&self) -> Option<Deadline> {
        match &self.phase {
            Phase::Offered { is_late: true } => Some(Deadline::Accept),
            Phase::Taken(Flight { is_late: true, .. }) => Some(Deadline::Finish),
            _ => None,
        }
    }

    pub(super) fn status(&self) -> SubscriberStatus {
        SubscriberStatus {
            name: Arc::clone(&self.name),
            prefixes: self.prefixes.keys().cloned().collect(),
            last: self.last.clone(),
            acked: self.acked,
            pending: self.pending.len(),
            is_busy: matches!(self.phase, Phase::Taken(_)),
        }
    }

    /// The prefixes that lie within another one.
    pub(super) fn within(&self, outer: &Prefix) -> Vec<Prefix> {
        self.prefixes.keys().filter(|prefix| outer.covers(prefix)).cloned().collect()
    }
}

/// Whether a subscriber need not be told that one became the other.
fn is_same(a: Option<&Entry>, b: Option<&Entry>) -> bool {
    a.map(|entry| &entry.value) == b.map(|entry| &entry.value)
}

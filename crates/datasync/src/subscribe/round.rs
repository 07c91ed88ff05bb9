//! One round of resyncs: the subscribers are told one after the other, in the order of their registration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answer::Outcome;
use super::report::{ResyncCause, ResyncReport};
use super::subscriber::SubscriberId;

/// A round that is under way.
#[derive(Debug)]
pub(super) struct Round {
    cause: ResyncCause,
    /// Whose turn is to come. Whoever joins late still comes before those who registered after it.
    pub(super) queue: BTreeSet<SubscriberId>,
    /// Whose turn it is.
    pub(super) current: Option<SubscriberId>,
    /// Nobody is told before: where prefixes are watched one by one, their resyncs come one by one.
    pub(super) not_before: Option<Instant>,
    /// When the wait that `not_before` is of ends at the latest.
    pub(super) latest: Option<Instant>,
    /// Who lacks the content that it is to be told, and until when the others wait for that.
    pub(super) lacking: Option<(SubscriberId, Instant)>,
    /// Nobody in the queue has anything of its content, so far as that was looked for. Then nobody is held up.
    pub(super) all_lack: bool,
    /// In the order in which they were noted, the last one of each name.
    outcomes: BTreeMap<u64, (Arc<str>, Outcome)>,
    /// Where the outcome of a name stands.
    noted: BTreeMap<Arc<str>, u64>,
    next: u64,
    demands: Vec<oneshot::Sender<ResyncReport>>,
}

impl Round {
    pub(super) const fn new(cause: ResyncCause) -> Self {
        Self {
            cause,
            queue: BTreeSet::new(),
            current: None,
            not_before: None,
            latest: None,
            lacking: None,
            all_lack: false,
            outcomes: BTreeMap::new(),
            noted: BTreeMap::new(),
            next: 0,
            demands: Vec::new(),
        }
    }

    /// Somebody waits for the report. Those who hung up are forgotten.
    pub(super) fn demand(&mut self, reply: oneshot::Sender<ResyncReport>) {
        self.demands.retain(|reply| !reply.is_closed());
        self.demands.push(reply);
    }

    /// Notes what became of a turn, in place of what became of an earlier one.
    pub(super) fn note(&mut self, name: &Arc<str>, outcome: Outcome) {
        if let Some(before) = self.noted.insert(Arc::clone(name), self.next) {
            self.outcomes.remove(&before);
        }
        self.outcomes.insert(self.next, (Arc::clone(name), outcome));
        self.next += 1;
    }

    /// Tells those who asked, and gives back the report.
    pub(super) fn finish(self) -> ResyncReport {
        let report = ResyncReport { cause: self.cause, outcomes: self.outcomes.into_values().collect() };
        for reply in self.demands {
            // It fails if nobody waits any more.
            let _ = reply.send(report.clone());
        }
        report
    }
}

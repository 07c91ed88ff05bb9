//! One round of resyncs: the subscribers are told one after the other, in the order of their registration.

use std::collections::BTreeSet;
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
    outcomes: Vec<(Arc<str>, Outcome)>,
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
            outcomes: Vec::new(),
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
        self.outcomes.retain(|(of, _)| of != name);
        self.outcomes.push((Arc::clone(name), outcome));
    }

    /// Tells those who asked, and gives back the report.
    pub(super) fn finish(self) -> ResyncReport {
        let report = ResyncReport { cause: self.cause, outcomes: self.outcomes };
        for reply in self.demands {
            // It fails if nobody waits any more.
            let _ = reply.send(report.clone());
        }
        report
    }
}

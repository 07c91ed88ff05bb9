//! What became of the writes, counted, and the sign to stop.

use quorate_zk::{Outcome, RequestError};
use tokio::sync::watch;

use crate::world::soon;

/// Counts of outcomes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: u64,
    pub(crate) not_sent: u64,
    pub(crate) failed: u64,
    pub(crate) unknown: u64,
}

/// The counts of all writers, which anybody may wait for.
#[derive(Debug)]
pub(crate) struct Tally {
    counts: watch::Sender<Counts>,
    stopped: watch::Sender<bool>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { counts: watch::Sender::new(Counts::default()), stopped: watch::Sender::new(false) }
    }

    pub(crate) fn acknowledged(&self) {
        self.counts.send_modify(|counts| counts.acknowledged += 1);
    }

    /// Counts a failure and gives its outcome. One that neither a lost connection nor a `refusal` explains is none
    /// that should happen here.
    pub(crate) fn failed(&self, error: &RequestError, refusal: impl Fn(&RequestError) -> bool) -> Outcome {
        assert!(error.is_connection_lost() || refusal(error), "{error}");
        self.counts.send_modify(|counts| match error.outcome() {
            Outcome::NotSent => counts.not_sent += 1,
            Outcome::Failed => counts.failed += 1,
            Outcome::Unknown => counts.unknown += 1,
        });
        error.outcome()
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Waits until so many more writes were acknowledged.
    pub(crate) async fn progress(&self, more: u64) {
        let wanted = self.counts().acknowledged + more;
        let mut counts = self.counts.subscribe();
        soon(counts.wait_for(|counts| counts.acknowledged >= wanted)).await.unwrap();
    }

    pub(crate) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }
}

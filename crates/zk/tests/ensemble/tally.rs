//! What became of the writes, counted, and the sign to stop.

use std::time::Duration;

use quorate_zk::{Outcome, RequestError};
use tokio::{sync::watch, time::timeout};

use crate::world::soon;

/// Counts of outcomes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: u64,
    pub(crate) not_sent: u64,
    pub(crate) failed: u64,
    pub(crate) unknown: u64,
}

/// How often a writer writes. Servers of 3.8.0 that come back under much more load than this need several attempts to
/// join the others (ZOOKEEPER-4394, 4685), which can take longer than a session lasts.
const PACE: Duration = Duration::from_millis(50);

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

    /// Waits for the time of the next write; `false` if there is none.
    pub(crate) async fn turn(&self) -> bool {
        let mut stopped = self.stopped.subscribe();
        timeout(PACE, stopped.wait_for(|stopped| *stopped)).await.is_err()
    }
}

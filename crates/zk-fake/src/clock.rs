//! The fake's clock: the wall clock when it started, moved on by tokio's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::ensemble::Millis;

/// Tells the milliseconds since 1970. Stands still and jumps as tokio's time does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Millis,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_at: millis(since_1970) }
    }

    pub(crate) fn now(self) -> Millis {
        self.started_at.saturating_add(millis(self.started.elapsed()))
    }

    /// Returns when [`now`](Self::now) will have reached `at`.
    pub(crate) fn instant(self, at: Millis) -> Instant {
        let ahead = u64::try_from(at.saturating_sub(self.started_at)).unwrap_or(0);
        self.started + Duration::from_millis(ahead)
    }
}

/// Rounds down to what the protocol counts in.
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

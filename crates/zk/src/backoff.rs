//! How long to wait before the next attempt to reach the ensemble.

use std::time::Duration;

/// The longest wait after the first failed round.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait of all.
const LIMIT: Duration = Duration::from_secs(5);

/// Exponential, with full jitter: clients that lost their server together do not come back together.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Returns how long to wait this time: nothing at first.
    pub(crate) fn wait(&mut self) -> Duration {
        let limit = self.limit();
        self.failures = self.failures.saturating_add(1);
        limit.mul_f64(fastrand::f64())
    }

    /// Starts over, since a connection proved good.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    fn limit(&self) -> Duration {
        match self.failures.checked_sub(1) {
            None => Duration::ZERO,
            Some(doublings) => FIRST.saturating_mul(1 << doublings.min(16)).min(LIMIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wait_is_none_and_the_limit_doubles_up_to_five_seconds() {
        let mut backoff = Backoff::default();
        let mut limits = Vec::new();
        for _ in 0..9 {
            let limit = backoff.limit();
            assert!(backoff.wait() <= limit);
            limits.push(limit.as_millis());
        }
        assert_eq!(limits, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        backoff.reset();
        assert_eq!(backoff.wait(), Duration::ZERO);
    }
}

//! How long to wait before the next attempt.

use std::time::Duration;

/// The longest wait after the first failure.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait of all before the ensemble is looked for again.
const RECONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The longest wait of all before a server that writes is looked for again: meanwhile there is one that reads.
const SEEK_LIMIT: Duration = Duration::from_secs(60);

/// Exponential, with full jitter: clients that lost their server together do not come back together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    failures: u32,
    limit: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { failures: 0, limit: RECONNECT_LIMIT }
    }
}

impl Backoff {
    /// The pauses of the search for a server that writes. There is one before the first attempt.
    pub(crate) const fn seeking() -> Self {
        Self { failures: 1, limit: SEEK_LIMIT }
    }

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
            Some(doublings) => FIRST.saturating_mul(1 << doublings.min(16)).min(self.limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(mut backoff: Backoff, count: usize) -> Vec<u128> {
        let mut limits = Vec::new();
        for _ in 0..count {
            let limit = backoff.limit();
            assert!(backoff.wait() <= limit);
            limits.push(limit.as_millis());
        }
        limits
    }

    #[test]
    fn the_first_wait_is_none_and_the_limit_doubles_up_to_five_seconds() {
        assert_eq!(limits(Backoff::default(), 9), [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    #[test]
    fn the_search_for_a_server_that_writes_slows_down_to_a_minute() {
        let expected = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000];
        assert_eq!(limits(Backoff::seeking(), 12), expected);
    }

    #[test]
    fn a_good_connection_starts_it_over() {
        let mut backoff = Backoff::default();
        backoff.wait();
        backoff.reset();
        assert_eq!(backoff.wait(), Duration::ZERO);
    }
}

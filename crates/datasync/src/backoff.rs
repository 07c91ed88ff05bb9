//! How long to wait before trying again.

use std::time::Duration;

/// The first wait after the first failure.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait.
pub(crate) const LONGEST: Duration = Duration::from_secs(5);

/// Waits that double from 100 ms to 5 s, each drawn evenly between nothing and that (full jitter), so that many
/// who failed together do not come back together.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait before the next attempt, after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(fastrand::f64())
    }

    /// The wait before the next attempt, for what may be tried again at once the first time.
    pub(crate) fn next_but_first(&mut self) -> Duration {
        if self.failures > 0 {
            return self.next();
        }
        self.failures = 1;
        Duration::ZERO
    }

    /// An attempt succeeded.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_within_their_bound() {
        let mut backoff = Backoff::default();
        assert!(backoff.next() <= FIRST);
        assert!((0..40).all(|_| backoff.next() <= LONGEST));
    }
}

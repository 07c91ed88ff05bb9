//! When and how often an operation is made again.

use std::time::Duration;

/// How an operation that failed in passing is made again: how often, after which pauses, for how long.
///
/// It says nothing of *what* is made again; see [`Client::retrying`](crate::Client::retrying). The pauses double from
/// the first to the longest, and each is drawn at random between nothing and that, so that clients that failed together
/// do not come back together.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use quorate_zk::RetryPolicy;
///
/// let policy = RetryPolicy::default().attempts_max(3).total_max(Duration::from_secs(20));
/// assert_ne!(policy, RetryPolicy::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    attempts_max: u32,
    pause_first: Duration,
    pause_max: Duration,
    total_max: Duration,
}

impl Default for RetryPolicy {
    /// Ten attempts, pauses of 100 ms doubling up to 5 s, a minute in all.
    fn default() -> Self {
        Self {
            attempts_max: 10,
            pause_first: Duration::from_millis(100),
            pause_max: Duration::from_secs(5),
            total_max: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// For what nobody should have to do again by hand.
    pub(crate) const PATIENT: Self = Self {
        attempts_max: 100,
        pause_first: Duration::from_millis(10),
        pause_max: Duration::from_secs(1),
        total_max: Duration::from_secs(300),
    };

    /// Sets how often an operation is made in all, the first time included. Ten times by default.
    pub const fn attempts_max(mut self, count_max: u32) -> Self {
        self.attempts_max = count_max;
        self
    }

    /// Sets the longest pause after the first attempt. 100 ms by default.
    pub const fn pause_first(mut self, pause: Duration) -> Self {
        self.pause_first = pause;
        self
    }

    /// Sets the longest pause of all. 5 s by default.
    pub const fn pause_max(mut self, pause: Duration) -> Self {
        self.pause_max = pause;
        self
    }

    /// Sets how long after the first attempt the last may be made. A minute by default. An attempt that is under way
    /// then is waited for: its own end is the matter of a deadline.
    pub const fn total_max(mut self, total: Duration) -> Self {
        self.total_max = total;
        self
    }

    /// Returns how long to pause before the next attempt, or `None` if there is to be none.
    pub(crate) fn pause(&self, attempts_made: u32, elapsed: Duration) -> Option<Duration> {
        if attempts_made >= self.attempts_max {
            return None;
        }
        let pause = self.pause_limit(attempts_made).mul_f64(fastrand::f64());
        elapsed.checked_add(pause).filter(|next| *next <= self.total_max).map(|_| pause)
    }

    fn pause_limit(&self, attempts_made: u32) -> Duration {
        let doublings = attempts_made.saturating_sub(1).min(30);
        self.pause_first.saturating_mul(1 << doublings).min(self.pause_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let limits: Vec<_> =
            (1..9).map(|made| RetryPolicy::default().pause_limit(made).as_millis()).collect();
        assert_eq!(limits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        let long = RetryPolicy::default().pause_first(Duration::MAX).pause_max(Duration::MAX);
        assert_eq!(long.pause_limit(u32::MAX), Duration::MAX);
    }

    #[test]
    fn a_pause_is_within_its_limit() {
        let policy = RetryPolicy::default();
        for _ in 0..100 {
            assert!(policy.pause(1, Duration::ZERO).unwrap() <= Duration::from_millis(100));
        }
    }

    #[test]
    fn attempts_and_time_run_out() {
        let policy = RetryPolicy::default().attempts_max(2).pause_first(Duration::ZERO);
        assert_eq!(policy.pause(1, Duration::ZERO), Some(Duration::ZERO));
        assert_eq!(policy.pause(2, Duration::ZERO), None);
        assert_eq!(policy.pause(1, Duration::from_secs(61)), None);
        assert_eq!(policy.attempts_max(0).pause(1, Duration::ZERO), None);
    }
}

//! When an optimistic writer steps aside, so that all who write have their turns.

use std::time::Duration;

use tokio::time::Instant;

/// How long a writer that others wait for goes on before it steps aside.
const SLICE: Duration = Duration::from_millis(20);

/// For how long after the last lost race others are taken to be there still.
const MEMORY: Duration = Duration::from_secs(1);

/// The first wait after a lost race.
const FIRST: Duration = Duration::from_millis(1);

/// The longest wait.
const LONGEST: Duration = Duration::from_millis(20);

/// Divides the time among optimistic writers that do not know each other.
///
/// Whoever won the last race has the advantage in the next, since it knows the version that it wrote: left alone, it
/// would win for ever. So a winner that has lost lately goes on for one slice of time and then waits as long as a
/// loser does. That gives all the same share, and most of the time only one writes, without a refusal. A writer
/// that never loses never waits.
#[derive(Debug, Default)]
pub(super) struct Pace {
    losses: u32,
    lost_at: Option<Instant>,
    slice_began: Option<Instant>,
}

impl Pace {
    /// The wait after a race was lost.
    pub(super) fn on_lost(&mut self) -> Duration {
        self.lost_at = Some(Instant::now());
        self.slice_began = None;
        let longest = FIRST.saturating_mul(1 << self.losses.min(8)).min(LONGEST);
        self.losses = self.losses.saturating_add(1);
        longest.mul_f64(fastrand::f64())
    }

    /// The wait before the next write after one that succeeded.
    pub(super) fn on_won(&mut self) -> Duration {
        self.losses = 0;
        let now = Instant::now();
        if self.lost_at.is_none_or(|at| now - at > MEMORY) {
            return Duration::ZERO;
        }
        let began = *self.slice_began.get_or_insert(now);
        if now - began < SLICE {
            return Duration::ZERO;
        }
        self.slice_began = None;
        LONGEST.mul_f64(fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_writer_that_never_loses_never_waits() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            tokio::time::advance(SLICE).await;
            assert_eq!(pace.on_won(), Duration::ZERO);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_winner_that_lost_lately_steps_aside_after_its_slice() {
        let mut pace = Pace::default();
        assert!(pace.on_lost() <= FIRST);
        assert_eq!(pace.on_won(), Duration::ZERO);
        tokio::time::advance(SLICE).await;
        assert!((0..50).any(|_| {
            pace.slice_began = Some(Instant::now() - SLICE);
            !pace.on_won().is_zero()
        }));
        tokio::time::advance(MEMORY + SLICE).await;
        assert_eq!(pace.on_won(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_of_a_loser_is_bounded() {
        let mut pace = Pace::default();
        assert!((0..100).all(|_| pace.on_lost() <= LONGEST));
    }
}

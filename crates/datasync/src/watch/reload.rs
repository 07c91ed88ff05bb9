//! When a content may be loaded again.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::StoreStatus;
use crate::backoff::{Backoff, LONGEST};

/// Contents up to here are loaded again at once: they cost a store a few requests.
const SMALL: usize = 1_000;

/// How much longer the spread is for each entry past that. A store that is asked for a large content answers for about
/// a hundred thousand entries in a second, so this is ten times what one of us takes: as many who lost it together
/// come one after the other, on the average.
const SPREAD_PER_ENTRY: Duration = Duration::from_micros(100);

/// The longest spread, reached at 11,000 entries. A copy should not be old for much longer than the connection was
/// lost, and the store is asked for several contents at once after all.
const SPREAD_MAX: Duration = Duration::from_secs(1);

/// Says how long to wait before a content is loaded once more.
///
/// When a store comes back everybody who follows it loads everything anew in the same moment, so after a reconnect a
/// large content is waited for a random time. And one that has to be loaded again and again, for a store that tells
/// one gap after the other, is loaded at growing intervals.
#[derive(Debug)]
pub(super) struct Reload {
    status: watch::Receiver<StoreStatus>,
    /// When the last content was complete, and how many entries it had.
    last: Option<(Instant, usize)>,
    backoff: Backoff,
}

impl Reload {
    pub(super) fn new(status: watch::Receiver<StoreStatus>) -> Self {
        Self { status, last: None, backoff: Backoff::default() }
    }

    /// The wait before the next load.
    pub(super) fn pause(&mut self) -> Duration {
        let Some((at, entries)) = self.last else { return Duration::ZERO };
        // Whatever else the status may say, a connection that was lost and is back is news in it.
        let is_back = self.status.has_changed().unwrap_or(false);
        let spread = if is_back { spread(entries).mul_f64(fastrand::f64()) } else { Duration::ZERO };
        if at.elapsed() > LONGEST {
            self.backoff.reset();
            return spread;
        }
        spread.max(self.backoff.next_but_first())
    }

    /// A load is sent now.
    pub(super) fn begun(&mut self) {
        self.status.mark_unchanged();
    }

    /// A content is complete.
    pub(super) fn done(&mut self, entries: usize) {
        self.last = Some((Instant::now(), entries));
    }
}

/// Over how long the loads of those are spread who follow so many entries.
fn spread(entries: usize) -> Duration {
    let past = u32::try_from(entries.saturating_sub(SMALL)).unwrap_or(u32::MAX);
    SPREAD_PER_ENTRY.saturating_mul(past).min(SPREAD_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Incarnation, Link};

    fn reload() -> (watch::Sender<StoreStatus>, Reload) {
        let status = watch::Sender::new(StoreStatus::live(Incarnation::new(1), "store"));
        let reload = Reload::new(status.subscribe());
        (status, reload)
    }

    fn lose_and_find(status: &watch::Sender<StoreStatus>) {
        for link in [Link::Lost { reason: "cut".into() }, Link::Live] {
            status.send_modify(|status| status.link = link);
        }
    }

    #[test]
    fn the_spread_grows_with_the_content_up_to_a_second() {
        assert_eq!([0, SMALL].map(spread), [Duration::ZERO; 2]);
        assert_eq!(spread(SMALL + 1_000), Duration::from_millis(100));
        assert_eq!([11_000, usize::MAX].map(spread), [SPREAD_MAX; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_load_and_small_ones_wait_for_nothing() {
        let (status, mut reload) = reload();
        lose_and_find(&status);
        assert_eq!(reload.pause(), Duration::ZERO);
        reload.begun();
        reload.done(SMALL);
        lose_and_find(&status);
        assert_eq!(reload.pause(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_content_waits_only_when_the_connection_was_lost() {
        let (status, mut reload) = reload();
        reload.begun();
        reload.done(100_000);
        let mut pauses = Vec::new();
        for _ in 0..20 {
            tokio::time::advance(2 * LONGEST).await;
            assert_eq!(reload.pause(), Duration::ZERO);
            lose_and_find(&status);
            pauses.push(reload.pause());
            reload.begun();
            reload.done(100_000);
        }
        assert!(pauses.iter().all(|pause| *pause <= SPREAD_MAX));
        let least = pauses.iter().min().unwrap();
        assert!(pauses.iter().max().unwrap().saturating_sub(*least) > SPREAD_MAX / 4, "{pauses:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn loads_in_quick_succession_wait_longer_and_longer_and_never_long() {
        let (_status, mut reload) = reload();
        reload.done(10);
        assert_eq!(reload.pause(), Duration::ZERO);
        let waited: Duration = (0..50).map(|_| reload.pause()).sum();
        assert!(waited > LONGEST && waited < 50 * LONGEST, "{waited:?}");
        tokio::time::advance(2 * LONGEST).await;
        assert_eq!(reload.pause(), Duration::ZERO);
    }
}

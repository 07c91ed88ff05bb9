//! A clock that goes on while the machine sleeps.

use std::time::Duration;

/// A point on a clock that is never set and that counts the time the machine was suspended.
///
/// The age of a local copy is measured with it: a laptop that slept for an hour holds a copy that is an hour
/// old, which `std::time::Instant` would not tell. On Linux this is `CLOCK_BOOTTIME`; elsewhere it is the
/// monotonic clock, which may stand still during a suspend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// The beginning of the clock. Everything is later.
    pub const ORIGIN: Self = Self(Duration::ZERO);

    /// Reads the clock.
    #[must_use]
    pub fn now() -> Self {
        #[cfg(target_os = "linux")]
        let id = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let id = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(id);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Self(Duration::new(seconds, nanos))
    }

    /// How long ago this was; zero if it lies ahead.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        Self::now().since(self)
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment as nanoseconds of its clock, for storage in an atomic. Wraps after 584 years.
    #[must_use]
    pub fn as_nanos(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }

    /// The moment that [`as_nanos`](Self::as_nanos) gave these nanoseconds for.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(Duration::from_nanos(nanos))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_its_nanoseconds() {
        let now = Moment::now();
        assert_eq!(Moment::from_nanos(now.as_nanos()), now);
    }

    #[test]
    fn an_earlier_moment_is_never_negative_time_away() {
        let now = Moment::now();
        assert_eq!(now.since(now + Duration::from_secs(5)), Duration::ZERO);
        assert_eq!((now + Duration::from_secs(5)).since(now), Duration::from_secs(5));
    }
}

//! In which way an update is made.

use std::time::Duration;

use super::terms::{DECISIONS_MAX, Terms};

/// How long an optimistic update is tried, unless set otherwise.
const OPTIMISTIC_TIME: Duration = Duration::from_secs(30);

/// In which way an update is made: under the lock or not, how often and for how long it is tried.
///
/// An update that gives up says that it was not applied. Neither limit cuts off a write that was sent: its outcome
/// is found out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "options do nothing by themselves"]
pub struct UpdateOptions {
    is_exclusive: bool,
    tries: u32,
    deadline: Option<Duration>,
}

impl UpdateOptions {
    /// Under the lock, as [`Shared::update`](crate::Shared::update) does it.
    pub const fn exclusive() -> Self {
        Self { is_exclusive: true, tries: DECISIONS_MAX, deadline: None }
    }

    /// Without the lock, as [`Shared::update_optimistic`](crate::Shared::update_optimistic) does it.
    pub const fn optimistic() -> Self {
        Self { is_exclusive: false, ..Self::exclusive() }
    }

    /// Sets how often the closure runs at most, once at least, because others wrote meanwhile. 64 unless set.
    pub const fn tries(mut self, tries: u32) -> Self {
        self.tries = if tries == 0 { 1 } else { tries };
        self
    }

    /// Sets how long to wait for the lock, or to try without it. Unless set: under the lock what the struct was
    /// opened with ([`Open::lock_wait`](crate::Open::lock_wait)), otherwise 30 s.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    pub(super) fn terms(self, lock_wait: Duration) -> Terms {
        let terms = if self.is_exclusive {
            Terms::exclusive(self.deadline.unwrap_or(lock_wait))
        } else {
            Terms::optimistic(self.deadline.unwrap_or(OPTIMISTIC_TIME))
        };
        terms.tries(self.tries)
    }
}

impl Default for UpdateOptions {
    fn default() -> Self {
        Self::exclusive()
    }
}

//! How a writer wants to write.

use std::time::Duration;

/// How often one edit is made, where others write at the same time.
pub(super) const DECISIONS_MAX: u32 = 64;

/// How a writer wants to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(super) is_exclusive: bool,
    pub(super) is_alone: bool,
    pub(super) tries: u32,
    /// How long to wait for the turn and for the lock.
    pub(super) wait: Duration,
}

impl Terms {
    /// Under the lock, which is waited for so long.
    pub(crate) const fn exclusive(wait: Duration) -> Self {
        Self { is_exclusive: true, is_alone: false, tries: DECISIONS_MAX, wait }
    }

    /// Without the lock, on the version that was read, tried again for so long.
    pub(crate) const fn optimistic(wait: Duration) -> Self {
        Self { is_exclusive: false, ..Self::exclusive(wait) }
    }

    /// In a transaction of its own.
    pub(crate) const fn alone(mut self) -> Self {
        self.is_alone = true;
        self
    }

    /// Makes the edit at most so often.
    pub(crate) const fn tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }
}

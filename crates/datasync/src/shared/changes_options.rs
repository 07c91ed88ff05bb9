//! How a subscriber wants to be told.

/// How many events one subscriber may be behind, unless set otherwise. Past it it is told the net change.
const BOUND: usize = 256;

/// How a subscriber wants to be told of changes. Whose changes it wants is said to the stream:
/// [`Changes::skip_own`](crate::Changes::skip_own), [`Changes::skip_process`](crate::Changes::skip_process).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "options do nothing by themselves"]
pub struct ChangesOptions {
    pub(super) bound: usize,
}

impl ChangesOptions {
    /// As most subscribers want it.
    pub const fn new() -> Self {
        Self { bound: BOUND }
    }

    /// Sets how many changes may wait for the subscriber. Past it they become one, the net change. 256 unless set;
    /// with 0 whatever waits is always one change.
    pub const fn bound(mut self, changes: usize) -> Self {
        self.bound = changes;
        self
    }
}

impl Default for ChangesOptions {
    fn default() -> Self {
        Self::new()
    }
}

//! Counts the diffs of a test, which all run on its thread.

use std::cell::Cell;

thread_local! {
    static DIFFS: Cell<usize> = const { Cell::new(0) };
}

/// How many diffs this thread has made.
pub(crate) fn diffs() -> usize {
    DIFFS.get()
}

/// One more was made.
pub(super) fn note() {
    DIFFS.set(DIFFS.get() + 1);
}

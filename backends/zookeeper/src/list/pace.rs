//! How much is asked for at once.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many reads one request makes at most. At a hundred the cost of a request is spread so thin that more of them
/// gain nothing; and even of the largest znodes that servers take by default, 1 MiB, so many are not much more than
/// what an answer may have, should they come after many small ones.
const READS_MAX: usize = 128;

/// How many bytes of answer are asked for at once: little for both sides to hold, and many times what a request
/// costs beside its reads.
const ANSWER_BYTES: usize = 256 * 1024;

/// What a value is thought to have before the first was seen.
const FIRST_VALUE_BYTES: usize = 16 * 1024;

/// What the answer to a read has beside the value, or the name.
const ITEM_BYTES: usize = 96;

/// What a name is thought to have in the answer.
const NAME_BYTES: usize = 32;

/// Learns from what was read how large the next answers will be.
#[derive(Debug)]
pub(super) struct Pace {
    values: usize,
    bytes: usize,
}

/// What the answer to one request may still have.
#[derive(Debug)]
pub(super) struct Budget {
    reads: usize,
    bytes: usize,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { values: 1, bytes: FIRST_VALUE_BYTES }
    }

    /// Takes note of a value that was read.
    pub(super) const fn saw(&mut self, bytes: usize) {
        self.values += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// What the answer to the read of a znode is thought to have.
    pub(super) const fn value_cost(&self) -> usize {
        self.bytes / self.values + ITEM_BYTES
    }
}

impl Budget {
    /// A fresh one, of so many reads.
    pub(super) const fn of(reads: usize) -> Self {
        Self { reads, bytes: ANSWER_BYTES }
    }

    /// Whether a read of this cost still fits. The first one always does.
    pub(super) const fn spend(&mut self, cost: usize, is_first: bool) -> bool {
        if !is_first && (self.reads == 0 || self.bytes < cost) {
            return false;
        }
        self.reads = self.reads.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(cost);
        true
    }
}

/// What the answer to the listing of so many names is thought to have.
pub(super) const fn names_cost(children: usize) -> usize {
    ITEM_BYTES.saturating_add(children.saturating_mul(NAME_BYTES))
}

/// How many reads one request of a store makes at most, as far as its server and its network have let it.
///
/// An answer past the limit of a frame costs the connection, and whoever follows the store then loads everything
/// anew, and would lose it again. So what was lost twice lowers this, and a listing that lost nothing raises it.
#[derive(Debug)]
pub(crate) struct ReadsMax(AtomicUsize);

impl Default for ReadsMax {
    fn default() -> Self {
        Self(AtomicUsize::new(READS_MAX))
    }
}

impl ReadsMax {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// The connection was lost while so many reads were under way in one request. Returns how many to try next.
    pub(super) fn lower(&self, reads: usize) -> usize {
        let fewer = (reads / 2).max(1);
        self.0.fetch_min(fewer, Ordering::Relaxed);
        fewer
    }

    /// A listing is complete that began with this limit.
    pub(super) fn raise_unless_lowered(&self, before: usize) {
        let raised = before.saturating_mul(2).min(READS_MAX);
        // Somebody else may have lowered or raised it meanwhile; theirs stands.
        let _ = self.0.compare_exchange(before, raised, Ordering::Relaxed, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(pace: &Pace) -> usize {
        let mut budget = Budget::of(READS_MAX);
        (0..).take_while(|n| budget.spend(pace.value_cost(), *n == 0)).count()
    }

    #[test]
    fn small_values_are_read_by_the_hundred_and_large_ones_one_by_one() {
        let mut pace = Pace::new();
        assert_eq!(reads(&pace), 15);
        (0..15).for_each(|_| pace.saw(100));
        assert_eq!(reads(&pace), READS_MAX);
        (0..300).for_each(|_| pace.saw(1 << 20));
        assert_eq!(reads(&pace), 1);
    }

    #[test]
    fn what_was_lost_lowers_the_limit_and_complete_listings_raise_it() {
        let max = ReadsMax::default();
        assert_eq!(max.lower(READS_MAX), READS_MAX / 2);
        max.raise_unless_lowered(READS_MAX);
        assert_eq!(max.get(), READS_MAX / 2);
        max.raise_unless_lowered(READS_MAX / 2);
        max.raise_unless_lowered(READS_MAX);
        assert_eq!((max.get(), max.lower(1), max.get()), (READS_MAX, 1, 1));
    }

    #[test]
    fn a_directory_too_large_for_any_budget_is_still_listed() {
        assert!(Budget::of(1).spend(names_cost(usize::MAX), true));
        assert!(!Budget::of(READS_MAX).spend(names_cost(1_000_000), false));
    }
}

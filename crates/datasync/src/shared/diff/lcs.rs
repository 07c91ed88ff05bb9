//! The longest common subsequence of two sequences (Myers, 1986), within a limit on work.

/// How many steps a comparison may take. It stands for about 1,000 elements that moved, some ten
/// milliseconds and 16 MiB; past it a list is told as a whole, so that no document can stall a replica.
const STEPS_MAX: usize = 2_000_000;

/// How many steps the comparisons of all lists of two documents may take together. A megabyte has room for hundreds of
/// lists that each take as many as one may.
const STEPS_IN_ALL_MAX: usize = 10 * STEPS_MAX;

/// How many steps for each element a comparison may take even when those are used up: what is left for lists in which
/// little moved, and a fixed multiple of the documents.
const STEPS_PER_ELEMENT: usize = 16;

/// The steps that were taken.
#[derive(Debug, Default)]
pub(super) struct Steps(usize);

impl Steps {
    /// How many a comparison of so many elements may take.
    fn allowed(&self, elements: usize) -> usize {
        let left = STEPS_IN_ALL_MAX.saturating_sub(self.0);
        left.max(elements.saturating_mul(STEPS_PER_ELEMENT)).min(STEPS_MAX)
    }
}

/// How far into `old` each diagonal reaches after `d` edits. Slot `i` is the diagonal `old - new = 2 i - d`.
type Row = Vec<usize>;

/// Finds the pairs of places at which `old` and `new` agree in a longest common subsequence, ascending.
///
/// `None` if that takes more steps than are allowed, [`STEPS_MAX`] at most.
pub(super) fn matches<T: Eq>(old: &[T], new: &[T], taken: &mut Steps) -> Option<Vec<(usize, usize)>> {
    let rows = reach(old, new, taken)?;
    let mut pairs = Vec::new();
    let (mut edits, mut end) = (rows.len() - 1, old.len());
    let mut slot = (old.len() + edits - new.len()) / 2;
    loop {
        let start = if edits == 0 { 0 } else { enter(&rows[edits - 1], slot).0 };
        pairs.extend((start..end).rev().map(|at| (at, at + edits - 2 * slot)));
        if edits == 0 {
            break;
        }
        slot = enter(&rows[edits - 1], slot).1;
        edits -= 1;
        end = rows[edits][slot];
    }
    pairs.reverse();
    Some(pairs)
}

/// Goes forward with one edit more at a time until both ends are reached; returns one row for each number
/// of edits.
fn reach<T: Eq>(old: &[T], new: &[T], taken: &mut Steps) -> Option<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    let end_of_steps = taken.0 + taken.allowed(old.len() + new.len());
    loop {
        let edits = rows.len();
        let mut row = Row::with_capacity(edits + 1);
        for slot in 0..=edits {
            let start = rows.last().map_or(0, |before| enter(before, slot).0);
            // Diagonals that have left the grid run on outside it and match nothing there.
            let (old_rest, new_rest) = (old.get(start..), new.get(start + edits - 2 * slot..));
            let common = old_rest.unwrap_or_default().iter().zip(new_rest.unwrap_or_default());
            let end = start + common.take_while(|(left, right)| left == right).count();
            row.push(end);
            if end == old.len() && end + edits - 2 * slot == new.len() {
                rows.push(row);
                return Some(rows);
            }
            taken.0 += 1 + end - start;
            if taken.0 > end_of_steps {
                return None;
            }
        }
        rows.push(row);
    }
}

/// Where the diagonal in `slot` begins, given the row with one edit less, and from which of its slots it came.
fn enter(before: &[usize], slot: usize) -> (usize, usize) {
    let insertion = before.get(slot).map(|&reached| (reached, slot));
    let deletion = slot.checked_sub(1).map(|from| (before[from] + 1, from));
    insertion.max(deletion).expect("every slot has a neighbour in the row before")
}

#[cfg(test)]
mod tests {
    use super::super::intern::ValueId;
    use super::*;

    /// The length of a longest common subsequence, by the textbook's table.
    fn length(old: &[ValueId], new: &[ValueId]) -> usize {
        let mut row = vec![0; new.len() + 1];
        for left in old {
            let mut diagonal = 0;
            for (at, right) in new.iter().enumerate() {
                let above = row[at + 1];
                row[at + 1] = if left == right { diagonal + 1 } else { above.max(row[at]) };
                diagonal = above;
            }
        }
        row[new.len()]
    }

    fn check(old: &[ValueId], new: &[ValueId]) {
        let pairs = matches(old, new, &mut Steps::default()).unwrap();
        assert!(pairs.iter().all(|&(left, right)| old[left] == new[right]), "{old:?} {new:?} {pairs:?}");
        assert!(pairs.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1), "{pairs:?}");
        assert_eq!(pairs.len(), length(old, new), "{old:?} {new:?} {pairs:?}");
    }

    #[test]
    fn empty_and_equal_sequences_match() {
        check(&[], &[]);
        check(&[], &[1]);
        check(&[1], &[]);
        check(&[1, 2, 3], &[1, 2, 3]);
    }

    #[test]
    fn every_short_pair_of_sequences_has_a_longest_match() {
        let sequence = |number: usize, length: u32| {
            (0..length).map(|at| number / 3_usize.pow(at) % 3).collect::<Vec<_>>()
        };
        for (old, new) in (0..243).flat_map(|old| (0..243).map(move |new| (old, new))) {
            check(&sequence(old, 5), &sequence(new, 5));
            check(&sequence(old, 5), &sequence(new, 2));
            check(&sequence(old, 1), &sequence(new, 5));
        }
    }

    #[test]
    fn a_moved_element_costs_two_edits() {
        let old: Vec<_> = (0..1_000).collect();
        let mut new = old.clone();
        new.rotate_left(1);
        assert_eq!(matches(&old, &new, &mut Steps::default()).unwrap().len(), 999);
    }

    #[test]
    fn a_reversed_list_is_past_the_limit() {
        let old: Vec<_> = (0..10_000).collect();
        let new: Vec<_> = old.iter().rev().copied().collect();
        assert_eq!(matches(&old, &new, &mut Steps::default()), None);
    }
}

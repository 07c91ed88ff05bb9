//! Lines up the elements of two arrays.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value;

use super::intern::{Interner, ValueId};
use super::lcs;

/// A place where two arrays differ: what is in `old` there became what is in `new`. Between gaps, and before
/// the first and after the last, the elements are equal one to one. Not both ranges are empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Gap {
    /// The indices in the previous array.
    pub(super) old: Range<usize>,
    /// The indices in the current array.
    pub(super) new: Range<usize>,
}

/// Finds the gaps between two arrays by longest common subsequence, ascending; none if the arrays are equal.
///
/// `None` if that is past the limit on work. The elements inside of gaps have been numbered by `interner`.
pub(super) fn gaps<'a>(interner: &mut Interner<'a>, old: &'a [Value], new: &'a [Value]) -> Option<Vec<Gap>> {
    let same = |(left, right): &(&Value, &Value)| interner.same(left, right);
    let head = old.iter().zip(new).take_while(same).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(same).count();
    let middle = Gap { old: head..old.len() - tail, new: head..new.len() - tail };
    if middle.old.is_empty() && middle.new.is_empty() {
        return Some(Vec::new());
    }
    if middle.old.is_empty() || middle.new.is_empty() {
        return Some(vec![middle]);
    }

    let old_ids: Vec<_> = old[middle.old.clone()].iter().map(|value| interner.id(value)).collect();
    let new_ids: Vec<_> = new[middle.new.clone()].iter().map(|value| interner.id(value)).collect();
    let (old_at, old_shared) = shared(&old_ids, &new_ids);
    let (new_at, new_shared) = shared(&new_ids, &old_ids);
    let matches = lcs::matches(&old_shared, &new_shared)?;
    let matches = matches.into_iter().map(|(left, right)| (head + old_at[left], head + new_at[right]));
    Some(between(matches, &middle))
}

/// Keeps the ids that the other side has too, with their places: only they can match. So a list in which
/// every element changed costs no search.
fn shared(ids: &[ValueId], others: &[ValueId]) -> (Vec<usize>, Vec<ValueId>) {
    let others: HashSet<_> = others.iter().collect();
    ids.iter().enumerate().filter(|(_, id)| others.contains(id)).unzip()
}

/// Turns the matches inside of `middle` into the gaps between them.
fn between(matches: impl Iterator<Item = (usize, usize)>, middle: &Gap) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let (mut old_next, mut new_next) = (middle.old.start, middle.new.start);
    for (old, new) in matches.chain([(middle.old.end, middle.new.end)]) {
        if old_next < old || new_next < new {
            gaps.push(Gap { old: old_next..old, new: new_next..new });
        }
        (old_next, new_next) = (old + 1, new + 1);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(old: &Value, new: &Value) -> Option<Vec<(Range<usize>, Range<usize>)>> {
        let gaps = gaps(&mut Interner::default(), old.as_array().unwrap(), new.as_array().unwrap())?;
        Some(gaps.into_iter().map(|gap| (gap.old, gap.new)).collect())
    }

    #[test]
    fn equal_arrays_have_no_gap() {
        assert_eq!(found(&json!([]), &json!([])), Some(vec![]));
        assert_eq!(found(&json!([1, [2]]), &json!([1, [2]])), Some(vec![]));
    }

    #[test]
    fn one_edit_is_one_gap() {
        assert_eq!(found(&json!([1, 2]), &json!([0, 1, 2])), Some(vec![(0..0, 0..1)]));
        assert_eq!(found(&json!([1, 2, 3]), &json!([1, 3])), Some(vec![(1..2, 1..1)]));
        assert_eq!(found(&json!([1, 2, 3]), &json!([1, 9, 3])), Some(vec![(1..2, 1..2)]));
        assert_eq!(found(&json!([1, 1]), &json!([1, 1, 1])), Some(vec![(2..2, 2..3)]));
    }

    #[test]
    fn gaps_lie_between_matches() {
        let gaps = found(&json!([0, "a", 1, 2, "b"]), &json!([9, "x", "y", 1, 2]));
        assert_eq!(gaps, Some(vec![(0..2, 0..3), (4..5, 5..5)]));
    }

    #[test]
    fn a_list_in_which_everything_changed_is_one_gap_however_long() {
        let (old, new): (Vec<_>, Vec<_>) = (0..100_000).map(|at| (json!(at), json!([at]))).unzip();
        assert_eq!(found(&json!(old), &json!(new)), Some(vec![(0..100_000, 0..100_000)]));
    }

    #[test]
    fn a_long_reversed_list_is_past_the_limit() {
        let old: Vec<_> = (0..10_000).collect();
        let new: Vec<_> = old.iter().rev().collect();
        assert_eq!(found(&json!(old), &json!(new)), None);
    }
}

//! Lines up the elements of two arrays.

use std::hash::Hash;
use std::ops::Range;

use serde_json::Value;

use super::digest::Digest;
use super::intern::{IdSet, Interner};
use super::lcs::{self, Steps};
use super::node::{Elements, Node};
use super::seal::Seal;

/// In how many arrays around each other elements are compared and hashed as they are, level by level. Further in,
/// all that is below is numbered first, so that no depth makes the work more than a fixed multiple of the documents.
/// That is not needed where the documents were digested.
const UNNUMBERED_MAX: usize = 8;

/// A place where two arrays differ: what is in `old` there became what is in `new`. Between gaps, and before
/// the first and after the last, the elements are equal one to one. Not both ranges are empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Gap {
    /// The indices in the previous array.
    pub(super) old: Range<usize>,
    /// The indices in the current array.
    pub(super) new: Range<usize>,
}

/// Lines up the arrays of two documents, from the outermost on.
#[derive(Debug, Default)]
pub(super) struct Aligner<'a> {
    interner: Interner<'a>,
    digest: Digest,
    steps: Steps,
    /// How many arrays there are around the place.
    level: usize,
    /// Whether all arrays and objects have seals.
    is_digested: bool,
}

impl<'a> Aligner<'a> {
    /// Lines up documents of which all arrays and objects have seals, or those of which it must not be expected.
    pub(super) fn new(is_digested: bool) -> Self {
        Self { is_digested, ..Self::default() }
    }

    /// Whether it costs little to ask whether two values are equal, however large they are.
    pub(super) const fn is_digested(&self) -> bool {
        self.is_digested
    }

    /// What follows is inside of an array.
    pub(super) const fn enter(&mut self) {
        self.level += 1;
    }

    /// And what follows is not any more.
    pub(super) const fn leave(&mut self) {
        self.level -= 1;
    }

    /// Whether two values are equal.
    #[inline]
    pub(super) fn same(&self, left: Node<'_>, right: Node<'_>) -> bool {
        if self.is_digested { left.is_same(right) } else { self.interner.same(left.value, right.value) }
    }

    /// A hash of the value, by its seal if it has one.
    #[inline]
    fn hash(&self, node: Node<'_>) -> u64 {
        node.seal().map_or_else(|| self.digest.of(node.value), Seal::short)
    }

    /// Finds the gaps between two arrays by longest common subsequence, ascending; none if the arrays are equal.
    ///
    /// `None` if that is past the limit on work.
    pub(super) fn gaps(&mut self, old: &Elements<'a>, new: &Elements<'a>) -> Option<Vec<Gap>> {
        let same = |(left, right): &(Node<'_>, Node<'_>)| self.same(*left, *right);
        let head = old.from(0).zip(new.from(0)).take_while(same).count();
        let tail = old.from(head).rev().zip(new.from(head).rev()).take_while(same).count();
        let middle = Gap { old: head..old.len() - tail, new: head..new.len() - tail };
        if middle.old.is_empty() && middle.new.is_empty() {
            return Some(Vec::new());
        }
        if middle.old.is_empty() || middle.new.is_empty() {
            return Some(vec![middle]);
        }
        if self.level < UNNUMBERED_MAX
            && let Some(gaps) = self.in_place(old, new, &middle)
        {
            return Some(gaps);
        }
        if self.level < UNNUMBERED_MAX || self.is_digested {
            let hashes = |elements: &Elements<'a>, range: &Range<usize>| {
                range.clone().map(|at| self.hash(elements.at(at))).collect::<Vec<_>>()
            };
            let (before, after) = (hashes(old, &middle.old), hashes(new, &middle.new));
            let matches = matches(&before, &after, head, &mut self.steps)?;
            if matches.iter().all(|&(left, right)| self.same(old.at(left), new.at(right))) {
                return Some(between(matches, &middle));
            }
            // Two different values have one hash, by a chance of one in many millions.
        }
        let interner = &mut self.interner;
        let mut ids = |values: &'a [Value]| values.iter().map(|value| interner.id(value)).collect::<Vec<_>>();
        let (before, after) =
            (ids(&old.values()[middle.old.clone()]), ids(&new.values()[middle.new.clone()]));
        Some(between(matches(&before, &after, head, &mut self.steps)?, &middle))
    }

    /// Finds the gaps if elements changed where they are and none came, went or moved; `None` if that cannot be
    /// told cheaply.
    ///
    /// Elements that differ from the one with the same index are lined up with nothing then. That is the longest
    /// common subsequence if no value is among them on both sides: of each value no more can be matched than the
    /// side has that has fewer, and so many are matched.
    fn in_place(&self, old: &Elements<'a>, new: &Elements<'a>, middle: &Gap) -> Option<Vec<Gap>> {
        if middle.old != middle.new {
            return None;
        }
        let differ = |&at: &usize| !self.same(old.at(at), new.at(at));
        let places: Vec<_> = middle.old.clone().filter(differ).collect();
        if places.len() > 1 {
            let before: IdSet<_> = places.iter().map(|&at| self.hash(old.at(at))).collect();
            if places.iter().any(|&at| before.contains(&self.hash(new.at(at)))) {
                return None;
            }
        }
        let runs = places.chunk_by(|left, right| left + 1 == *right);
        let range = |run: &[usize]| run[0]..run[0] + run.len();
        Some(runs.map(|run| Gap { old: range(run), new: range(run) }).collect())
    }

    /// Counts the members that two objects have in common. Looking from the smaller one keeps the sum over all
    /// pairs within a small multiple of the documents, once their values are numbered.
    pub(super) fn shared_members(&self, before: &Value, after: &Value) -> usize {
        let (Value::Object(before), Value::Object(after)) = (before, after) else {
            return 0;
        };
        let (small, large) = if before.len() < after.len() { (before, after) } else { (after, before) };
        let shared = |(name, value): &(&String, &Value)| {
            large.get(*name).is_some_and(|other| self.interner.same(value, other))
        };
        small.iter().filter(shared).count()
    }

    /// Numbers values, so that comparing them costs nothing however often that is done.
    pub(super) fn number(&mut self, values: &'a [Value]) {
        for value in values {
            self.interner.id(value);
        }
    }
}

/// Finds the places that a longest common subsequence matches, counted from `head` on.
///
/// `None` if that is past the limit on work.
fn matches<T: Copy + Eq + Hash>(
    before: &[T],
    after: &[T],
    head: usize,
    steps: &mut Steps,
) -> Option<Vec<(usize, usize)>> {
    let (old_at, old_shared) = shared(before, after);
    let (new_at, new_shared) = shared(after, before);
    let matches = lcs::matches(&old_shared, &new_shared, steps)?;
    Some(matches.into_iter().map(|(left, right)| (head + old_at[left], head + new_at[right])).collect())
}

/// Keeps the ids that the other side has too, with their places: only they can match. So a list in which
/// every element changed costs no search.
fn shared<T: Copy + Eq + Hash>(ids: &[T], others: &[T]) -> (Vec<usize>, Vec<T>) {
    let others: IdSet<_> = others.iter().collect();
    ids.iter().enumerate().filter(|(_, id)| others.contains(id)).unzip()
}

/// Turns the matches inside of `middle` into the gaps between them.
fn between(matches: Vec<(usize, usize)>, middle: &Gap) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let (mut old_next, mut new_next) = (middle.old.start, middle.new.start);
    for (old, new) in matches.into_iter().chain([(middle.old.end, middle.new.end)]) {
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
        let mut aligner = Aligner::default();
        let [old, new] = [old, new].map(|value| Elements::bare(value.as_array().unwrap()));
        let gaps = aligner.gaps(&old, &new)?;
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

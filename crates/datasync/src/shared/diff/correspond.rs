//! Which element of a stored array belongs to which element of what was read from it.

use serde_json::Value;

use super::align::Aligner;

/// How many elements whose index does not tell are searched for their stored form, each among all others.
const STRAYS_MAX: usize = 64;

/// How many pairs of elements are weighed against each other in one gap.
const CANDIDATES_MAX: usize = 4_096;

/// Finds the stored element behind each element of `before`, an array that was read from `stored`.
///
/// Usually that is the element with the same index. A type that sorts, shuffles or filters its elements
/// (a set does) moves them: then it is the first free element that agrees. No element is given twice.
pub(super) fn origins(stored: &[Value], before: &[Value]) -> Vec<Option<usize>> {
    let agree = |at: usize, value: &Value| stored.get(at).is_some_and(|stored| covers(stored, value));
    let mut origins: Vec<_> =
        before.iter().enumerate().map(|(at, value)| agree(at, value).then_some(at)).collect();
    let mut free: Vec<_> =
        (0..stored.len()).filter(|&at| origins.get(at).is_none_or(Option::is_none)).collect();
    let strays = origins.iter_mut().zip(before).filter(|(origin, _)| origin.is_none());
    for (origin, value) in strays.take(STRAYS_MAX) {
        if let Some(slot) = free.iter().take(STRAYS_MAX).position(|&at| agree(at, value)) {
            *origin = Some(free.remove(slot));
        }
    }
    origins
}

/// Returns whether `before` can be what was read from `stored`: it may hold defaults that `stored` leaves out,
/// and not know fields that `stored` has.
fn covers(stored: &Value, before: &Value) -> bool {
    match (stored, before) {
        (Value::Object(stored), Value::Object(before)) => {
            before.iter().all(|(name, value)| stored.get(name).is_none_or(|stored| covers(stored, value)))
        }
        (Value::Array(stored), Value::Array(before)) => {
            stored.len() == before.len()
                && stored.iter().zip(before).all(|(stored, before)| covers(stored, before))
        }
        (Value::Number(left), Value::Number(right)) if left.is_f64() != right.is_f64() => {
            // A field that is a float reads `1` and writes `1.0`.
            left.as_f64() == right.as_f64()
        }
        _ => stored == before,
    }
}

/// Finds which element of `before` lives on in each element of `after`, in order. The two are what was and
/// what is in one gap of an array.
///
/// Objects that share the most fields belong together. Between them, as many elements as before are the same
/// ones, changed in place; where the counts differ they are new, for a new element must not inherit the
/// unknown fields of a stranger.
pub(super) fn successors<'a>(
    aligner: &mut Aligner<'a>,
    before: &'a [Value],
    after: &'a [Value],
) -> Vec<Option<usize>> {
    let mut successors = vec![None; after.len()];
    let (mut row, mut column) = (0, 0);
    let end = (before.len(), after.len());
    for (row_next, column_next) in alike(aligner, before, after).into_iter().chain([end]) {
        if row_next - row == column_next - column {
            (column..column_next).zip(row..).for_each(|(column, row)| successors[column] = Some(row));
        }
        if let Some(successor) = successors.get_mut(column_next) {
            *successor = Some(row_next);
        }
        (row, column) = (row_next + 1, column_next + 1);
    }
    successors
}

/// Finds the pairs of objects that share the most fields in all, ascending; none if there are too many
/// to weigh.
fn alike<'a>(aligner: &mut Aligner<'a>, before: &'a [Value], after: &'a [Value]) -> Vec<(usize, usize)> {
    let (rows, columns) = (before.len(), after.len());
    // One pair belongs together anyway.
    if rows.saturating_mul(columns) > CANDIDATES_MAX || (rows, columns) == (1, 1) {
        return Vec::new();
    }
    aligner.number(before);
    aligner.number(after);
    // best[row][column] is the most that the elements from there on can share.
    let mut best = vec![vec![0; columns + 1]; rows + 1];
    for (row, column) in (0..rows).rev().flat_map(|row| (0..columns).rev().map(move |column| (row, column))) {
        let together = best[row + 1][column + 1] + aligner.shared_members(&before[row], &after[column]);
        best[row][column] = together.max(best[row + 1][column]).max(best[row][column + 1]);
    }
    let mut pairs = Vec::new();
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if best[row][column] == best[row + 1][column] {
            row += 1;
        } else if best[row][column] == best[row][column + 1] {
            column += 1;
        } else {
            pairs.push((row, column));
            (row, column) = (row + 1, column + 1);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(stored: &Value, before: &Value) -> Vec<Option<usize>> {
        origins(stored.as_array().unwrap(), before.as_array().unwrap())
    }

    fn successors_of(before: &Value, after: &Value) -> Vec<Option<usize>> {
        successors(&mut Aligner::default(), before.as_array().unwrap(), after.as_array().unwrap())
    }

    #[test]
    fn elements_that_agree_are_found_by_index() {
        let stored = json!([{"a": 1, "x": 1}, {"a": 1, "x": 2}, {"x": 3}, 5]);
        let before = json!([{"a": 1}, {"a": 1}, {"a": 0}, 5.0]);
        assert_eq!(found(&stored, &before), [Some(0), Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn elements_that_moved_are_found_by_content() {
        assert_eq!(found(&json!(["b", "a", "c"]), &json!(["a", "b", "c"])), [Some(1), Some(0), Some(2)]);
        assert_eq!(found(&json!([{"a": 2, "x": 1}, "bad", 3]), &json!([3, {"a": 2}])), [Some(2), Some(0)]);
    }

    #[test]
    fn elements_that_agree_with_nothing_have_no_origin() {
        assert_eq!(found(&json!(["60s", [1]]), &json!(["1m", [1, 2], 3])), [None, None, None]);
    }

    #[test]
    fn the_element_that_shares_fields_is_the_successor() {
        let before = json!([{"name": "a", "n": 1}, {"name": "b", "n": 2}]);
        assert_eq!(successors_of(&before, &json!([{"name": "b", "n": 3}])), [Some(1)]);
        let after = json!([{"name": "b", "n": 3}, {"name": "c", "n": 4}]);
        assert_eq!(successors_of(&before, &after), [Some(1), None]);
    }

    #[test]
    fn elements_that_share_nothing_are_the_same_ones_only_if_as_many() {
        assert_eq!(successors_of(&json!([{"n": 1}, 2]), &json!([{"n": 3}, 4])), [Some(0), Some(1)]);
        assert_eq!(successors_of(&json!([{"n": 1}]), &json!([{"n": 3}, {"n": 4}])), [None, None]);
    }

    #[test]
    fn a_gap_with_too_many_candidates_is_paired_only_if_the_counts_agree() {
        let (many, more): (Vec<_>, Vec<_>) = (0..100).map(|n| (json!({"n": n}), json!({"m": n}))).unzip();
        assert_eq!(successors_of(&json!(many), &json!(more))[99], Some(99));
        assert_eq!(successors_of(&json!(many), &json!(more[1..]))[0], None);
    }
}

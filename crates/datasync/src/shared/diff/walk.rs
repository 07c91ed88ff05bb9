//! The walk through two documents that finds their differences.

use serde_json::Value;

use super::align::{Aligner, Gap};
use super::change::Change;
use super::node::{Elements, Members, Node};
use super::trail::{Side, Trail};

/// Paths that are longer than this are told as a whole, without their fields. It keeps the text of all paths
/// together within a fixed multiple of the documents, however the names in them were chosen.
const PATH_BYTES_MAX: usize = 1_024;

/// Down to which depth the members of objects are asked whether they are equal before their own members are compared.
/// Below, that would be asked of the same values too often, unless they have digests.
const ASKED_MAX: usize = 8;

/// Finds the field-level changes that lead from `previous` to `current`.
///
/// The answer is empty exactly if the documents are equal; numbers are equal if serde_json says so, thus `1`
/// and `1.0` are not. `Added` and `Modified` point into `current`, `Removed` into `previous`. What was removed
/// and added at one place is one `Modified`; where both are objects or both are arrays, their inner
/// differences are told instead.
///
/// Arrays are compared by longest common subsequence, so an insertion at the head is one change. Where
/// elements were removed and others added between the same neighbours, the first of each are paired. An array
/// that would take more than a few million steps to compare is one `Modified` with both values, sooner where many
/// arrays take many, and so is a value at a path of more than 1,024 bytes.
///
/// The order is that of a walk: the members of an object in the order of `previous`, then the new ones in the
/// order of `current`; array elements from the head on. [`to_patch`](crate::to_patch) relies on it.
///
/// Time and memory are linear in the size of the documents but for the bounded comparison of arrays. The walk
/// recurses; documents come from [`parse`](crate::parse), which bounds their depth. Where documents are compared more
/// than once, [`ParsedDocument`](crate::ParsedDocument) does it in the time of their difference.
///
/// # Examples
///
/// ```
/// use quorate_datasync::{Change, diff};
/// use serde_json::json;
///
/// let previous = json!({"note": "x", "processes": ["sh", "vim"]});
/// let current = json!({"processes": ["sh", "firefox*", "vim"]});
/// assert_eq!(
///     diff(&previous, &current),
///     [
///         Change::Removed { path: "/note".into(), value: json!("x") },
///         Change::Added { path: "/processes/1".into(), value: json!("firefox*") },
///     ]
/// );
/// ```
#[must_use]
pub fn diff(previous: &Value, current: &Value) -> Vec<Change> {
    between(Node::bare(previous), Node::bare(current))
}

/// As [`diff`], with what is known of the parts of both documents, or of neither.
pub(super) fn between<'a>(previous: Node<'a>, current: Node<'a>) -> Vec<Change> {
    #[cfg(test)]
    super::count::note();
    let is_digested = previous.seal().is_some() && current.seal().is_some();
    if is_digested && previous.is_same(current) {
        return Vec::new();
    }
    let mut walk = Walk { aligner: Aligner::new(is_digested), changes: Vec::new() };
    walk.value(&Trail::ROOT, previous, current);
    walk.changes
}

/// What a walk found so far.
#[derive(Debug)]
struct Walk<'a> {
    aligner: Aligner<'a>,
    changes: Vec<Change>,
}

impl<'a> Walk<'a> {
    /// Compares two values. No equality is tested before going down: it is the outcome.
    fn value(&mut self, here: &Trail<'_>, old: Node<'a>, new: Node<'a>) {
        match (old.value, new.value) {
            (Value::Object(previous), Value::Object(current)) if here.bytes() <= PATH_BYTES_MAX => {
                self.object(here, &Members::of(old, previous), &mut Members::of(new, current));
            }
            (Value::Array(previous), Value::Array(current)) if here.bytes() <= PATH_BYTES_MAX => {
                let (previous, current) = (Elements::of(old, previous), Elements::of(new, current));
                match self.aligner.gaps(&previous, &current) {
                    Some(gaps) => self.array(here, &previous, &current, gaps),
                    None => self.modified(here, old.value, new.value),
                }
            }
            _ if self.aligner.same(old, new) => {}
            _ => self.modified(here, old.value, new.value),
        }
    }

    /// Compares two objects side by side, which mostly have the same members in the same order; a name is looked
    /// up only where they do not.
    fn object(&mut self, here: &Trail<'_>, previous: &Members<'a>, current: &mut Members<'a>) {
        let (mut old_rest, mut new_rest) = (previous.iter(), current.iter());
        let (mut old_next, mut new_next) = (old_rest.next(), new_rest.next());
        let mut added = Vec::new();
        while let Some((name, old)) = old_next {
            match new_next {
                Some((same, new)) if same == name => {
                    self.member(here, name, old, new);
                    (old_next, new_next) = (old_rest.next(), new_rest.next());
                }
                Some((other, new)) if !previous.contains(other) => {
                    added.push((other, new));
                    new_next = new_rest.next();
                }
                // The maps have orders of their own, or `name` is gone.
                _ => {
                    match current.find(name) {
                        Some(new) => self.member(here, name, old, new),
                        None => self.removed(&here.member(name), old.value),
                    }
                    old_next = old_rest.next();
                }
            }
        }
        let rest = new_next.into_iter().chain(new_rest);
        added.extend(rest.filter(|(name, _)| !previous.contains(name)));
        added.into_iter().for_each(|(name, new)| self.added(&here.member(name), new.value));
    }

    /// Compares two members of one name. Most are equal, and near the root that is found out fastest by asking.
    fn member(&mut self, here: &Trail<'_>, name: &str, old: Node<'a>, new: Node<'a>) {
        let is_asked = here.depth() < ASKED_MAX || self.aligner.is_digested();
        if !is_asked || !self.aligner.same(old, new) {
            self.value(&here.member(name), old, new);
        }
    }

    fn array(&mut self, here: &Trail<'_>, previous: &Elements<'a>, current: &Elements<'a>, gaps: Vec<Gap>) {
        self.aligner.enter();
        for gap in gaps {
            let paired = gap.old.len().min(gap.new.len());
            for (old, new) in gap.old.clone().zip(gap.new.clone()) {
                self.value(&here.element(old, new), previous.at(old), current.at(new));
            }
            let (gone, come) = (gap.old.skip(paired), gap.new.skip(paired));
            gone.for_each(|old| self.removed(&here.only(old), &previous.values()[old]));
            come.for_each(|new| self.added(&here.only(new), &current.values()[new]));
        }
        self.aligner.leave();
    }

    fn added(&mut self, here: &Trail<'_>, new: &Value) {
        self.changes.push(Change::Added { path: here.pointer(Side::Current), value: new.clone() });
    }

    fn modified(&mut self, here: &Trail<'_>, old: &Value, new: &Value) {
        let path = here.pointer(Side::Current);
        self.changes.push(Change::Modified { path, old: old.clone(), new: new.clone() });
    }

    fn removed(&mut self, here: &Trail<'_>, old: &Value) {
        self.changes.push(Change::Removed { path: here.pointer(Side::Previous), value: old.clone() });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn added(path: &str, value: Value) -> Change {
        Change::Added { path: path.into(), value }
    }

    fn modified(path: &str, old: Value, new: Value) -> Change {
        Change::Modified { path: path.into(), old, new }
    }

    fn removed(path: &str, value: Value) -> Change {
        Change::Removed { path: path.into(), value }
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "the calls read as tables without borrows")]
    fn check(previous: Value, current: Value, expected: &[Change]) {
        assert_eq!(diff(&previous, &current), expected);
    }

    #[test]
    fn equal_documents_have_no_changes() {
        for value in [json!(null), json!(1), json!([]), json!({"a": [1, {"b": null}]})] {
            check(value.clone(), value, &[]);
        }
    }

    #[test]
    fn a_different_kind_of_value_is_modified() {
        check(json!({}), json!([]), &[modified("", json!({}), json!([]))]);
        check(json!({"a": {}}), json!({"a": []}), &[modified("/a", json!({}), json!([]))]);
        check(json!([1]), json!([[1]]), &[modified("/0", json!(1), json!([1]))]);
    }

    #[test]
    fn null_is_a_value() {
        check(json!({"a": null}), json!({}), &[removed("/a", json!(null))]);
        check(json!({}), json!({"a": null}), &[added("/a", json!(null))]);
        check(json!({"a": null}), json!({"a": 0}), &[modified("/a", json!(null), json!(0))]);
    }

    #[test]
    fn integers_and_floats_differ() {
        check(json!([1]), json!([1.0]), &[modified("/0", json!(1), json!(1.0))]);
    }

    #[test]
    fn members_are_told_in_the_order_of_the_documents_and_new_ones_last() {
        check(
            json!({"b": 1, "c": {"x": 1, "y": 2}, "d": 4}),
            json!({"a": 0, "b": 1, "c": {"x": 2}, "e": 5}),
            &[
                modified("/c/x", json!(1), json!(2)),
                removed("/c/y", json!(2)),
                removed("/d", json!(4)),
                added("/a", json!(0)),
                added("/e", json!(5)),
            ],
        );
    }

    #[test]
    fn names_are_escaped() {
        check(
            json!({"a/b": {"~": 1}}),
            json!({"a/b": {"~": 2}}),
            &[modified("/a~1b/~0", json!(1), json!(2))],
        );
        check(json!({"": 1}), json!({}), &[removed("/", json!(1))]);
    }

    #[test]
    fn insert_at_the_head_of_a_long_list_is_one_change() {
        let old: Vec<_> = (0..1_000).map(|id| json!({"id": id})).collect();
        let mut new = old.clone();
        new.insert(0, json!({"id": "new"}));
        check(json!(old), json!(new), &[added("/0", json!({"id": "new"}))]);
        check(json!(new), json!(old), &[removed("/0", json!({"id": "new"}))]);
    }

    #[test]
    fn a_removal_and_an_addition_at_one_place_are_one_modified() {
        check(json!(["a", "b", "c"]), json!(["a", "x", "c"]), &[modified("/1", json!("b"), json!("x"))]);
    }

    #[test]
    fn the_longer_side_of_a_gap_is_told_after_the_pairs() {
        check(
            json!([0, "a", "b", "c", 1]),
            json!([0, "x", 1]),
            &[modified("/1", json!("a"), json!("x")), removed("/2", json!("b")), removed("/3", json!("c"))],
        );
        check(
            json!([0, "a", 1]),
            json!([0, "x", "y", 1]),
            &[modified("/1", json!("a"), json!("x")), added("/2", json!("y"))],
        );
    }

    #[test]
    fn paired_containers_are_told_by_their_fields() {
        check(
            json!([{"id": 1, "on": true}, [1, 2]]),
            json!([{"id": 1, "on": false}, [1, 2, 3]]),
            &[modified("/0/on", json!(true), json!(false)), added("/1/2", json!(3))],
        );
    }

    #[test]
    fn fields_of_a_shifted_element_point_into_their_own_document() {
        check(
            json!([1, {"keep": 0, "gone": 1, "old": 2}]),
            json!([8, 9, 1, {"keep": 0, "old": 3, "new": 4}]),
            &[
                added("/0", json!(8)),
                added("/1", json!(9)),
                removed("/1/gone", json!(1)),
                modified("/3/old", json!(2), json!(3)),
                added("/3/new", json!(4)),
            ],
        );
    }

    #[test]
    fn a_list_past_the_work_limit_is_one_modified() {
        let old: Vec<_> = (0..5_000).collect();
        let new: Vec<_> = old.iter().rev().collect();
        check(json!({"a": old}), json!({"a": new}), &[modified("/a", json!(old), json!(new))]);
    }

    #[test]
    fn a_value_at_a_very_long_path_is_told_whole() {
        let name = "n".repeat(PATH_BYTES_MAX);
        let (old, new) = (json!({&name: {"a": 1, "b": 2}}), json!({&name: {"a": 1, "b": 3}}));
        let path = format!("/{name}");
        check(old.clone(), new, &[modified(&path, json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}))]);
        check(old.clone(), old, &[]);
    }

    #[test]
    fn an_object_with_its_members_in_another_order_is_the_same() {
        let (old, new): (Value, Value) = (
            serde_json::from_str(r#"[{"a": 1, "b": {"c": 2, "d": 3}}]"#).unwrap(),
            serde_json::from_str(r#"[{"b": {"d": 3, "c": 2}, "a": 1}]"#).unwrap(),
        );
        check(old, new, &[]);
    }
}

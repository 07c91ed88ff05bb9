//! Changes as a patch.

use serde_json::{Value, json};

use super::change::Change;

/// Writes the changes that [`diff`](crate::diff) returned as a JSON Patch (RFC 6902).
///
/// Applied to the previous document, the patch gives exactly the current one. The removals come first and
/// from the highest index down, so each finds its value where the previous document had it; then the additions
/// and replacements ascending, so each finds everything before it as the current document has it.
///
/// `changes` must be complete and in the order that `diff` gave them.
///
/// # Examples
///
/// ```
/// use quorate_datasync::{diff, to_patch};
/// use serde_json::json;
///
/// let changes = diff(&json!(["a", "b", "c"]), &json!(["b", "c", "d"]));
/// assert_eq!(
///     to_patch(&changes),
///     json!([{"op": "remove", "path": "/0"}, {"op": "add", "path": "/2", "value": "d"}])
/// );
/// ```
#[must_use]
pub fn to_patch(changes: &[Change]) -> Value {
    // The walk meets array indices ascending in both documents at once, so its order is all that is needed:
    // what is removed inside of an element that shifted has the element's previous index, and is taken out
    // before anything shifts.
    let removals = changes.iter().rev().filter_map(|change| match change {
        Change::Removed { path, .. } => Some(json!({"op": "remove", "path": path})),
        _ => None,
    });
    let others = changes.iter().filter_map(|change| match change {
        Change::Added { path, value } => Some(json!({"op": "add", "path": path, "value": value})),
        Change::Modified { path, new, .. } => Some(json!({"op": "replace", "path": path, "value": new})),
        Change::Removed { .. } | Change::Unchanged { .. } => None,
    });
    removals.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::super::walk::diff;
    use super::*;

    /// Applies the patch between two documents with the judge's implementation.
    #[track_caller]
    fn check(previous: &Value, current: &Value) {
        let patch: json_patch::Patch = serde_json::from_value(to_patch(&diff(previous, current))).unwrap();
        let mut document = previous.clone();
        json_patch::patch(&mut document, &patch).unwrap();
        assert_eq!(document, *current, "{patch}");
    }

    #[test]
    fn no_changes_are_an_empty_patch() {
        assert_eq!(to_patch(&[]), json!([]));
        assert_eq!(to_patch(&[Change::Unchanged { path: "/a".into() }]), json!([]));
    }

    #[test]
    fn removals_come_from_the_highest_index_down_then_the_rest_ascending() {
        let patch = to_patch(&diff(&json!({"l": [1, 2, 3, 4]}), &json!({"l": [0, 2, 4, 5, 6], "n": 1})));
        let steps: Vec<_> =
            patch.as_array().unwrap().iter().map(|op| format!("{} {}", op["op"], op["path"])).collect();
        let expected = [
            r#""remove" "/l/2""#,
            r#""replace" "/l/0""#,
            r#""add" "/l/3""#,
            r#""add" "/l/4""#,
            r#""add" "/n""#,
        ];
        assert_eq!(steps, expected);
    }

    #[test]
    fn the_root_is_replaced_whole() {
        check(&json!({"a": 1}), &json!([1]));
        check(&json!(1), &json!(null));
    }

    #[test]
    fn removals_inside_of_shifted_elements_apply() {
        check(
            &json!(["x", 1, {"k": 0, "gone": [1, 2], "l": [1, 2, 3]}, 2, 3]),
            &json!([1, "y", {"k": 0, "l": [0, 2]}, 2, "z", 3]),
        );
        check(&json!([[1, 2, 3], 7, [4, 5]]), &json!([7, [5, 6], [1]]));
    }

    #[test]
    fn awkward_names_apply() {
        check(
            &json!({"": {"/": 1, "~": 2, "-": [1], "0": 3}}),
            &json!({"": {"~1": 1, "~": 3, "-": [], "00": 3}}),
        );
    }
}

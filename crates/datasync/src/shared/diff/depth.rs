//! How deep a document is nested, and how deep it may be.

use serde_json::Value;

/// The deepest nesting of arrays and objects that a document may have.
///
/// `1` is nested 0 deep, `[]` and `[1]` are nested 1 deep. The limit keeps every recursive walk within a
/// small part of a thread's stack. serde_json's own readers stop one level short of it.
pub const DEPTH_MAX: usize = 128;

/// Returns how deep arrays and objects are nested in `value`: 0 for a scalar, 1 for `[]`.
///
/// It does not recurse, so it answers for every value that fits into memory. A value above [`DEPTH_MAX`]
/// would be refused by [`parse`](crate::parse) once it is written.
#[must_use]
pub fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut open = vec![(value, 0)];
    while let Some((value, above)) = open.pop() {
        let here = above + 1;
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, here))),
            Value::Object(members) => open.extend(members.values().map(|member| (member, here))),
            _ => continue,
        }
        deepest = deepest.max(here);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_have_no_depth() {
        assert_eq!(depth(&json!(1)), 0);
        assert_eq!(depth(&json!(null)), 0);
        assert_eq!(depth(&json!("[[")), 0);
    }

    #[test]
    fn empty_containers_count() {
        assert_eq!(depth(&json!([])), 1);
        assert_eq!(depth(&json!({"a": {}})), 2);
    }

    #[test]
    fn the_deepest_branch_decides() {
        assert_eq!(depth(&json!({"a": 1, "b": [[{"c": 2}], 3], "d": [4]})), 4);
    }
}

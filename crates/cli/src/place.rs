//! Setting one part of a document.

use quorate::Pointer;
use serde_json::Value;

/// Sets what `pointer` points at. A member that is missing is added to its object, and `-` or the index after the
/// last appends to an array. Gives `false`, and changes nothing, where the parent is not there.
pub(crate) fn set(document: &mut Value, pointer: &Pointer, value: Value) -> bool {
    let mut parent = pointer.clone();
    let Some(last) = parent.pop() else {
        *document = value;
        return true;
    };
    if let Some(here) = pointer.resolve_mut(document) {
        *here = value;
        return true;
    }
    match parent.resolve_mut(document) {
        Some(Value::Object(members)) => {
            members.insert(last, value);
            true
        }
        Some(Value::Array(items)) if last == "-" || last == items.len().to_string() => {
            items.push(value);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(pointer: &str) -> Option<Value> {
        let mut document = json!({"a": [1, 2], "b": {}, "s": "x", "-": 0});
        set(&mut document, &Pointer::parse(pointer).unwrap(), json!(9)).then_some(document)
    }

    #[test]
    fn what_is_there_is_replaced() {
        assert_eq!(with(""), Some(json!(9)));
        assert_eq!(with("/s"), Some(json!({"a": [1, 2], "b": {}, "s": 9, "-": 0})));
        assert_eq!(with("/a/1"), Some(json!({"a": [1, 9], "b": {}, "s": "x", "-": 0})));
        assert_eq!(with("/-"), Some(json!({"a": [1, 2], "b": {}, "s": "x", "-": 9})));
    }

    #[test]
    fn members_are_added_and_arrays_grow_at_their_end() {
        assert_eq!(with("/b/c"), Some(json!({"a": [1, 2], "b": {"c": 9}, "s": "x", "-": 0})));
        for end in ["/a/-", "/a/2"] {
            assert_eq!(with(end), Some(json!({"a": [1, 2, 9], "b": {}, "s": "x", "-": 0})), "{end}");
        }
    }

    #[test]
    fn nothing_is_put_where_no_parent_is() {
        for pointer in ["/x/y", "/a/3", "/a/x", "/a/01", "/s/0", "/b/c/d"] {
            assert_eq!(with(pointer), None, "{pointer}");
        }
    }
}

//! A JSON Patch applied to a document.

use json_patch::{PatchErrorKind, PatchOperation};
use quorate::{Key, Pointer};
use serde_json::{Number, Value};

use crate::exit::{Failure, Result};

/// The document after the patch. One that fails on its way leaves nothing behind.
pub(super) fn patched(dir: &Key, before: &Value, patch: &[PatchOperation]) -> Result<Value> {
    let mut after = before.clone();
    for (at, operation) in patch.iter().enumerate() {
        let words = |problem: &str| {
            format!("{dir}: operation {at} of the patch, on \"{}\": {problem}", operation.path())
        };
        if let PatchOperation::Test(test) = operation {
            let found = Pointer::parse(test.path.as_str())?;
            match found.resolve(&after) {
                Some(value) if is_same(value, &test.value) => {}
                Some(value) => return Err(Failure::conflict(words(&format!("the test found {value}")))),
                None => return Err(Failure::conflict(words("the test found nothing"))),
            }
            continue;
        }
        // The copy is thrown away if it fails, so nothing needs to be undone.
        json_patch::patch_unsafe(&mut after, std::slice::from_ref(operation))
            .map_err(|error| Failure::failed(words(&problem(&error.kind))))?;
    }
    Ok(after)
}

/// What was wrong with an operation, in words.
fn problem(kind: &PatchErrorKind) -> String {
    match kind {
        PatchErrorKind::InvalidPointer => "there is no such place in the document".to_owned(),
        PatchErrorKind::InvalidFromPointer => "there is nothing at the place that \"from\" names".to_owned(),
        other => other.to_string(),
    }
}

/// Whether two documents are equal as a `test` means it: numbers by their value, not by how they are written.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => is_same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn is_same_number(a: &Number, b: &Number) -> bool {
    let is_whole =
        |number: &Number| number.as_str().bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    // Two whole numbers that differ may well have one f64 in common.
    a == b || (!(is_whole(a) && is_whole(b)) && a.as_f64().is_some() && a.as_f64() == b.as_f64())
}

#[cfg(test)]
mod tests {
    use super::super::parse::operations;
    use super::*;
    use serde_json::json;

    fn code(patch: Value) -> u8 {
        let dir = Key::parse("/a").unwrap();
        let patch = operations(patch).unwrap();
        patched(&dir, &json!({"n": 1}), &patch).map_or_else(|failure| failure.exit().code(), |_| 0)
    }

    #[test]
    fn a_failed_test_is_a_conflict_and_a_bad_place_a_failure() {
        assert_eq!(code(json!([{"op": "test", "path": "/n", "value": 1}])), 0);
        assert_eq!(code(json!([{"op": "test", "path": "", "value": {"n": 1.0}}])), 0);
        assert_eq!(code(json!([{"op": "test", "path": "/n", "value": 2}])), 3);
        assert_eq!(code(json!([{"op": "test", "path": "/m", "value": 2}])), 3);
        assert_eq!(code(json!([{"op": "remove", "path": "/m"}])), 1);
        assert_eq!(code(json!([{"op": "add", "path": "/m/o", "value": 2}])), 1);
        assert_eq!(code(json!([{"op": "move", "path": "/n/o", "from": "/n"}])), 1);
        assert_eq!(code(json!([{"op": "copy", "path": "/o", "from": "/m"}])), 1);
    }

    #[test]
    fn numbers_of_any_size_pass_through_a_patch() {
        let text = r#"[{"op":"add","path":"/big","value":[123456789012345678901234567890,-0.10]}]"#;
        let patch = operations(quorate::parse(text.as_bytes()).unwrap()).unwrap();
        let after = patched(&Key::parse("/a").unwrap(), &json!({}), &patch).unwrap();
        assert_eq!(after.to_string(), r#"{"big":[123456789012345678901234567890,-0.10]}"#);
    }

    #[test]
    fn whole_numbers_that_f64_cannot_tell_apart_differ() {
        let number = |text: &str| quorate::parse(text.as_bytes()).unwrap();
        assert!(!is_same(&number("9007199254740993"), &number("9007199254740992")));
        assert!(is_same(&number("1e2"), &number("100.0")));
    }
}

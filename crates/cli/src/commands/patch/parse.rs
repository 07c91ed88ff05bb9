//! A JSON Patch from its document.
//!
//! The derived reader would pass each value through serde's buffer for tagged enums, which loses numbers that fit
//! into no machine type.

use json_patch::jsonptr::PointerBuf;
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchOperation, RemoveOperation, ReplaceOperation,
    TestOperation,
};
use serde_json::{Map, Value};

/// Reads the operations of a patch, or says what is wrong with it.
pub(super) fn operations(document: Value) -> Result<Vec<PatchOperation>, String> {
    let Value::Array(items) = document else {
        return Err("it is not an array of operations".to_owned());
    };
    let read = |(at, item)| operation(item).map_err(|problem| format!("operation {at}: {problem}"));
    items.into_iter().enumerate().map(read).collect()
}

fn operation(item: Value) -> Result<PatchOperation, String> {
    let Value::Object(mut members) = item else {
        return Err("it is not an object".to_owned());
    };
    let name = text(&members, "op")?.to_owned();
    let path = pointer(&members, "path")?;
    let mut value = || members.remove("value").ok_or_else(|| "it has no \"value\"".to_owned());
    Ok(match name.as_str() {
        "add" => PatchOperation::Add(AddOperation { path, value: value()? }),
        "remove" => PatchOperation::Remove(RemoveOperation { path }),
        "replace" => PatchOperation::Replace(ReplaceOperation { path, value: value()? }),
        "test" => PatchOperation::Test(TestOperation { path, value: value()? }),
        "move" => PatchOperation::Move(MoveOperation { from: pointer(&members, "from")?, path }),
        "copy" => PatchOperation::Copy(CopyOperation { from: pointer(&members, "from")?, path }),
        _ => {
            return Err(format!(
                "there is no operation {name:?}: known are add, remove, replace, move, copy, test"
            ));
        }
    })
}

fn pointer(members: &Map<String, Value>, name: &str) -> Result<PointerBuf, String> {
    let text = text(members, name)?;
    PointerBuf::parse(text).map_err(|_| format!("{name:?} is no JSON Pointer: {text:?}"))
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<&'m str, String> {
    members.get(name).and_then(Value::as_str).ok_or_else(|| format!("it has no {name:?}, or it is no string"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_operation_is_read() {
        let patch = json!([
            {"op": "add", "path": "/a", "value": null, "note": "members that are not known do not matter"},
            {"op": "remove", "path": "/a~1b"},
            {"op": "replace", "path": "", "value": {"x": 1}},
            {"op": "move", "path": "/a/-", "from": "/b"},
            {"op": "copy", "path": "/a", "from": ""},
            {"op": "test", "path": "/a", "value": 1},
        ]);
        assert_eq!(operations(patch.clone()).unwrap(), serde_json::from_value::<Vec<_>>(patch).unwrap());
    }

    #[test]
    fn what_is_no_patch_is_said() {
        let table = [
            (json!({}), "it is not an array of operations"),
            (json!([1]), "operation 0: it is not an object"),
            (json!([{"op": "remove"}]), "operation 0: it has no \"path\", or it is no string"),
            (json!([{"op": "add", "path": "/a"}]), "operation 0: it has no \"value\""),
            (json!([{"op": "remove", "path": "a"}]), "operation 0: \"path\" is no JSON Pointer: \"a\""),
        ];
        for (patch, problem) in table {
            assert_eq!(operations(patch).unwrap_err(), problem);
        }
    }
}

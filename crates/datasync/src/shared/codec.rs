//! From bytes to a document and a typed value.

use std::any::{Any, TypeId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::diff::{ParsedDocument, parse};
use crate::DecodeError;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Decodes a payload that is going to be compared with others.
pub(crate) fn decode_digested<T: DeserializeOwned + 'static>(
    payload: &[u8],
) -> Result<(ParsedDocument, T), DecodeError> {
    let (document, value) = decode(payload)?;
    Ok((ParsedDocument::of_text(document, payload.len()), value))
}

/// Decodes a payload into its document and the value of type `T` that it stands for.
pub(crate) fn decode<T: DeserializeOwned + 'static>(payload: &[u8]) -> Result<(Value, T), DecodeError> {
    let document = parse(payload).map_err(|error| DecodeError::NotJson(Arc::new(error)))?;
    if TypeId::of::<T>() == TypeId::of::<Value>() {
        // A document is itself; so it keeps the numbers that no Rust type holds.
        let itself: Box<dyn Any> = Box::new(document.clone());
        if let Ok(value) = itself.downcast::<T>() {
            return Ok((document, *value));
        }
    }
    // A foreign `Deserialize` that panics must not take the replica with it.
    let value = catch_unwind(AssertUnwindSafe(|| T::deserialize(&document)))
        .map_err(|_| DecodeError::WrongShape("its type panicked while decoding".into()))?
        .map_err(|error| DecodeError::WrongShape(error.to_string().into()))?;
    Ok((document, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_digested_unless_it_is_small() {
        for (length, is_digested) in [(10, false), (10_000, true)] {
            let payload = format!("[\"{}\"]", "x".repeat(length));
            let (document, value) = decode_digested::<Vec<String>>(payload.as_bytes()).unwrap();
            assert_eq!((document.is_digested(), value[0].len()), (is_digested, length));
            assert_eq!(document[0], value[0]);
        }
    }
}

//! From bytes to a document and a typed value, and why that may fail.

use std::any::{Any, TypeId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use super::diff::{ParseError, parse};

/// Why a payload cannot be used.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The payload is no JSON document, or one that is nested too deeply.
    #[error("the payload is not usable JSON: {}", reason(.0))]
    NotJson(Arc<ParseError>),
    /// The document does not have the shape of the type.
    #[error("the payload does not have the expected shape: {0}")]
    WrongShape(Arc<str>),
}

/// What is wrong with a payload, to the line and column: this error ends where it is told, so it tells all.
fn reason(error: &ParseError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
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

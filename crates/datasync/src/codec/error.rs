//! Why a value cannot be decoded or encoded.

use std::sync::Arc;

use thiserror::Error;

use crate::ParseError;

/// Why a payload cannot be used.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The payload is no JSON document, or one that is nested too deeply.
    #[error("the payload is not usable JSON: {}", reason(.0))]
    NotJson(Arc<ParseError>),
    /// The payload does not have the shape of the type.
    #[error("the payload does not have the expected shape: {0}")]
    WrongShape(Arc<str>),
}

/// Why a value cannot be stored in a form.
#[derive(Clone, Debug, Error)]
#[error("the value cannot be encoded: {reason}")]
pub struct EncodeError {
    reason: Arc<str>,
}

impl EncodeError {
    /// A value that cannot be encoded, and why.
    #[must_use]
    pub fn new(reason: impl Into<Arc<str>>) -> Self {
        Self { reason: reason.into() }
    }
}

/// What is wrong with a payload, to the line and column: this error ends where it is told, so it tells all.
fn reason(error: &ParseError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

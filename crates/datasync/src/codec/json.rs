//! JSON, the form that everybody reads.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Codec, Decode, DecodeError, Encode, EncodeError, guarded};
use crate::ParseError;

/// JSON (RFC 8259), nested less than 128 deep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to be set")]
pub struct Json;

impl Codec for Json {
    fn content_type(&self) -> &'static str {
        "application/json"
    }
}

impl<T: DeserializeOwned> Decode<T> for Json {
    fn decode(&self, bytes: &Bytes) -> Result<T, DecodeError> {
        guarded(|| {
            serde_json::from_slice(bytes).map_err(|error| {
                if error.is_data() {
                    DecodeError::WrongShape(error.to_string().into())
                } else {
                    DecodeError::NotJson(Arc::new(ParseError::Syntax(error)))
                }
            })
        })
    }
}

impl<T: Serialize + ?Sized> Encode<T> for Json {
    fn encode(&self, value: &T) -> Result<Bytes, EncodeError> {
        serde_json::to_vec(value).map(Bytes::from).map_err(|error| EncodeError::new(error.to_string()))
    }
}

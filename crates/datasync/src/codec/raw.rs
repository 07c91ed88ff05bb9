//! Bytes as they are.

use bytes::Bytes;

use super::{Codec, Decode, DecodeError, Encode, EncodeError};

/// Bytes as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to be set")]
pub struct Raw;

impl Codec for Raw {
    fn content_type(&self) -> &'static str {
        "application/octet-stream"
    }
}

impl Decode<Bytes> for Raw {
    fn decode(&self, bytes: &Bytes) -> Result<Bytes, DecodeError> {
        Ok(bytes.clone())
    }
}

impl<T: AsRef<[u8]> + ?Sized> Encode<T> for Raw {
    fn encode(&self, value: &T) -> Result<Bytes, EncodeError> {
        Ok(Bytes::copy_from_slice(value.as_ref()))
    }
}

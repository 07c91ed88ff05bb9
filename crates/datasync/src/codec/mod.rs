//! Codecs: how values become bytes, and bytes values.

mod error;
mod json;
#[cfg(feature = "protobuf")]
mod protobuf;
mod raw;

use std::fmt::Debug;

use bytes::Bytes;

pub use error::{DecodeError, EncodeError};
pub use json::Json;
#[cfg(feature = "protobuf")]
pub use protobuf::Protobuf;
pub use raw::Raw;

/// A form in which values are stored. What it can read and write is said by [`Decode`] and [`Encode`].
pub trait Codec: Debug + Send + Sync + 'static {
    /// The media type of the bytes (RFC 6838), as in `application/json`.
    fn content_type(&self) -> &'static str;
}

/// Makes values of bytes.
///
/// The bytes come from a store that anybody may have written to: a codec fails on what it does not understand, and
/// never panics or allocates on the word of a length.
pub trait Decode<T>: Codec {
    /// Decodes one value.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with the bytes.
    fn decode(&self, bytes: &Bytes) -> Result<T, DecodeError>;
}

/// Makes bytes of values.
pub trait Encode<T: ?Sized>: Codec {
    /// Encodes one value.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the value has no such form.
    fn encode(&self, value: &T) -> Result<Bytes, EncodeError>;
}

/// Runs foreign code that makes a value: if it panics, nothing else does.
fn guarded<T>(make: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(make))
        .unwrap_or_else(|_| Err(DecodeError::WrongShape("its type panicked while decoding".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_writes_it_reads() {
        let bytes = Json.encode(&vec![1_u64, u64::MAX]).unwrap();
        assert_eq!(bytes, "[1,18446744073709551615]");
        let back: Vec<u64> = Json.decode(&bytes).unwrap();
        assert_eq!(back, [1, u64::MAX]);
    }

    #[test]
    fn bytes_that_are_no_json_and_values_of_another_shape_are_told_apart() {
        let no_json: Result<u64, _> = Json.decode(&Bytes::from_static(b"nope"));
        assert!(matches!(no_json, Err(DecodeError::NotJson(_))));
        let wrong: Result<u64, _> = Json.decode(&Bytes::from_static(b"\"one\""));
        assert!(matches!(wrong, Err(DecodeError::WrongShape(_))));
    }

    #[test]
    fn a_document_that_is_nested_too_deeply_is_an_error() {
        let deep = "[".repeat(100_000);
        let decoded: Result<serde_json::Value, _> = Json.decode(&deep.into());
        assert!(matches!(decoded, Err(DecodeError::NotJson(_))));
    }

    #[test]
    fn raw_bytes_are_passed_through() {
        let bytes = Bytes::from_static(b"\x00\xff");
        assert_eq!(Raw.decode(&bytes).unwrap(), bytes);
        assert_eq!(Raw.encode(&bytes).unwrap(), bytes);
    }

    #[test]
    fn a_type_that_panics_while_decoding_is_an_error() {
        #[derive(Debug)]
        struct Bomb;
        impl<'de> serde::Deserialize<'de> for Bomb {
            fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                panic!("boom")
            }
        }
        let decoded: Result<Bomb, _> = Json.decode(&Bytes::from_static(b"1"));
        assert!(matches!(decoded, Err(DecodeError::WrongShape(_))));
    }
}

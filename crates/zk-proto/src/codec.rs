//! Jute, ZooKeeper's encoding: one trait for both directions over a cursor that checks every length.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

use crate::{path::PathError, reader::Reader};

/// Most items a vector reserves room for before it has read them; the rest is grown as bytes prove it.
const VECTOR_RESERVE_MAX: usize = 1024;

/// The length that stands for null in strings, buffers and vectors.
pub(crate) const NULL: i32 = -1;

/// A value with a ZooKeeper wire encoding.
///
/// `decode(encode(x))` gives `x` back, with one exception: null strings, buffers and vectors decode to
/// empty ones unless the field is an `Option`.
pub trait Codec: Sized {
    /// The fewest bytes any value of this type takes; never zero.
    const BYTES_MIN: usize;

    /// Appends the encoding to `out`.
    ///
    /// Lengths past `i32::MAX` cannot be expressed; such a frame is over every limit and is refused by
    /// [`put_frame`](crate::put_frame).
    fn encode(&self, out: &mut BytesMut);

    /// Reads a value from the front of `reader`.
    ///
    /// # Errors
    ///
    /// Any [`DecodeError`]. The position of `reader` is then unspecified.
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError>;
}

/// A number that is part of a record of fixed size, whose bytes are known to be there.
pub(crate) trait Fixed: Copy {
    fn put(self, out: &mut &mut [u8]);
    fn get(bytes: &mut &[u8]) -> Self;
}

impl Fixed for i32 {
    fn put(self, out: &mut &mut [u8]) {
        out.put_i32(self);
    }

    fn get(bytes: &mut &[u8]) -> Self {
        bytes.get_i32()
    }
}

impl Fixed for i64 {
    fn put(self, out: &mut &mut [u8]) {
        out.put_i64(self);
    }

    fn get(bytes: &mut &[u8]) -> Self {
        bytes.get_i64()
    }
}

/// Why bytes were not a valid record.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The record goes on past the end of the frame.
    #[error("truncated: {needed} bytes needed, {remaining} left")]
    Truncated {
        /// Bytes the next field needs.
        needed: usize,
        /// Bytes that are left.
        remaining: usize,
    },
    /// Bytes are left after the end of the record.
    #[error("{count} bytes left after the record")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A length below -1.
    #[error("negative length {length}")]
    NegativeLength {
        /// The length as sent.
        length: i32,
    },
    /// A string that is not UTF-8.
    #[error("string is not UTF-8")]
    InvalidUtf8,
    /// A boolean that is neither 0 nor 1.
    #[error("invalid boolean {value}")]
    InvalidBool {
        /// The byte as sent.
        value: u8,
    },
    /// A number that stands for nothing known in its field.
    #[error("unknown {field} {code}")]
    UnknownCode {
        /// The type of the field.
        field: &'static str,
        /// The number as sent.
        code: i32,
    },
    /// A time to live outside 1 ms ..= 2^40 - 1 ms.
    #[error("invalid time to live {millis} ms")]
    InvalidTtl {
        /// The number as sent.
        millis: i64,
    },
    /// A path that ZooKeeper's rules forbid.
    #[error("invalid path")]
    Path(#[from] PathError),
}

impl Codec for i32 {
    const BYTES_MIN: usize = 4;

    #[inline]
    fn encode(&self, out: &mut BytesMut) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    #[inline]
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.array().map(Self::from_be_bytes)
    }
}

impl Codec for i64 {
    const BYTES_MIN: usize = 8;

    #[inline]
    fn encode(&self, out: &mut BytesMut) {
        out.extend_from_slice(&self.to_be_bytes());
    }

    #[inline]
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.array().map(Self::from_be_bytes)
    }
}

impl Codec for bool {
    const BYTES_MIN: usize = 1;

    #[inline]
    fn encode(&self, out: &mut BytesMut) {
        out.extend_from_slice(&[u8::from(*self)]);
    }

    #[inline]
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        match reader.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [value] => Err(DecodeError::InvalidBool { value }),
        }
    }
}

/// Null and empty stay apart.
impl Codec for Option<Bytes> {
    const BYTES_MIN: usize = 4;

    #[inline]
    fn encode(&self, out: &mut BytesMut) {
        match self {
            None => NULL.encode(out),
            Some(bytes) => {
                put_length(out, bytes.len());
                out.extend_from_slice(bytes);
            }
        }
    }

    #[inline]
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.length()?.map(|length| reader.take(length)).transpose()
    }
}

impl Codec for Bytes {
    const BYTES_MIN: usize = 4;

    #[inline]
    fn encode(&self, out: &mut BytesMut) {
        put_length(out, self.len());
        out.extend_from_slice(self);
    }

    #[inline]
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Option::<Self>::decode(reader)?.unwrap_or_default())
    }
}

impl Codec for String {
    const BYTES_MIN: usize = 4;

    fn encode(&self, out: &mut BytesMut) {
        put_str(out, self);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        reader.text().map(str::to_owned)
    }
}

/// Null and empty stay apart.
impl Codec for Option<String> {
    const BYTES_MIN: usize = 4;

    fn encode(&self, out: &mut BytesMut) {
        match self {
            None => NULL.encode(out),
            Some(text) => put_str(out, text),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let Some(length) = reader.length()? else { return Ok(None) };
        let text = str::from_utf8(reader.borrow(length)?).map_err(|_| DecodeError::InvalidUtf8)?;
        Ok(Some(text.to_owned()))
    }
}

impl<T: Codec> Codec for Vec<T> {
    const BYTES_MIN: usize = 4;

    fn encode(&self, out: &mut BytesMut) {
        put_length(out, self.len());
        for item in self {
            item.encode(out);
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let count = reader.length()?.unwrap_or(0);
        reader.require(count.saturating_mul(T::BYTES_MIN))?;
        let mut items = Self::with_capacity(count.min(VECTOR_RESERVE_MAX));
        for _ in 0..count {
            items.push(T::decode(reader)?);
        }
        Ok(items)
    }
}

/// Appends a string without needing an owned one.
#[inline]
pub(crate) fn put_str(out: &mut BytesMut, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

#[inline]
fn put_length(out: &mut BytesMut, length: usize) {
    i32::try_from(length).unwrap_or(i32::MAX).encode(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode<T: Codec>(bytes: &'static [u8]) -> Result<T, DecodeError> {
        let mut reader = Reader::new(Bytes::from_static(bytes));
        let value = T::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }

    #[test]
    fn null_and_empty_buffers_stay_apart() {
        assert_eq!(decode::<Option<Bytes>>(&[0xff; 4]), Ok(None));
        assert_eq!(decode::<Option<Bytes>>(&[0; 4]), Ok(Some(Bytes::new())));
        assert_eq!(decode::<Bytes>(&[0xff; 4]), Ok(Bytes::new()));
        assert_eq!(decode::<Vec<String>>(&[0xff; 4]), Ok(Vec::new()));
    }

    #[test]
    fn a_length_is_checked_against_what_remains_before_anything_is_allocated() {
        assert_eq!(
            decode::<Bytes>(&[0x7f, 0xff, 0xff, 0xff, 1]),
            Err(DecodeError::Truncated { needed: 0x7fff_ffff, remaining: 1 })
        );
        assert_eq!(
            decode::<Vec<i64>>(&[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]),
            Err(DecodeError::Truncated { needed: 16, remaining: 8 })
        );
    }

    #[test]
    fn a_length_below_null_is_an_error() {
        assert_eq!(
            decode::<Bytes>(&[0xff, 0xff, 0xff, 0xfe]),
            Err(DecodeError::NegativeLength { length: -2 })
        );
        assert!(decode::<Vec<i32>>(&[0x80, 0, 0, 0]).is_err());
    }

    #[test]
    fn a_decoded_buffer_is_a_slice_of_the_frame() {
        let frame = Bytes::from_static(&[0, 0, 0, 2, 7, 8]);
        let data = Bytes::decode(&mut Reader::new(frame.clone())).unwrap();
        assert_eq!(data.as_ptr(), frame[4..].as_ptr());
    }

    #[test]
    fn trailing_bytes_bad_text_and_bad_booleans_are_errors() {
        assert_eq!(decode::<bool>(&[1, 0]), Err(DecodeError::TrailingBytes { count: 1 }));
        assert_eq!(decode::<bool>(&[2]), Err(DecodeError::InvalidBool { value: 2 }));
        assert_eq!(decode::<String>(&[0, 0, 0, 1, 0xff]), Err(DecodeError::InvalidUtf8));
    }
}

//! Protocol buffers.

use bytes::Bytes;
use prost::Message;

use super::{Codec, Decode, DecodeError, Encode, EncodeError, guarded};

/// Protocol buffers, of the messages that `prost` generates or derives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to be set")]
pub struct Protobuf;

impl Codec for Protobuf {
    fn content_type(&self) -> &'static str {
        "application/x-protobuf"
    }
}

impl<T: Message + Default> Decode<T> for Protobuf {
    fn decode(&self, bytes: &Bytes) -> Result<T, DecodeError> {
        guarded(|| {
            T::decode(bytes.clone()).map_err(|error| DecodeError::WrongShape(error.to_string().into()))
        })
    }
}

impl<T: Message> Encode<T> for Protobuf {
    fn encode(&self, value: &T) -> Result<Bytes, EncodeError> {
        Ok(value.encode_to_vec().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct Interface {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(uint32, tag = "2")]
        mtu: u32,
    }

    #[test]
    fn what_is_written_is_read() {
        let message = Interface { name: "eth0".into(), mtu: 1500 };
        let bytes = Protobuf.encode(&message).unwrap();
        let back: Interface = Protobuf.decode(&bytes).unwrap();
        assert_eq!(back, message);
    }

    #[test]
    fn bytes_that_are_no_message_are_an_error() {
        // A string of which the length says 2 GiB.
        let hostile = Bytes::from_static(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x07, b'x']);
        let decoded: Result<Interface, _> = Protobuf.decode(&hostile);
        assert!(matches!(decoded, Err(DecodeError::WrongShape(_))));
    }
}

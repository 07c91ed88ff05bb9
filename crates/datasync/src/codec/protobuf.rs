//! Protocol buffers.

use bytes::Bytes;
use prost::Message;

use super::{Codec, Decode, DecodeError, Encode, EncodeError, guarded};

/// Protocol buffers, of the messages that `prost` generates or derives (feature `protobuf`).
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use futures_util::StreamExt;
/// use prost::Message;
/// use quorate_datasync::{Hub, Memory, Protobuf, Publisher, Store};
///
/// #[derive(Message)]
/// struct Interface {
///     #[prost(uint32, tag = "1")]
///     mtu: u32,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let publisher = Publisher::with_codec(&store, Protobuf);
/// publisher.put("/config/if/eth0", &Interface { mtu: 1500 }).await?;
///
/// let hub = Hub::builder(&store).content_type_of(&Protobuf).build();
/// let mut interfaces = hub.subscribe("interfaces", ["/config/if"]).await?;
/// let delivery = interfaces.next().await.expect("the store is open");
/// let value = delivery.changes()[0].value.as_ref().expect("it was put");
/// assert_eq!(value.content_type(), "application/x-protobuf");
/// assert_eq!(value.decode_with::<Interface, _>(&Protobuf)?.mtu, 1500);
/// delivery.ack();
/// # Ok(())
/// # }
/// ```
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

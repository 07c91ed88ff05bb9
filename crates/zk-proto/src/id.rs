//! Small numbers with a meaning: sessions, transactions, requests, and bytes that must stay secret.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::{
    codec::{Codec, DecodeError, Fixed},
    reader::Reader,
};

macro_rules! number {
    ($(#[$meta:meta])* $name:ident($ty:ty)) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($ty);

        impl $name {
            /// Wraps the number used on the wire.
            #[must_use]
            pub const fn new(number: $ty) -> Self {
                Self(number)
            }

            /// Returns the number used on the wire.
            #[must_use]
            pub const fn get(self) -> $ty {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Fixed for $name {
            fn put(self, out: &mut &mut [u8]) {
                self.0.put(out);
            }

            fn get(bytes: &mut &[u8]) -> Self {
                Self(Fixed::get(bytes))
            }
        }

        impl Codec for $name {
            const BYTES_MIN: usize = <$ty as Codec>::BYTES_MIN;

            fn encode(&self, out: &mut BytesMut) {
                self.0.encode(out);
            }

            fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
                <$ty>::decode(reader).map(Self)
            }
        }
    };
}

number! {
    /// The id of a session; zero stands for none.
    SessionId(i64)
}

number! {
    /// The position of a transaction in the history of an ensemble: an epoch and a counter.
    Zxid(i64)
}

number! {
    /// The number that ties a reply to its request.
    Xid(i32)
}

impl SessionId {
    /// No session: sent to ask for a new one, received when one is refused.
    pub const NONE: Self = Self(0);

    /// Returns whether this is no session.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl Zxid {
    /// Before every transaction.
    pub const ZERO: Self = Self(0);

    /// Returns the number of the leader's reign.
    #[must_use]
    pub const fn epoch(self) -> i64 {
        self.0 >> 32
    }

    /// Returns the number of the transaction within its epoch.
    #[must_use]
    pub const fn counter(self) -> i64 {
        self.0 & 0xffff_ffff
    }

    /// Returns `None` for the values that servers send where they know no transaction.
    pub(crate) fn known(self) -> Option<Self> {
        (self.0 > 0).then_some(self)
    }
}

impl Xid {
    /// Marks a watch notification.
    pub const NOTIFICATION: Self = Self(-1);
    /// Marks pings and their replies.
    pub const PING: Self = Self(-2);
    /// Marks authentication packets and their replies.
    pub const AUTH: Self = Self(-4);
    /// Marks the re-arming of watches; several may be in flight.
    pub const SET_WATCHES: Self = Self(-8);

    /// The first number given to a request.
    pub(crate) const FIRST: Self = Self(1);

    /// Returns the number after this one: 1 after the last, never zero (ZOOKEEPER-3253).
    pub(crate) fn next(self) -> Self {
        Self(self.0.checked_add(1).unwrap_or(Self::FIRST.0))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes that never show in debug output: session passwords and credentials.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Bytes);

impl Secret {
    /// Wraps the bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// Returns the bytes in the clear.
    #[must_use]
    pub const fn expose(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Codec for Secret {
    const BYTES_MIN: usize = Bytes::BYTES_MIN;

    fn encode(&self, out: &mut BytesMut) {
        self.0.encode(out);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Bytes::decode(reader).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xids_wrap_to_one() {
        assert_eq!(Xid::new(1).next(), Xid::new(2));
        assert_eq!(Xid::new(i32::MAX).next(), Xid::FIRST);
    }

    #[test]
    fn a_zxid_splits_into_epoch_and_counter() {
        let zxid = Zxid::new(0x0000_0003_ffff_fffe);
        assert_eq!((zxid.epoch(), zxid.counter()), (3, 0xffff_fffe));
    }

    #[test]
    fn secrets_do_not_show() {
        assert_eq!(format!("{:?}", Secret::new(&b"hunter2"[..])), "Secret(..)");
    }
}

//! How long a znode lives and how it is named.

use std::time::Duration;

use bytes::BytesMut;

use crate::{
    codec::{Codec, DecodeError},
    reader::Reader,
};

/// A time to live: 1 ms to 2^40 - 1 ms (34 years).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(i64);

impl Ttl {
    const MILLIS_MAX: i64 = 0xff_ffff_ffff;

    /// Returns the duration in whole milliseconds, or `None` if it is out of range.
    #[must_use]
    pub fn new(duration: Duration) -> Option<Self> {
        Self::from_millis(i64::try_from(duration.as_millis()).ok()?)
    }

    /// Returns the time to live of so many milliseconds, or `None` if that is out of range.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Option<Self> {
        if millis >= 1 && millis <= Self::MILLIS_MAX { Some(Self(millis)) } else { None }
    }

    /// Returns the number of milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }
}

/// What kind of znode to create.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CreateMode {
    /// Stays until deleted.
    Persistent,
    /// Deleted when the session ends; has no children.
    Ephemeral,
    /// Persistent, with a ten-digit number added to its name.
    PersistentSequential,
    /// Ephemeral, with a ten-digit number added to its name.
    EphemeralSequential,
    /// Deleted by the server some time after its last child is. Servers from 3.5 on.
    Container,
    /// Deleted by the server when not changed for so long and childless. Servers from 3.5 on, if enabled there.
    PersistentWithTtl(Ttl),
    /// Both sequential and with a time to live.
    PersistentSequentialWithTtl(Ttl),
}

impl CreateMode {
    /// Returns whether the session's end deletes such a znode.
    #[must_use]
    pub const fn is_ephemeral(self) -> bool {
        matches!(self, Self::Ephemeral | Self::EphemeralSequential)
    }

    /// Returns whether the server adds a number to the name.
    #[must_use]
    pub const fn is_sequential(self) -> bool {
        matches!(
            self,
            Self::PersistentSequential | Self::EphemeralSequential | Self::PersistentSequentialWithTtl(_)
        )
    }

    /// Returns the time to live, if there is one.
    #[must_use]
    pub const fn ttl(self) -> Option<Ttl> {
        match self {
            Self::PersistentWithTtl(ttl) | Self::PersistentSequentialWithTtl(ttl) => Some(ttl),
            _ => None,
        }
    }

    const fn flags(self) -> i32 {
        match self {
            Self::Persistent => 0,
            Self::Ephemeral => 1,
            Self::PersistentSequential => 2,
            Self::EphemeralSequential => 3,
            Self::Container => 4,
            Self::PersistentWithTtl(_) => 5,
            Self::PersistentSequentialWithTtl(_) => 6,
        }
    }
}

/// The flags, followed by the milliseconds where there is a time to live.
impl Codec for CreateMode {
    const BYTES_MIN: usize = 4;

    fn encode(&self, out: &mut BytesMut) {
        self.flags().encode(out);
        if let Some(ttl) = self.ttl() {
            ttl.0.encode(out);
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(match i32::decode(reader)? {
            0 => Self::Persistent,
            1 => Self::Ephemeral,
            2 => Self::PersistentSequential,
            3 => Self::EphemeralSequential,
            4 => Self::Container,
            5 => Self::PersistentWithTtl(decode_ttl(reader)?),
            6 => Self::PersistentSequentialWithTtl(decode_ttl(reader)?),
            code => return Err(DecodeError::UnknownCode { field: "CreateMode", code }),
        })
    }
}

fn decode_ttl(reader: &mut Reader) -> Result<Ttl, DecodeError> {
    let millis = i64::decode(reader)?;
    Ttl::from_millis(millis).ok_or(DecodeError::InvalidTtl { millis })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_in_the_servers_range() {
        assert_eq!(Ttl::new(Duration::ZERO), None);
        assert_eq!(Ttl::from_millis(Ttl::MILLIS_MAX + 1), None);
        assert_eq!(Ttl::new(Duration::from_secs(1)).map(Ttl::millis), Some(1000));
    }
}

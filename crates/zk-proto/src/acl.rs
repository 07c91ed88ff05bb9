//! Access lists.

use std::ops::BitOr;

use bytes::BytesMut;

use crate::{
    codec::{Codec, DecodeError, Reader},
    record::record,
};

/// A set of permissions on one znode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Perms(i32);

impl Perms {
    /// May read the data and list the children.
    pub const READ: Self = Self(1);
    /// May set the data.
    pub const WRITE: Self = Self(2);
    /// May create children.
    pub const CREATE: Self = Self(4);
    /// May delete children.
    pub const DELETE: Self = Self(8);
    /// May set the access list.
    pub const ADMIN: Self = Self(16);
    /// All of the above.
    pub const ALL: Self = Self(31);

    /// Wraps the bits used on the wire; unknown bits are kept.
    #[must_use]
    pub const fn from_bits(bits: i32) -> Self {
        Self(bits)
    }

    /// Returns the bits used on the wire.
    #[must_use]
    pub const fn bits(self) -> i32 {
        self.0
    }

    /// Returns whether all of `other` is allowed.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Perms {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Codec for Perms {
    const BYTES_MIN: usize = 4;

    fn encode(&self, out: &mut BytesMut) {
        self.0.encode(out);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        i32::decode(reader).map(Self)
    }
}

record! {
    /// Who an entry is about: a scheme and a name in it.
    #[derive(Hash)]
    pub struct Id {
        /// `world`, `auth`, `digest`, `ip`, `x509`, `sasl` or another that the server knows.
        pub scheme: String,
        /// The name in that scheme.
        pub id: String,
    }
}

record! {
    /// One entry of an access list.
    #[derive(Hash)]
    pub struct Acl {
        /// What is allowed.
        pub perms: Perms,
        /// To whom.
        pub id: Id,
    }
}

impl Id {
    /// Names somebody in a scheme.
    pub fn new(scheme: impl Into<String>, id: impl Into<String>) -> Self {
        Self { scheme: scheme.into(), id: id.into() }
    }

    /// Everybody.
    #[must_use]
    pub fn anyone() -> Self {
        Self::new("world", "anyone")
    }

    /// Every identity the session has authenticated as.
    #[must_use]
    pub fn authenticated() -> Self {
        Self::new("auth", "")
    }
}

impl Acl {
    /// Allows `perms` to `id`.
    #[must_use]
    pub const fn new(perms: Perms, id: Id) -> Self {
        Self { perms, id }
    }

    /// Everybody may do everything.
    #[must_use]
    pub fn open() -> Self {
        Self::new(Perms::ALL, Id::anyone())
    }

    /// Whoever creates the znode may do everything, nobody else anything. Needs an authenticated session.
    #[must_use]
    pub fn creator_all() -> Self {
        Self::new(Perms::ALL, Id::authenticated())
    }

    /// Everybody may read.
    #[must_use]
    pub fn read() -> Self {
        Self::new(Perms::READ, Id::anyone())
    }
}

//! Access lists.

use std::ops::BitOr;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::BytesMut;
use sha1::{Digest, Sha1};

use crate::{
    codec::{Codec, DecodeError},
    reader::Reader,
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

    /// Whoever knows the password of a user, as proved by the `digest` scheme.
    ///
    /// The id holds the SHA-1 digest of both, never the password. A server cuts credentials at their first
    /// colon, so a user with one in its name is known by what stands before it.
    ///
    /// # Examples
    ///
    /// ```
    /// use quorate_zk_proto::Id;
    ///
    /// assert_eq!(Id::digest("super", "admin").id, "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=");
    /// ```
    pub fn digest(user: &str, password: impl AsRef<[u8]>) -> Self {
        let digest = Sha1::new().chain_update(user).chain_update(":").chain_update(password).finalize();
        let name = user.split(':').next().unwrap_or_default();
        Self::new("digest", format!("{name}:{}", STANDARD.encode(digest)))
    }

    /// Whoever connects from an address, or from a network such as `10.0.0.0/8`.
    pub fn ip(address: impl Into<String>) -> Self {
        Self::new("ip", address)
    }

    /// Whoever holds the certificate of a subject, such as `CN=web,O=Example`.
    pub fn x509(subject: impl Into<String>) -> Self {
        Self::new("x509", subject)
    }

    /// Whoever has proved by SASL to be a user.
    pub fn sasl(user: impl Into<String>) -> Self {
        Self::new("sasl", user)
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

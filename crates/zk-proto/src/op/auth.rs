//! Adding an identity to a connection.

use crate::{codec::Codec, id::Secret, op::RequestHeader, record::record};

record! {
    /// Credentials. Debug output does not show them.
    pub struct Auth {
        /// Always zero.
        pub kind: i32,
        /// `digest`, or another scheme that the server knows.
        pub scheme: String,
        /// What the scheme wants, such as `user:password`.
        pub credentials: Secret,
    }
}

impl Auth {
    /// Makes the packet for a scheme and its credentials.
    pub fn new(scheme: impl Into<String>, credentials: Secret) -> Self {
        Self { kind: 0, scheme: scheme.into(), credentials }
    }

    /// Returns the size of the request that carries it.
    pub(crate) fn frame_bytes(&self) -> usize {
        RequestHeader::BYTES_MIN + Self::BYTES_MIN + self.scheme.len() + self.credentials.expose().len()
    }
}

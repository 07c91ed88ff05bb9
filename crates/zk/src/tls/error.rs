//! Why TLS cannot be set up as asked.

use thiserror::Error;

/// Why [`TlsOptions`](crate::TlsOptions) cannot be used. It never shows any of a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsConfigError {
    /// A file cannot be read, or is far too large.
    #[error("{place} cannot be read: {detail}")]
    Unreadable {
        /// The file.
        place: String,
        /// The error of the operating system.
        detail: String,
    },
    /// There is text that is not PEM.
    #[error("{place} is not valid PEM")]
    Malformed {
        /// The file, or what was given in memory.
        place: String,
    },
    /// There is no certificate where one should be.
    #[error("{place} contains no certificate")]
    NoCertificate {
        /// The file, or what was given in memory.
        place: String,
    },
    /// None of the certificates can be trusted as an authority.
    #[error("{place} contains no usable certificate of an authority")]
    NoAuthority {
        /// The file, or what was given in memory.
        place: String,
    },
    /// There is no private key where one should be.
    #[error("{place} contains no private key")]
    NoKey {
        /// The file, or what was given in memory.
        place: String,
    },
    /// The private key is encrypted.
    #[error("the private key in {place} is encrypted, which is not supported: decrypt it first")]
    EncryptedKey {
        /// The file, or what was given in memory.
        place: String,
    },
    /// The certificate and the private key do not belong together, or are of an unknown kind.
    #[error("the certificate and key of the client cannot be used: {detail}")]
    InvalidIdentity {
        /// What is wrong.
        detail: String,
    },
    /// The name to expect of servers is none.
    #[error("{name:?} is not a name that a certificate can be made out to")]
    InvalidServerName {
        /// The name as given.
        name: String,
    },
    /// The operating system names no authority to trust, and nobody else does.
    #[error("the operating system names no authority to trust: {detail}")]
    NoPlatformRoots {
        /// What is wrong.
        detail: String,
    },
    /// The connection would have no version of TLS to speak.
    #[error("TLS cannot be set up: {detail}")]
    Unsupported {
        /// What is wrong.
        detail: String,
    },
}

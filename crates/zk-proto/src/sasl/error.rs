//! How a SASL exchange fails.

use thiserror::Error;

/// Why a SASL exchange cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SaslError {
    /// The token is longer than the mechanism allows.
    #[error("sasl token of {bytes} bytes is over the limit of {bytes_max}")]
    TooLong {
        /// Size of the token.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The token is no list of directives.
    #[error("sasl token is malformed")]
    Malformed,
    /// A directive that must be there is missing.
    #[error("sasl token has no {directive}")]
    Missing {
        /// Its name.
        directive: &'static str,
    },
    /// A directive that may be there once is there several times.
    #[error("sasl token has several of {directive}")]
    Repeated {
        /// Its name.
        directive: &'static str,
    },
    /// A directive has a value that the other end may not choose.
    #[error("sasl token has an unacceptable {directive}")]
    Unacceptable {
        /// Its name.
        directive: &'static str,
    },
    /// The user's name or password has characters that the server's character set lacks.
    #[error("user name or password cannot be expressed in the server's character set")]
    Charset,
    /// The client has not proved that it knows the password of a user.
    #[error("user is not known or the password is wrong")]
    Refused,
    /// The server has not proved that it knows the password.
    #[error("server does not know the password")]
    ServerNotProved,
    /// The server went on after the end of the exchange.
    #[error("sasl exchange is over")]
    Over,
}

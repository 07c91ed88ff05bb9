//! Why a text is no store URL. No error repeats what could be a password.

use thiserror::Error;

/// The schemes that are known, for error messages.
const SCHEMES: &str =
    "mem:, mem:NAME, sqlite:PATH, zk://HOST:PORT,../CHROOT, zks://HOST:PORT,../CHROOT (with TLS)";

/// What `auth` can be, for error messages.
const AUTHS: &str = "digest:@FILE, digest:$VARIABLE, sasl:@FILE or sasl:$VARIABLE";

/// Why a text is no store URL.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// The text has no scheme.
    #[error("{0:?} is no store URL: known are {SCHEMES}")]
    NoScheme(String),
    /// The scheme is not known.
    #[error("unknown store {0:?}: known are {SCHEMES}")]
    UnknownScheme(String),
    /// An option is not known to the store.
    #[error("unknown option {option:?} of {scheme} known are {known}")]
    UnknownOption {
        /// The scheme.
        scheme: &'static str,
        /// The option.
        option: String,
        /// The options that are known.
        known: &'static str,
    },
    /// An option has a value that it cannot have.
    #[error("option {option} cannot be {value:?}: {expected}")]
    BadOption {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What it can be.
        expected: &'static str,
    },
    /// An option that counts once is given twice.
    #[error("option {option} is given twice")]
    Repeated {
        /// The option.
        option: &'static str,
    },
    /// The option `auth` names no place where a secret is kept. Its value is not repeated.
    #[error("option auth names where a user and password are kept: it is {AUTHS}")]
    BadAuth,
    /// The URL contains a secret. It is not repeated.
    #[error(
        "a URL is no place for a secret, since others can see it: option auth is {AUTHS}, where the file or the \
         variable holds user:password"
    )]
    LiteralSecret,
    /// An option needs another one, or another scheme.
    #[error("option {option} needs {needs}")]
    Needs {
        /// The option.
        option: &'static str,
        /// What it needs, and why.
        needs: &'static str,
    },
    /// The part after the scheme is missing or wrong.
    #[error("{url:?} is not valid: {problem}")]
    Invalid {
        /// The URL, without its options.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
}

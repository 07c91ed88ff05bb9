//! TLS: what is trusted, who we are, and what it means when a handshake fails.

mod config;
mod error;
mod failure;
mod material;
mod options;
mod session;
mod verifier;

pub use self::{error::TlsConfigError, options::TlsOptions};
pub(crate) use self::{failure::TlsFailure, session::Tls};

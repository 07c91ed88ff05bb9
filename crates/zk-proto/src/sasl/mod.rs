//! The SASL mechanism DIGEST-MD5 (RFC 2831), both ends, as ZooKeeper speaks it: authentication only, the
//! service `zookeeper` on the constant server name `zk-sasl-md5`.
//!
//! MD5 is weak, and the mechanism long historic. It is here because servers ask for it; on a connection that
//! others can read it belongs inside TLS.

mod client;
mod directives;
mod error;
mod proof;
mod server;

pub use self::{
    client::{DigestMd5Client, SaslStep},
    error::SaslError,
    server::DigestMd5Server,
};

/// Longest challenge or response that is looked at; the RFC allows 2,048 and 4,096 bytes.
const TOKEN_BYTES_MAX: usize = 4096;

/// Servers call themselves so, wherever they run.
const REALM: &str = "zk-sasl-md5";

/// What is asked for: service and server name.
const DIGEST_URI: &str = "zookeeper/zk-sasl-md5";

/// One response per challenge, so this is always the first use of the nonce.
const NONCE_COUNT: &str = "00000001";

/// The only protection offered: authentication, without integrity or secrecy of what follows.
const QOP: &str = "auth";

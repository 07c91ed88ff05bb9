//! The fake's behaviour, rule by rule, in packets.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod access;
mod client;
mod config;
mod cuts;
mod faults;
mod hostile;
mod like_the_real_server;
mod multi;
mod nodes;
mod quorum;
mod sasl;
mod servers;
mod sessions;
#[cfg(feature = "tls")]
mod tls;
mod versions;
mod watches;
mod words;

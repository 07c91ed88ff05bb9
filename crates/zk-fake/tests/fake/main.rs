//! The fake's behaviour, rule by rule, in packets.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod client;
mod faults;
mod like_the_real_server;
mod multi;
mod nodes;
mod sessions;
mod versions;
mod watches;

//! Our client beside others at one real server: each sees what the other writes.
//!
//! kazoo speaks for the clients written from the protocol, and ZooKeeper's own command line for the original.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod access;
mod ephemerals;
mod nodes;
mod sequences;
mod transactions;
mod watches;
mod world;

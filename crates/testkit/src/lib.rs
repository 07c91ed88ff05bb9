//! What Quorate tests itself with: one suite for every store, real servers, clients of
//! other makes, and links that fail on command.
//!
//! [`conformance_suite!`] says what every [`Store`](quorate_datasync::Store) must do; a backend's test is one call
//! of it.

pub mod conformance;
pub mod follow;
mod interop;
pub mod leftovers;
mod link;
mod rigged;
mod server;
pub mod shared;
pub mod subscribe;

pub use interop::{Kazoo, KazooError};
pub use link::{Direction, Frame, Link, Traffic};
pub use rigged::{Held, Rigged};
/// What [`Kazoo`] is called with, and answers with.
pub use serde_json::{Value, json};
pub use server::{
    CliOutput, Ensemble, ServerOptions, TestCa, TestCert, TlsFiles, ZkCli, ZooKeeper, four_letter, zk_cli,
};

//! What Quorate tests itself with: one suite for every store, real servers, and links that fail on command.
//!
//! [`conformance_suite!`] says what every [`Store`](quorate_datasync::Store) must do; a backend's test is one call
//! of it.

pub mod conformance;
mod link;
mod server;
pub mod shared;

pub use link::{Direction, Frame, Link, Traffic};
pub use server::{
    CliOutput, Ensemble, ServerOptions, TestCa, TestCert, TlsFiles, ZkCli, ZooKeeper, four_letter, zk_cli,
};

//! Real ZooKeeper servers, run from Debian's packages as plain processes on loopback.
//!
//! Nothing here skips a test: where Java or the server is missing, starting one panics with the sentence that
//! says what to install. That is right for tests and for nothing else.

mod cli;
mod config;
mod ensemble;
mod install;
mod options;
mod ports;
mod process;
mod tls;
mod zookeeper;

pub use cli::{CliOutput, ZkCli, zk_cli};
pub use ensemble::Ensemble;
pub use options::ServerOptions;
pub use tls::{TestCa, TestCert, TlsFiles};
pub use zookeeper::{ZooKeeper, four_letter};

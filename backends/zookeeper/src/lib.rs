//! A Quorate store on ZooKeeper.
//!
//! A key is a znode. A persistent or container znode without data is a directory and no entry; parents are made as
//! containers, which the server removes when nothing is left below them. A lease is the session: all leases of one
//! store share its fate, and a revoked one deletes what was put under it. Reads are made current by a request that
//! travels ahead of them on the same connection: `sync`, or an empty `multi`, which a quorum has to agree to.
//!
//! A key below `/zookeeper` is refused unless there is a chroot: the server keeps that for itself. The server compares
//! the number of writes alone: a commit at a version is not refused on a key that was deleted, made again and written
//! exactly as often since. That shows in the answer, and is logged as a warning.
//!
//! Who may touch what is put is decided by the access list of the znodes ([`ZooKeeperOptions::acl`]), which each gets
//! when it is made. Whoever is refused is told [`Denied`](quorate_datasync::ErrorKind::Denied).
//!
//! ```no_run
//! use quorate_datasync::{Key, StoreExt};
//! use quorate_zookeeper::ZooKeeper;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = ZooKeeper::options(["127.0.0.1:2181"]).chroot("/prod").open().await?;
//! store.put(&Key::parse("/motd")?, "hello").await?;
//! # Ok(())
//! # }
//! ```

mod barrier;
mod commit;
mod credentials;
mod error;
mod examination;
mod inner;
mod lease;
mod list;
mod map;
mod options;
mod read;
mod store;
mod watch;

pub use credentials::Credentials;
pub use examination::Examination;
pub use options::ZooKeeperOptions;
pub use quorate_zk::{Acl, Id, Perms, Secret, TlsOptions};
pub use store::ZooKeeper;

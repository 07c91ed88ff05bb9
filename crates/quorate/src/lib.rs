//! Live, typed, shared state for Rust services.
//!
//! A struct lives at one place in a store. Every process holds a live copy of it: reads cost nanoseconds, an update
//! is exclusive and applied exactly once, and every change arrives field by field. One URL decides what is
//! underneath: a file for the processes of one machine, ZooKeeper when there are many machines.
//!
//! ```
//! use quorate::Shared;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Default, Serialize, Deserialize)]
//! struct Agent {
//!     processes: Vec<String>,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = quorate::open("mem:").await?; // or "sqlite:state.db", or "zk://h1:2181,h2:2181,h3:2181/prod"
//! let agent = Shared::<Agent>::open(&store, "/agents/web").create(Agent::default()).await?;
//! agent.update_handler(|set| println!("{:?}", set.changes));
//! agent.update(|a| a.processes.push("firefox*".into())).await?;
//! assert_eq!(agent.read()?.processes, ["firefox*"]);
//! # Ok(())
//! # }
//! ```
//!
//! # What to use
//!
//! | for | there is |
//! |---|---|
//! | one struct that many processes share | [`Shared`]; [`SharedMap`] for many of them below one directory |
//! | one field of it, or one place in its document | [`Shared::select`], [`Shared::select_by`] |
//! | a state to be waited for | [`Shared::wait_for`] |
//! | reads in hot loops, on many threads | [`Shared::access`] |
//! | who else has it open | [`Shared::listeners`], [`Shared::watch_listeners`] |
//! | programs without a runtime | [`blocking`] |
//! | a typed view of a set of nodes | [`Follower`]; [`watch_nodes`] with callbacks ([`SimpleFollower`], [`Follow`]) |
//! | one node, also while it is absent | [`watch_node`] |
//! | configuration that must be applied in order, and answered for | [`Hub`], [`Subscription`], [`Delivery`] |
//! | putting values, for a time, for a lifetime or under a condition | [`Publisher`]; [`Publishers`] for several stores |
//! | several stores watched as one | [`Sources`], [`Overlay`] |
//! | a copy of a part of one store in another | [`Mirror`] |
//! | one process at a time | [`Lock`] |
//! | values that are not JSON | [`Raw`], `Protobuf` (feature `protobuf`), or a [`Codec`] of your own |
//! | keys and transactions as they are | [`Store`], [`StoreExt`], [`Txn`], [`Watch`] |
//!
//! All of it takes the store that [`open`] gives. Streams are those of `futures`: bring its `StreamExt` for `next`.
//!
//! # Store URLs
//!
//! | URL | store |
//! |---|---|
//! | `mem:` | in this process, new at each open |
//! | `mem:NAME` | in this process, shared by everybody who opens `NAME` |
//! | `sqlite:PATH` | one file, for all processes of one machine (feature `sqlite`) |
//! | `zk://h1:p,h2:p/chroot` | ZooKeeper; the port is 2181 unless given (feature `zookeeper`) |
//! | `zks://h1:p,h2:p/chroot` | the same over TLS, at the servers' secure port; it is 2181 too unless given |
//!
//! Options of a store on ZooKeeper follow `?` and are separated by `&`. In their values `%`, `&`, `?` and `#` stand as
//! `%25`, `%26`, `%3F` and `%23`; files are found from the working directory.
//!
//! | option | meaning |
//! |---|---|
//! | `session_timeout=15s` | how long leases outlive a client that is silent |
//! | `busy_poll=1ms` | for how long an answer is looked for before it is slept for: faster, for all of a core; not at all by default |
//! | `auth=digest:@FILE` | an identity of scheme `digest`; the file holds `user:password` on one line |
//! | `auth=digest:$VARIABLE` | the same from an environment variable, with [`OpenOptions`] |
//! | `auth=sasl:@FILE`, `auth=sasl:$VARIABLE` | an identity by SASL DIGEST-MD5 |
//! | `acl=open` | whatever is made may be changed by everybody; the default |
//! | `acl=creator` | only by the identities of whoever made it |
//! | `acl=read` | the same, and everybody may read |
//! | `ca=FILE` (`zks:`) | the authorities to trust, as PEM; those of the operating system if not given |
//! | `cert=FILE&key=FILE` (`zks:`) | the certificate of this client and its key, as PEM |
//!
//! A secret in the URL itself is refused, since URLs end up where others see them.

pub mod blocking;
mod findings;
mod open;
mod open_options;
mod open_store;
mod url;
mod zookeeper;

pub use findings::Findings;
pub use open::{OpenStoreError, open};
pub use open_options::OpenOptions;
pub use open_store::OpenStore;
pub use quorate_datasync::*;
pub use url::{AuthSource, SecretSource, StoreUrl, TlsFiles, UrlError, ZnodeAccess, ZooKeeperUrl};

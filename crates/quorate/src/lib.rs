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
//! # Store URLs
//!
//! | URL | store |
//! |---|---|
//! | `mem:` | in this process, new at each open |
//! | `mem:NAME` | in this process, shared by everybody who opens `NAME` |
//! | `sqlite:PATH` | one file, for all processes of one machine (feature `sqlite`) |
//! | `zk://h1:p,h2:p/chroot?session_timeout=15s` | ZooKeeper (feature `zookeeper`) |

mod open;
mod url;

pub use open::{OpenStoreError, open};
pub use quorate_datasync::*;
pub use url::{StoreUrl, UrlError};

//! The same for programs without a runtime: every call waits for its answer.
//!
//! [`open`] starts one background thread, which does whatever goes on between calls: it keeps sessions alive, live
//! copies current and handlers running. Calls run on the thread that makes them. The thread ends with the last handle
//! of what was opened, and the store is closed before: so listeners and leases end at once.
//!
//! ```
//! use quorate::blocking;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Agent {
//!     processes: Vec<String>,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = blocking::open("mem:")?; // or "sqlite:state.db", or "zk://h1:2181,h2:2181,h3:2181/prod"
//! let agent = blocking::Shared::<Agent>::open(&store, "/agents/web").create(Agent::default())?;
//! let mut changes = agent.changes();
//! agent.update(|agent| agent.processes.push("firefox*".into()))?;
//! assert_eq!(agent.read()?.processes, ["firefox*"]);
//! assert_eq!(changes.next().map(|set| set.changes.len()), Some(1));
//! # Ok(())
//! # }
//! ```
//!
//! # How long calls wait
//!
//! Opening a struct, [`Shared::read_consistent`] and [`Shared::listeners`] end within the bound of the copy, updates as
//! they do without this module. [`Open::wait`], [`Told`] as an iterator and [`Store::block_on`] wait for as long as it
//! takes, for ever if the store is never reached: [`Open::expect`], [`Told::next_within`] and
//! [`Store::block_on_within`] do not.
//!
//! A process that forks has the background thread in the parent only: in the child, open the store anew.
//!
//! # Panics
//!
//! Whatever waits panics if it is called where waiting is not allowed: in an `async` function that a tokio runtime
//! runs, in a handler, or in the closure of an update. Tokio's message says that a thread cannot be blocked while it
//! drives asynchronous tasks. There is no deadlock. In `tokio::task::spawn_blocking` it may be called.

mod access;
mod background;
mod open;
mod open_shared;
mod shared;
mod store;
mod told;

pub use access::Access;
pub use open::open;
pub use open_shared::Open;
pub use shared::Shared;
pub use store::Store;
pub use told::{TimedOut, Told};

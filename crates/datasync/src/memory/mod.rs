//! The store that lives in the process: for tests, and for programs that need no other.

mod changes;
mod client;
mod commit;
mod faults;
mod history;
mod install;
mod leases;
mod registry;
mod state;
#[cfg(test)]
mod tests;
mod tree;
mod watchers;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::coop::consume_budget;

use crate::{
    Capabilities, Committed, Consistency, Key, Lease, List, Listing, Prefix, RawChanges, Read, Result,
    Selection, Store, StoreStatus, Txn, Want, WatchFrom,
};

use changes::Changes;
use client::Client;
use state::Shared;

pub(crate) use install::Installed;

/// The longest value. Nothing needs a limit here, but a program that was written against this store should not
/// find out elsewhere that its values are far too long.
const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How many keys one transaction may check and write; while it is carried out everybody waits.
const TXN_KEYS_MAX: usize = 10_000;

/// The shortest time to live: what the timer can tell apart.
const TTL_STEP: Duration = Duration::from_millis(1);

/// A store that lives in the process and ends with it.
///
/// It keeps the whole contract of [`Store`], watches commits atomically, replays the last 10,000 revisions (or
/// 64 MiB of values) to a watch that starts in the past, and is always current. A value may have 16 MiB. A lease
/// ends when it is revoked or dropped and when its handle is closed; its time to live never runs out, since the
/// store sees the end of whoever holds it.
///
/// A `Memory` is one handle, as a client of a server would be. [`handle`](Self::handle) gives another one to the
/// same data; what is lost or closed is always a handle. The data goes when the last handle, watch and lease of
/// it are gone.
///
/// Times to live are kept on tokio's clock, so that a test can pause it. A watch that waits while such keys exist
/// must be polled within a tokio runtime.
///
/// ```
/// use quorate_datasync::{Key, Memory, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (here, there) = (Memory::named("example"), Memory::named("example"));
/// let key = Key::parse("/motd")?;
/// here.put(&key, "hello").await?;
/// assert_eq!(there.entry(&key).await?.unwrap().value, "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Memory {
    client: Arc<Client>,
}

impl Memory {
    /// An empty store that nobody else has.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Arc::new(Shared::default()))
    }

    /// A handle to the store of this name, which everybody in this process shares who names it so. It is empty if
    /// nobody holds one now.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::over(registry::shared(name))
    }

    /// Another handle to the same data, as a second client of a server would be: it has its own connection, its
    /// own leases, and is closed on its own. It is open and connected even if this one is not.
    #[must_use]
    pub fn handle(&self) -> Self {
        Self::over(Arc::clone(self.client.shared()))
    }

    fn over(shared: Arc<Shared>) -> Self {
        Self { client: Client::open(shared) }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for Memory {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(VALUE_BYTES_MAX)
            .txn_keys_max(TXN_KEYS_MAX)
            .with_atomic_watch()
            .ttl_granularity(TTL_STEP)
            .with_history()
            .with_linearizable()
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.client.status()
    }

    // Nothing here ever waits, so a loop over this store would keep a runtime of one thread to itself. Hence the
    // budget.

    async fn get(&self, key: &Key, want: Want, _at: Consistency) -> Result<Read> {
        consume_budget().await;
        self.client.run("get", |state| Ok(state.read(key, want)))
    }

    async fn list(&self, prefix: &Prefix, want: List, _at: Consistency) -> Result<Listing> {
        consume_budget().await;
        self.client.run("list", |state| Ok(state.list(prefix, want)))
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        consume_budget().await;
        self.client.commit(&txn, &self.capabilities())
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        consume_budget().await;
        let id = self.client.run("watch", |state| Ok(state.watch(self.client.id(), what, from)))?;
        Ok(RawChanges::new(Changes::new(Arc::clone(&self.client), id)))
    }

    async fn grant(&self, ttl: Duration) -> Result<Lease> {
        consume_budget().await;
        self.client.grant(ttl)
    }

    async fn close(&self) {
        self.client.close();
    }
}

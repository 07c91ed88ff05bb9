//! Several stores written to as one.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::Mutex;

use crate::{Committed, Key, Result, Store, Txn};

use super::{PublishFailures, Published};

/// Several stores that are written to as one: every write goes to all of them at once, and what failed is told by
/// name.
///
/// There is no transaction over several stores: one may take a write that another refuses, and nothing is taken
/// back. [`commit`](Self::commit), [`put`](Self::put) and [`delete`](Self::delete) succeed only if *all* stores took
/// the write; their error names those that did and those that did not.
/// [`commit_best_effort`](Self::commit_best_effort) succeeds if at least one did.
///
/// **Order.** Each store gets the writes of this handle and its clones one at a time, in the order in which their
/// futures were first polled, so all stores that take everything end with the same. A slow store delays the answer,
/// and later writes to itself, but no write to another store.
///
/// A transaction with a lease is taken by the store that granted it only, and so are checks of a version.
///
/// The stores stay those of the caller: there is nothing to close here.
///
/// ```
/// use std::sync::Arc;
/// use quorate_datasync::{Key, Memory, Publishers, Store, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let main: Arc<dyn Store> = Arc::new(Memory::new());
/// let backup: Arc<dyn Store> = Arc::new(Memory::new());
/// let both = Publishers::new().add("main", &main).add("backup", &backup);
/// let key = Key::parse("/motd")?;
/// both.put(&key, "hello").await?;
/// assert_eq!(backup.entry(&key).await?.unwrap().value, "hello");
///
/// backup.close().await;
/// let failures = both.put(&key, "bye").await.unwrap_err();
/// assert_eq!(&*failures.failed[0].0, "backup");
/// assert_eq!(&*failures.committed[0].0, "main");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Publishers {
    members: Vec<Arc<Member>>,
}

struct Member {
    name: Arc<str>,
    store: Arc<dyn Store>,
    /// Whose turn it is to write. It is fair.
    turn: Mutex<()>,
}

impl Publishers {
    /// No stores yet: a write succeeds and does nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Adds a store under a name, in place of the one that had this name.
    #[must_use]
    pub fn add(mut self, name: impl Into<Arc<str>>, store: &Arc<dyn Store>) -> Self {
        let name = name.into();
        self.members.retain(|member| member.name != name);
        self.members.push(Arc::new(Member { name, store: Arc::clone(store), turn: Mutex::new(()) }));
        self
    }

    /// Commits a transaction in every store.
    ///
    /// # Errors
    ///
    /// [`PublishFailures`] if not all of them took it.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves it open in which stores the transaction is applied.
    pub async fn commit(&self, txn: Txn) -> Result<Published, PublishFailures> {
        self.publish(txn).await.or_failures()
    }

    /// Commits a transaction in as many stores as will take it; those that did not are in what is returned.
    ///
    /// # Errors
    ///
    /// [`PublishFailures`] if none of them took it.
    ///
    /// # Cancel safety
    ///
    /// As [`commit`](Self::commit).
    pub async fn commit_best_effort(&self, txn: Txn) -> Result<Published, PublishFailures> {
        self.publish(txn).await.or_nowhere()
    }

    /// Sets a value in every store.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    ///
    /// # Cancel safety
    ///
    /// As [`commit`](Self::commit).
    pub async fn put(&self, key: &Key, value: impl Into<Bytes>) -> Result<Published, PublishFailures> {
        self.commit(Txn::new().put(key, value)).await
    }

    /// Deletes a key in every store. Where it is absent this succeeds.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    ///
    /// # Cancel safety
    ///
    /// As [`commit`](Self::commit).
    pub async fn delete(&self, key: &Key) -> Result<Published, PublishFailures> {
        self.commit(Txn::new().delete(key)).await
    }

    async fn publish(&self, txn: Txn) -> Published {
        let commits = self.members.iter().map(|member| member.commit(txn.clone()));
        let mut published = Published { committed: Vec::new(), failed: Vec::new() };
        for (member, outcome) in self.members.iter().zip(join_all(commits).await) {
            let name = Arc::clone(&member.name);
            match outcome {
                Ok(committed) => published.committed.push((name, committed)),
                Err(error) => published.failed.push((name, error)),
            }
        }
        published
    }
}

impl Member {
    async fn commit(&self, txn: Txn) -> Result<Committed> {
        let _turn = self.turn.lock().await;
        self.store.commit(txn).await
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("name", &self.name).finish_non_exhaustive()
    }
}

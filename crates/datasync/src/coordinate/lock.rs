//! A fair lock: contenders queue up by the order in which they were created.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::LeaseKeeper;
use super::queue::{LockRequest, after, gone};
use super::tenure::{Tenure, release};
use crate::{Error, Key, Result, Revision, Store};

/// A lock that one process at a time holds, across all processes that share the store.
///
/// It is fair: whoever asked first has it first. It is as good as the holder's lease: when the store loses sight of
/// the holder for longer than the lease lives, the next one has the lock. So a holder that must not do harm late
/// either commits *through* the lock (a [`Txn`](crate::Txn) that checks [`LockGuard::key`]) or passes
/// [`LockGuard::token`] on to whatever it writes to.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use quorate_datasync::{Key, Lock, Memory, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let lock = Lock::new(&store, Key::parse("/locks/rotate")?);
/// let guard = lock.acquire(Duration::from_secs(5)).await?;
/// assert!(lock.acquire(Duration::ZERO).await.is_err());
/// guard.release().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Lock {
    store: Arc<dyn Store>,
    directory: Key,
    keeper: LeaseKeeper,
}

/// Why a lock was not had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Others held it for as long as was allowed to wait.
    #[error("the lock {directory} was not had within {:?}", whole_millis(*waited))]
    TimedOut {
        /// Where the contenders are.
        directory: Key,
        /// How long it was allowed to wait.
        waited: Duration,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// A lock that is held. Dropping it frees the lock in the background.
#[derive(Debug)]
pub struct LockGuard {
    store: Arc<dyn Store>,
    tenure: Tenure,
}

impl Lock {
    /// The lock whose contenders are below `directory`.
    #[must_use]
    pub fn new(store: &Arc<dyn Store>, directory: Key) -> Self {
        Self { store: Arc::clone(store), directory, keeper: LeaseKeeper::new(store) }
    }

    /// Waits for the lock, in the order of asking, for at most `wait`.
    ///
    /// # Errors
    ///
    /// [`LockError::TimedOut`] if others held it so long, [`LockError::Store`] if the store failed.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the queue in the background.
    pub async fn acquire(&self, wait: Duration) -> Result<LockGuard, LockError> {
        let Self { store, directory, keeper } = self;
        let deadline = after(wait);
        let request = LockRequest { store, directory, keeper, then_get: None, wait, deadline };
        let tenure = request.acquire().await?;
        Ok(LockGuard { store: Arc::clone(store), tenure })
    }
}

impl LockGuard {
    /// The entry whose existence is the lock. A transaction that checks it commits through the lock.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.tenure.entry
    }

    /// The fencing token: greater than that of every holder before.
    #[must_use]
    pub const fn token(&self) -> Revision {
        self.tenure.created
    }

    /// Waits until the lock is lost: its lease ended, or somebody deleted its entry.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn lost(&self) {
        tokio::select! {
            () = self.tenure.lease.ended() => {}
            () = gone(&self.store, &self.tenure.entry) => {}
        }
    }

    /// Frees the lock and waits until the store has acknowledged it.
    ///
    /// # Errors
    ///
    /// The store's error; the lock is then freed in the background.
    ///
    /// # Cancel safety
    ///
    /// A dropped future frees the lock in the background.
    pub async fn release(mut self) -> Result<()> {
        release(&self.store, &self.tenure.entry).await?;
        self.tenure.consumed();
        Ok(())
    }
}

/// A time as people read it.
const fn whole_millis(time: Duration) -> Duration {
    time.saturating_sub(Duration::from_nanos((time.subsec_nanos() % 1_000_000) as u64))
}

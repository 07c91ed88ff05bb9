//! The place that a holder has, and how it is given up on every path.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::backoff::Backoff;
use crate::{
    Conflict, Consistency, Entry, ErrorKind, Incarnation, Key, Lease, List, Result, Revision, Store, Txn,
};

/// The place of a holder: its entry in the lock's directory, and whatever keeps it there.
///
/// Dropping it deletes the entry in the background, so every path frees the lock.
#[derive(Debug)]
pub(crate) struct Tenure {
    pub(crate) entry: Key,
    pub(crate) created: Revision,
    /// What the entry is under. Held here, so that the lock outlives the handle that it was asked of.
    pub(crate) lease: Arc<Lease>,
    /// The key asked for, as read under the lock.
    pub(crate) got: Option<Entry>,
    /// The life of the store that answered before that was read.
    pub(crate) incarnation: Option<Incarnation>,
    pub(super) release: Release,
}

/// Deletes what one attempt left in the lock's directory, unless it was dealt with.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) store: Arc<dyn Store>,
    pub(super) directory: Key,
    pub(super) stem: String,
    /// Held until the entry is gone: a lease that ends first might not know of an entry that was never answered.
    pub(super) lease: Arc<Lease>,
    /// Where it is deleted, also if it is dropped on a thread that is not of a runtime.
    pub(super) runtime: Handle,
    pub(super) is_done: bool,
}

impl Tenure {
    /// The entry is gone by our own doing: nothing is left to be freed.
    pub(crate) const fn consumed(&mut self) {
        self.release.is_done = true;
    }
}

/// Deletes the entry of a lock; one that is gone is fine.
pub(crate) async fn release(store: &Arc<dyn Store>, entry: &Key) -> Result<()> {
    store.commit(Txn::new().delete(entry)).await.map(drop)
}

impl Drop for Release {
    fn drop(&mut self) {
        if self.is_done || self.lease.has_ended() {
            return;
        }
        let sweep = Sweep {
            store: Arc::clone(&self.store),
            directory: self.directory.clone(),
            stem: std::mem::take(&mut self.stem),
        };
        let lease = Arc::clone(&self.lease);
        // The task owns itself: it ends when the entry is gone, by its hand or with the lease.
        self.runtime.spawn(async move {
            tokio::select! {
                () = sweep.run() => {}
                () = lease.ended() => {}
            }
        });
    }
}

/// Deletes every entry of one attempt, also one whose creation was never answered.
struct Sweep {
    store: Arc<dyn Store>,
    directory: Key,
    stem: String,
}

impl Sweep {
    async fn run(&self) {
        let mut backoff = Backoff::default();
        while let Err(error) = self.once().await {
            if matches!(error.kind(), ErrorKind::Closed | ErrorKind::Denied | ErrorKind::ReadOnly) {
                tracing::warn!(directory = %self.directory, %error, "a lock entry is left to its lease");
                return;
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    async fn once(&self) -> Result<()> {
        let below = self.directory.below();
        let names = self.store.list(&below, List::Names, Consistency::Linearizable).await?.into_names();
        for name in names.iter().filter(|name| name.starts_with(&self.stem)) {
            match release(&self.store, &self.directory.join(name)?).await {
                Err(error) if error.as_conflict() != Some(Conflict::Absent) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

//! A store whose watches tell that a key changed, and not how, as those of some servers do.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use quorate_datasync::{
    Capabilities, Committed, Consistency, Key, Lease, List, Listing, Memory, Prefix, RawChange, RawChanges,
    Read, Result, Selection, Store, StoreStatus, Txn, Want, WatchFrom,
};
use tokio::sync::watch;

/// A handle to a memory store that is told little.
#[derive(Debug)]
pub(crate) struct Vague(pub(crate) Arc<Memory>);

#[async_trait]
impl Store for Vague {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(self.0.capabilities().value_bytes_max).txn_keys_max(3)
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.0.status()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.0.get(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        self.0.list(prefix, want, at).await
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        txn.validate(&self.capabilities())?;
        self.0.commit(txn).await
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        let changes = self.0.watch(what, from).await?;
        Ok(RawChanges::new(changes.filter_map(|change| async {
            match change {
                RawChange::Put(entry) => Some(RawChange::Dirty(entry.key)),
                RawChange::Delete(key, _) => Some(RawChange::Dirty(key)),
                RawChange::Progress { .. } => None,
                other => Some(other),
            }
        })))
    }

    async fn grant(&self, ttl: Duration) -> Result<Lease> {
        self.0.grant(ttl).await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

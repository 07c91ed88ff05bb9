//! A store that takes less than others, and hears of others late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use quorate_datasync::{
    Capabilities, Committed, Consistency, Error, ErrorKind, Key, Lease, List, Listing, Memory, Prefix,
    RawChanges, Read, Result, Selection, Store, StoreStatus, Txn, Want, WatchFrom,
};
use tokio::sync::watch;

/// A memory store with limits.
#[derive(Debug)]
pub(crate) struct Limited {
    inner: Memory,
    capabilities: Capabilities,
    /// A key that it never takes.
    pub(crate) denied: Option<Key>,
    pub(crate) read_only: AtomicBool,
    pub(crate) commits: AtomicUsize,
}

impl Limited {
    pub(crate) fn new(inner: &Memory, value_bytes_max: usize, txn_keys_max: usize) -> Self {
        Self {
            inner: inner.handle(),
            capabilities: Capabilities::new(value_bytes_max).txn_keys_max(txn_keys_max),
            denied: None,
            read_only: AtomicBool::new(false),
            commits: AtomicUsize::new(0),
        }
    }

    pub(crate) fn store(self) -> (Arc<Self>, Arc<dyn Store>) {
        let limited = Arc::new(self);
        (Arc::clone(&limited), limited)
    }
}

#[async_trait]
impl Store for Limited {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.inner.status()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.inner.get(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        self.inner.list(prefix, want, at).await
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        txn.validate(&self.capabilities)?;
        if self.read_only.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::ReadOnly, "commit"));
        }
        if let Some(denied) = &self.denied
            && txn.keys().any(|key| key == denied)
        {
            return Err(Error::new(ErrorKind::Denied, "commit").on(denied));
        }
        self.inner.commit(txn).await
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        self.inner.watch(what, from).await
    }

    async fn grant(&self, ttl: Duration) -> Result<Lease> {
        self.inner.grant(ttl).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

//! A memory store that withholds its answers on demand.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use quorate_datasync::{
    Capabilities, Committed, Consistency, Key, Lease, List, Listing, Memory, Prefix, RawChanges, Read,
    Result, Selection, Store, StoreStatus, Txn, Want, WatchFrom,
};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Nothing,
    /// Before they are carried out.
    Commits,
    /// After they are carried out: only the answer is late.
    Answers,
    Lists,
    Reads,
}

#[derive(Debug)]
pub(crate) struct Holding {
    pub(crate) inner: Memory,
    held: watch::Sender<Held>,
    keys_max: usize,
}

impl Holding {
    pub(crate) fn new() -> (Arc<Self>, Arc<dyn Store>) {
        Self::taking(usize::MAX)
    }

    /// Takes so many keys in one transaction.
    pub(crate) fn taking(keys_max: usize) -> (Arc<Self>, Arc<dyn Store>) {
        let holding =
            Arc::new(Self { inner: Memory::new(), held: watch::Sender::new(Held::Nothing), keys_max });
        (Arc::clone(&holding), holding)
    }

    pub(crate) fn hold(&self, what: Held) {
        self.held.send_replace(what);
    }

    pub(crate) fn held(&self) -> Held {
        *self.held.borrow()
    }

    pub(crate) async fn is_held(&self, what: Held) {
        let mut held = self.held.subscribe();
        let _ = held.wait_for(|held| *held == what).await;
    }

    async fn pass(&self, what: Held) {
        let mut held = self.held.subscribe();
        let _ = held.wait_for(|held| *held != what).await;
    }
}

#[async_trait]
impl Store for Holding {
    fn capabilities(&self) -> Capabilities {
        let capabilities = self.inner.capabilities();
        let keys_max = capabilities.txn_keys_max.min(self.keys_max);
        capabilities.txn_keys_max(keys_max)
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.inner.status()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.pass(Held::Reads).await;
        self.inner.get(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        self.pass(Held::Lists).await;
        self.inner.list(prefix, want, at).await
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        txn.validate(&self.capabilities())?;
        self.pass(Held::Commits).await;
        let committed = self.inner.commit(txn).await;
        self.pass(Held::Answers).await;
        committed
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

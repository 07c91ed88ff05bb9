//! The store: what the trait asks for, handed to the parts that do it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use quorate_datasync::{
    Capabilities, Committed, Consistency, Key, Lease, List, Listing, Prefix, RawChanges, Read, Result,
    Selection, Store, StoreStatus, Txn, Want, WatchFrom,
};
use quorate_zk::{Acl, Client};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::ZooKeeperOptions;
use crate::inner::Inner;
use crate::map::Paths;

/// The longest value. A request may have 1,048,575 bytes (`jute.maxbuffer`), and holds paths beside the value.
const VALUE_BYTES_MAX: usize = 1_048_575 - 8 * 1024;

/// how many keys one transaction may have; a multi of more would rarely fit into one request.
const TXN_KEYS_MAX: usize = 1000;

/// A store on ZooKeeper.
///
/// Connections that are lost are made again, to any of the servers; a session that expired is replaced, after which
/// watches are told a gap and leases have ended. Dropping the store closes the session in the background,
/// [`close`](Store::close) at once.
#[derive(Debug)]
pub struct ZooKeeper {
    inner: Arc<Inner>,
    status: AbortHandle,
}

impl ZooKeeper {
    /// A store on the ensemble of these servers, each `host:port`; the port is 2181 if absent.
    pub fn options(hosts: impl IntoIterator<Item = impl Into<String>>) -> ZooKeeperOptions {
        ZooKeeperOptions::new(hosts)
    }

    pub(crate) fn new(client: Client, chroot: Option<Key>, acl: Vec<Acl>, is_secure: bool) -> Self {
        let inner = Inner::new(client, Paths::new(chroot), acl, is_secure);
        let status = tokio::spawn(Arc::clone(&inner).follow_status()).abort_handle();
        Self { inner, status }
    }

    pub(crate) const fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }
}

#[async_trait]
impl Store for ZooKeeper {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(VALUE_BYTES_MAX).txn_keys_max(TXN_KEYS_MAX).with_linearizable()
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.inner.status()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.inner.paths.check(key)?;
        self.inner.read(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        prefix.key().map_or(Ok(()), |key| self.inner.paths.check(key))?;
        self.inner.list(prefix, want, at).await
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        txn.validate(&self.capabilities())?;
        for key in txn.keys() {
            self.inner.paths.check(key)?;
        }
        self.inner.commit(&txn).await
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        let key = match what {
            Selection::Key(key) => Some(key),
            Selection::Prefix(prefix) => prefix.key(),
        };
        key.map_or(Ok(()), |key| self.inner.paths.check(key))?;
        self.inner.watch(what, from).await
    }

    async fn grant(&self, _ttl: Duration) -> Result<Lease> {
        self.inner.grant().await
    }

    async fn close(&self) {
        self.inner.client.close().await;
        self.inner.refresh_status();
    }
}

impl Drop for ZooKeeper {
    fn drop(&mut self) {
        self.status.abort();
    }
}

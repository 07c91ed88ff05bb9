//! What every store must do when it is read and watched, an overlay does too.
//!
//! The claims write to the store that they are given; here such writes go to a source, and are answered when the
//! overlay shows them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use quorate_datasync::{
    Capabilities, Committed, Consistency, Key, Lease, List, Listing, Memory, Overlay, Prefix, RawChanges,
    Read, Result, Selection, Sources, Store, StoreStatus, Txn, Want, WatchFrom, Write,
};
use quorate_testkit::conformance::{Harness, within};
use tokio::sync::watch;

/// An overlay of two sources, the second of which is written to.
#[derive(Debug)]
struct Written {
    overlay: Arc<Overlay>,
    source: Memory,
}

#[async_trait]
impl Store for Written {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.overlay.capabilities();
        capabilities.txn_keys_max = self.source.capabilities().txn_keys_max;
        capabilities.ttl_granularity = self.source.capabilities().ttl_granularity;
        capabilities
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.overlay.status()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.overlay.get(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        self.overlay.list(prefix, want, at).await
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        // A key of the test's own tells when all before it shows.
        let mark = Key::parse("/mark")?;
        let put = txn.writes().iter().find_map(|write| match write {
            Write::Put { key, .. } => Some(key.clone()),
            _ => None,
        });
        let mut committed = self.source.commit(txn).await?;
        let marked = self.source.commit(Txn::new().put(&mark, "v")).await?.revision;
        within("the overlay shows the commit", async {
            while self.overlay.provenance(&mark).is_none_or(|shown| shown.revision < marked) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        // The overlay has revisions of its own.
        let shown = put.and_then(|put| self.overlay.provenance(&put)).map(|provenance| provenance.shown);
        committed.revision = match shown {
            Some(shown) => shown,
            None => self.overlay.get(&mark, Want::Stat, Consistency::Local).await?.revision,
        };
        Ok(committed)
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        self.overlay.watch(what, from).await
    }

    async fn grant(&self, ttl: Duration) -> Result<Lease> {
        self.source.grant(ttl).await
    }

    async fn close(&self) {
        self.overlay.close().await;
        self.source.close().await;
    }
}

async fn open() -> Harness {
    let source = Memory::new();
    let first = written(&source).await;
    let second = Written { overlay: Arc::clone(&first.overlay), source: source.handle() };
    Harness::new(Arc::new(first), Arc::new(second))
}

/// Two overlays of the same sources, of which one can be closed without the other.
async fn open_apart() -> Harness {
    let source = Memory::new();
    Harness::new(Arc::new(written(&source).await), Arc::new(written(&source).await))
}

async fn written(source: &Memory) -> Written {
    let (lower, source) = (Memory::new(), source.handle());
    let below: Arc<dyn Store> = Arc::new(lower);
    let above: Arc<dyn Store> = Arc::new(source.handle());
    let sources =
        Sources::new().add("below", &below, Prefix::root(), 0).add("above", &above, Prefix::root(), 1);
    let overlay = Arc::new(sources.open().expect("the names differ"));
    overlay.synced().await;
    Written { overlay, source }
}

quorate_testkit::conformance_suite!(reading: open, closing: open_apart);

//! A store whose watches can be interrupted on command.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use quorate_datasync::{
    Capabilities, Committed, Consistency, Key, Lease, List, Listing, Prefix, RawChange, RawChanges, Read,
    Result, Selection, Store, StoreStatus, Txn, Want, WatchFrom,
};
use tokio::sync::watch;

use super::Fault;

/// A store whose watches hear nothing while they are interrupted, and are then told a gap: for stores that never lose
/// a connection.
#[derive(Debug)]
#[non_exhaustive]
pub struct Interrupted {
    store: Arc<dyn Store>,
    faults: watch::Receiver<u64>,
}

/// One watch, from one interruption to the next.
struct Interruptible {
    store: Arc<dyn Store>,
    what: Selection,
    /// Counts interruptions and their ends: while it is odd nothing is heard.
    faults: watch::Receiver<u64>,
    /// What is heard, since which count; nothing while it is interrupted.
    changes: Option<(u64, RawChanges)>,
}

impl Interrupted {
    /// A store on top of another one, and what interrupts it.
    pub fn over(store: Arc<dyn Store>) -> (Arc<dyn Store>, impl Fn(Fault) + 'static) {
        let (tell, faults) = watch::channel(0);
        let fail =
            move |fault| tell.send_modify(|count| *count = (*count | 1) + u64::from(fault == Fault::Over));
        (Arc::new(Self { store, faults }), fail)
    }
}

impl Interruptible {
    async fn next(&mut self) -> Option<RawChange> {
        loop {
            let count = *self.faults.borrow_and_update();
            self.changes.take_if(|(since, _)| *since != count);
            if count.is_multiple_of(2) && self.changes.is_none() {
                let changes = self.store.watch(&self.what, WatchFrom::Now).await.ok()?;
                self.changes = Some((count, changes));
                return Some(RawChange::Gap);
            }
            let heard = async {
                match &mut self.changes {
                    Some((_, changes)) => changes.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                changed = self.faults.changed() => if changed.is_err() {
                    return None;
                },
                change = heard => return change,
            }
        }
    }
}

#[async_trait]
impl Store for Interrupted {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.store.status()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.store.get(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        self.store.list(prefix, want, at).await
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        self.store.commit(txn).await
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        let mut faults = self.faults.clone();
        let count = *faults.borrow_and_update();
        let changes = Some((count, self.store.watch(what, from).await?));
        let watch = Interruptible { store: Arc::clone(&self.store), what: what.clone(), faults, changes };
        let changes = stream::unfold(watch, async |mut watch| Some((watch.next().await?, watch)));
        Ok(RawChanges::new(changes.boxed()))
    }

    async fn grant(&self, ttl: Duration) -> Result<Lease> {
        self.store.grant(ttl).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

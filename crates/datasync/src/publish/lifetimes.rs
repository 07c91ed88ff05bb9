//! Keys that live as long as their publisher, and come back when the store forgot it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, Weak};

use bytes::Bytes;
use tokio::sync::{Mutex, Notify};
use tokio::task::AbortHandle;

use super::batch::Planned;
use crate::backoff::Backoff;
use crate::coordinate::LeaseKeeper;
use crate::mutex::lock;
use crate::{Committed, Consistency, Error, ErrorKind, Key, LeaseRef, Prefix, Result, Store, Txn, Want};

/// How often a commit is tried whose lease ended just before.
const ATTEMPTS_MAX: usize = 3;

/// The keys that live as long as one publisher.
#[derive(Debug)]
pub(super) struct Lifetimes {
    store: Arc<dyn Store>,
    /// Commits that concern keys of a lifetime go one after the other, so that the newest value is the one that
    /// comes back.
    kept: Mutex<Kept>,
    /// Whether there ever was such a key. Without one commits need not wait for each other.
    has_any: AtomicBool,
    /// Rings when it is open whether a key was put.
    doubt: Notify,
    task: SyncMutex<Option<AbortHandle>>,
}

/// The life of one publisher; its keys end with it.
#[derive(Debug)]
pub(super) struct Life(Arc<Lifetimes>);

impl Life {
    pub(super) fn new(store: &Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self(Arc::new(Lifetimes::new(store))))
    }

    pub(super) const fn keys(&self) -> &Arc<Lifetimes> {
        &self.0
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The values, and the lease that they are under.
#[derive(Debug, Default)]
struct Kept {
    keeper: Option<Arc<LeaseKeeper>>,
    keys: BTreeMap<Key, Value>,
}

/// A value that lives as long as its publisher.
#[derive(Clone, Debug)]
struct Value {
    bytes: Bytes,
    /// The grant that it was put under; `None` while that is open.
    under: Option<u64>,
    /// What was to hold when it was put, while that is open: whether it held has to be read.
    is_guarded: bool,
    /// What the key had before, while that is open.
    before: Option<Box<Self>>,
}

/// Rings when a commit ends, or is given up, with an open outcome.
struct Doubt<'l>(Option<&'l Notify>);

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if let Some(bell) = self.0 {
            bell.notify_one();
        }
    }
}

impl Lifetimes {
    fn new(store: &Arc<dyn Store>) -> Self {
        Self {
            store: Arc::clone(store),
            kept: Mutex::default(),
            has_any: AtomicBool::new(false),
            doubt: Notify::new(),
            task: SyncMutex::new(None),
        }
    }

    pub(super) const fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Commits writes, and remembers which keys live as long as the publisher.
    pub(super) async fn commit(self: &Arc<Self>, planned: &[Planned]) -> Result<(Txn, Committed)> {
        let needs_lease = planned.iter().any(|planned| planned.lifetime_value().is_some());
        if !needs_lease && !self.has_any.load(Ordering::Acquire) {
            let txn = Planned::txn(planned, None);
            return self.store.commit(txn.clone()).await.map(|committed| (txn, committed));
        }
        self.has_any.store(true, Ordering::Release);
        let mut kept = self.kept.lock().await;
        let mut attempt = 1;
        loop {
            match self.try_commit(&mut kept, planned, needs_lease).await {
                Err(error) if error.kind() == ErrorKind::LeaseEnded && attempt < ATTEMPTS_MAX => attempt += 1,
                result => return result,
            }
        }
    }

    async fn try_commit(
        self: &Arc<Self>,
        kept: &mut Kept,
        planned: &[Planned],
        needs_lease: bool,
    ) -> Result<(Txn, Committed)> {
        let lease = if needs_lease { Some(self.lease(kept).await?) } else { None };
        let txn = Planned::txn(planned, lease.as_ref());
        let before: Vec<_> =
            planned.iter().map(|one| (one.key().clone(), kept.keys.get(one.key()).cloned())).collect();
        // What was demanded of one write of a batch holds for all of them.
        let is_guarded = planned.iter().any(Planned::is_guarded);
        for planned in planned {
            kept.take(planned, is_guarded);
        }
        let mut doubt = Doubt(needs_lease.then_some(&self.doubt));
        let result = self.store.commit(txn.clone()).await;
        match &result {
            Ok(_) => kept.confirm(planned, lease.as_ref()),
            Err(error) if error.maybe_applied() => {}
            Err(error) => kept.restore(planned, before, error.as_conflict().is_some()),
        }
        if !result.as_ref().is_err_and(Error::maybe_applied) {
            doubt.0 = None;
        }
        result.map(|committed| (txn, committed))
    }

    /// The lease that keys are put under. The first time the task begins that puts them anew when it ended.
    async fn lease(self: &Arc<Self>, kept: &mut Kept) -> Result<LeaseRef> {
        let keeper = kept.keeper.get_or_insert_with(|| {
            let keeper = Arc::new(LeaseKeeper::new(&self.store));
            let task = tokio::spawn(keep(Arc::clone(self), Arc::downgrade(&keeper))).abort_handle();
            *lock(&self.task) = Some(task);
            keeper
        });
        keeper.current().await.map(|lease| lease.reference())
    }

    /// Ends the lease, and with it the keys, in the background.
    fn end(&self) {
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
        // If the task is just putting a key the lease goes with it.
        if let Ok(mut kept) = self.kept.try_lock() {
            kept.keeper = None;
        }
    }

    /// Forgets the keys below a prefix: they are to be deleted, and are not put anew.
    pub(super) async fn forget_below(&self, prefix: &Prefix) {
        if self.has_any.load(Ordering::Acquire) {
            self.kept.lock().await.keys.retain(|key, _| !prefix.contains(key));
        }
    }

    /// Puts anew what is not under this lease. Returns whether all of it is. A key that cannot be put keeps none of
    /// the others back.
    async fn put_again(&self, lease: &LeaseRef) -> Result<bool> {
        let mut kept = self.kept.lock().await;
        let keys: Vec<Key> = kept.keys.keys().cloned().collect();
        let mut result = Ok(true);
        for key in keys {
            match self.put_one_again(&mut kept, &key, lease).await {
                Ok(()) => {}
                // Somebody else has it, or the store did not notice yet that the old one is over.
                Err(error) if error.as_conflict().is_some() => result = result.map(|_| false),
                Err(error) if error.kind() == ErrorKind::Closed => return Err(error),
                Err(error) => result = Err(error),
            }
        }
        result
    }

    async fn put_one_again(&self, kept: &mut Kept, key: &Key, lease: &LeaseRef) -> Result<()> {
        let Some(value) = kept.keys.get_mut(key) else { return Ok(()) };
        if value.under == Some(lease.grant()) {
            return Ok(());
        }
        if value.is_guarded {
            // Put once more without what was demanded, it could take the place of what the demand was to keep.
            let is_provable = self.store.capabilities().linearizable;
            let at = if is_provable { Consistency::Linearizable } else { Consistency::Synced };
            let held = self.store.get(key, Want::Value, at).await?.into_entry();
            match (held.filter(|entry| entry.lease == Some(lease.id())), value.before.take()) {
                (Some(held), _) => {
                    let (bytes, under) = (held.value, Some(lease.grant()));
                    *value = Value { bytes, under, is_guarded: false, before: None };
                    return Ok(());
                }
                (None, Some(before)) => *value = Value { is_guarded: false, before: None, ..*before },
                (None, None) => {
                    kept.keys.remove(key);
                    return Ok(());
                }
            }
        }
        let txn = Txn::new().put_under(key, value.bytes.clone(), lease);
        self.store.commit(txn).await?;
        (value.under, value.before) = (Some(lease.grant()), None);
        Ok(())
    }
}

impl Kept {
    /// A write is sent: from now on its outcome is open.
    fn take(&mut self, planned: &Planned, is_guarded: bool) {
        let before = self.keys.remove(planned.key());
        if let Some(bytes) = planned.lifetime_value() {
            let before =
                before.filter(|_| is_guarded).map(|before| Box::new(Value { before: None, ..before }));
            let value = Value { bytes: bytes.clone(), under: None, is_guarded, before };
            self.keys.insert(planned.key().clone(), value);
        }
    }

    fn confirm(&mut self, planned: &[Planned], lease: Option<&LeaseRef>) {
        for planned in planned {
            if let Some(value) = self.keys.get_mut(planned.key()) {
                value.under = lease.map(LeaseRef::grant);
                (value.is_guarded, value.before) = (false, None);
            }
        }
    }

    /// Nothing was written. A key that was to be deleted is taken up again only if the store refused that.
    fn restore(&mut self, planned: &[Planned], before: Vec<(Key, Option<Value>)>, is_refused: bool) {
        for (planned, (key, value)) in planned.iter().zip(before) {
            match (planned, value) {
                (Planned::Delete(..), Some(_)) if !is_refused => {}
                (_, Some(value)) => drop(self.keys.insert(key, value)),
                (_, None) => drop(self.keys.remove(&key)),
            }
        }
    }
}

/// Puts the keys anew whenever their lease ended, until it is aborted or that can never succeed.
async fn keep(lifetimes: Arc<Lifetimes>, keeper: Weak<LeaseKeeper>) {
    let mut backoff = Backoff::default();
    loop {
        let Some(granter) = keeper.upgrade() else { return };
        let granted = granter.current().await;
        drop(granter);
        let lease = match granted {
            Ok(lease) => lease.reference(),
            Err(error) if is_final(&error) => return tracing::warn!(%error, "keys do not come back"),
            Err(_) => {
                tokio::time::sleep(backoff.next()).await;
                continue;
            }
        };
        match lifetimes.put_again(&lease).await {
            Ok(true) => {
                backoff.reset();
                tokio::select! {
                    () = lease.ended() => {}
                    () = lifetimes.doubt.notified() => {}
                }
            }
            Ok(false) => tokio::time::sleep(backoff.next()).await,
            Err(error) if error.kind() == ErrorKind::Closed => return,
            Err(error) => {
                tracing::warn!(%error, "putting keys anew is tried again");
                tokio::time::sleep(backoff.next()).await;
            }
        }
    }
}

/// Whether there will never be a lease.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Closed | ErrorKind::Unsupported)
}

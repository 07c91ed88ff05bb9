//! A store that does what a test wants it to do.

mod interrupted;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use quorate_datasync::{
    Capabilities, Committed, Consistency, Error, ErrorKind, Key, Lease, List, Listing, Prefix, RawChange,
    RawChanges, Read, Result, Selection, Store, StoreStatus, Txn, Want, WatchFrom,
};
use tokio::sync::watch;

type Refuse = Box<dyn Fn(&Txn) -> Result<()> + Send + Sync>;
type Listed = Box<dyn Fn() + Send + Sync>;
type Tell = Box<dyn Fn(&Selection, RawChanges) -> RawChanges + Send + Sync>;

/// What a store withholds for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Held {
    /// Nothing.
    Nothing,
    /// Commits, before they are carried out.
    Commits,
    /// Commits, after they are carried out: only the answer is late.
    Answers,
    /// Listings.
    Lists,
    /// Reads of one key.
    Reads,
}

/// A store on top of another one, which withholds, refuses, counts, or tells something else.
pub struct Rigged {
    store: Arc<dyn Store>,
    capabilities: Capabilities,
    refuse: Refuse,
    listed: Listed,
    hidden: Option<Key>,
    tell: Tell,
    held: watch::Sender<Held>,
    commits: AtomicUsize,
    /// Every watch has a share of it.
    watches: Arc<()>,
}

impl Rigged {
    /// Does what the store does, until it is told otherwise.
    #[must_use]
    pub fn over(store: Arc<dyn Store>) -> Self {
        Self {
            capabilities: store.capabilities(),
            store,
            refuse: Box::new(|_| Ok(())),
            listed: Box::new(|| ()),
            hidden: None,
            tell: Box::new(|_, changes| changes),
            held: watch::Sender::new(Held::Nothing),
            commits: AtomicUsize::new(0),
            watches: Arc::new(()),
        }
    }

    /// A store whose watches tell that a key changed and not how, and no whole commits, as those of some servers do.
    #[must_use]
    pub fn vague(store: Arc<dyn Store>) -> Arc<dyn Store> {
        let capabilities = Capabilities::new(store.capabilities().value_bytes_max).txn_keys_max(3);
        let tell = |_: &Selection, changes: RawChanges| {
            RawChanges::new(changes.filter_map(|change| async {
                match change {
                    RawChange::Put(entry) => Some(RawChange::Dirty(entry.key)),
                    RawChange::Delete(key, _) => Some(RawChange::Dirty(key)),
                    RawChange::Progress { .. } => None,
                    other => Some(other),
                }
            }))
        };
        Self::over(store).promising(capabilities).telling(tell).open().1
    }

    /// Promises this, and holds commits to it.
    #[must_use]
    pub fn promising(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Refuses the commits for which this fails.
    #[must_use]
    pub fn refusing(mut self, refuse: impl Fn(&Txn) -> Result<()> + Send + Sync + 'static) -> Self {
        self.refuse = Box::new(refuse);
        self
    }

    /// Lets nobody watch what this key is of.
    #[must_use]
    pub fn hiding(mut self, key: Key) -> Self {
        self.hidden = Some(key);
        self
    }

    /// Calls this as soon as something was listed, before it is told.
    #[must_use]
    pub fn when_listed(mut self, call: impl Fn() + Send + Sync + 'static) -> Self {
        self.listed = Box::new(call);
        self
    }

    /// Has watches tell what this makes of what the store tells.
    #[must_use]
    pub fn telling(
        mut self,
        tell: impl Fn(&Selection, RawChanges) -> RawChanges + Send + Sync + 'static,
    ) -> Self {
        self.tell = Box::new(tell);
        self
    }

    /// The store as a test handles it, and as everybody else does.
    #[must_use]
    pub fn open(self) -> (Arc<Self>, Arc<dyn Store>) {
        let rigged = Arc::new(self);
        (Arc::clone(&rigged), rigged)
    }

    /// Withholds this from now on, and lets everything else pass.
    pub fn hold(&self, what: Held) {
        self.held.send_replace(what);
    }

    /// What is withheld now.
    #[must_use]
    pub fn held(&self) -> Held {
        *self.held.borrow()
    }

    /// Waits until this is withheld.
    pub async fn is_held(&self, what: Held) {
        let mut held = self.held.subscribe();
        let _ = held.wait_for(|held| *held == what).await;
    }

    /// How many commits were asked for.
    #[must_use]
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }

    /// How many watches there are now.
    #[must_use]
    pub fn watches(&self) -> usize {
        Arc::strong_count(&self.watches) - 1
    }

    async fn pass(&self, what: Held) {
        let mut held = self.held.subscribe();
        let _ = held.wait_for(|held| *held != what).await;
    }
}

#[async_trait]
impl Store for Rigged {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.store.status()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.pass(Held::Reads).await;
        self.store.get(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        self.pass(Held::Lists).await;
        let listing = self.store.list(prefix, want, at).await;
        (self.listed)();
        // What the watch tells of it may come while the content is on its way.
        tokio::task::yield_now().await;
        listing
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        txn.validate(&self.capabilities)?;
        (self.refuse)(&txn)?;
        self.pass(Held::Commits).await;
        let committed = self.store.commit(txn).await;
        self.pass(Held::Answers).await;
        committed
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        let is_of = |hidden: &Key| match what {
            Selection::Key(key) => key == hidden,
            Selection::Prefix(prefix) => prefix.contains(hidden),
        };
        if self.hidden.as_ref().is_some_and(is_of) {
            return Err(Error::new(ErrorKind::Denied, "watch"));
        }
        let changes = (self.tell)(what, self.store.watch(what, from).await?);
        let share = Arc::clone(&self.watches);
        Ok(RawChanges::new(changes.inspect(move |_| {
            let _ = &share;
        })))
    }

    async fn grant(&self, ttl: Duration) -> Result<Lease> {
        self.store.grant(ttl).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

impl fmt::Debug for Rigged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rigged")
            .field("store", &self.store)
            .field("held", &self.held())
            .finish_non_exhaustive()
    }
}

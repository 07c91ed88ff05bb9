//! Where one claim is played.

use std::sync::Arc;
use std::time::Duration;

use quorate_datasync::{
    Capabilities, Consistency, Entry, ErrorKind, Key, List, Prefix, Result, Selection, Store, Txn, Want,
};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{Harness, Observer, assert_refused};

/// The longest wait for anything that should come by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two handles to one store and a part of it that belongs to one claim alone.
#[derive(Debug)]
#[non_exhaustive]
pub struct Stage {
    /// One client of the store.
    pub store: Arc<dyn Store>,
    /// Another client of the same store.
    pub second: Arc<dyn Store>,
    base: Key,
}

impl Stage {
    /// A stage for the claim of this name.
    #[must_use]
    pub fn new(harness: &Harness, claim: &str) -> Self {
        let base = format!("/conformance/{claim}-{}", Uuid::new_v4().simple());
        let base = Key::parse(&base).expect("a claim's name and an id make a key");
        Self { store: Arc::clone(harness.store()), second: Arc::clone(harness.second()), base }
    }

    /// The key below which the claim works.
    #[must_use]
    pub const fn base(&self) -> &Key {
        &self.base
    }

    /// A key of this claim.
    #[must_use]
    pub fn key(&self, segments: &str) -> Key {
        self.base.join(segments).expect("a claim names valid keys")
    }

    /// Everything that belongs to this claim.
    #[must_use]
    pub fn all(&self) -> Prefix {
        self.base.below()
    }

    /// What the store can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    /// The entry under a key that must be there.
    ///
    /// # Errors
    ///
    /// Those of the store.
    ///
    /// # Panics
    ///
    /// If the key is absent.
    pub async fn entry(&self, key: &Key) -> Result<Entry> {
        Ok(fresh(&self.store, key).await?.unwrap_or_else(|| panic!("{key} is absent")))
    }

    /// Follows all that belongs to this claim, as the second client sees it.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn observe(&self) -> Result<Observer> {
        Observer::start(&self.second, Selection::Prefix(self.all())).await
    }

    /// Whether the store commits fewer than `keys` keys at once, which it must then refuse.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn lacks_keys(&self, keys: usize) -> Result<bool> {
        if self.capabilities().txn_keys_max >= keys {
            return Ok(false);
        }
        let key = |n| self.key(&format!("too-many/{n}"));
        let txn = (0..keys).fold(Txn::new(), |txn, n| txn.put(&key(n), "v"));
        assert_refused(self.store.commit(txn).await, ErrorKind::Unsupported);
        assert!(fresh(&self.store, &key(0)).await?.is_none(), "a refused transaction wrote");
        Ok(true)
    }

    /// Deletes what the claim left behind, so that a server that is shared does not fill up.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn clean(&self) -> Result<()> {
        let keys = self.second.list(&self.all(), List::Keys, Consistency::Synced).await?.into_keys();
        // What is below a key sorts after it, and must go first.
        for key in keys.into_iter().rev() {
            self.second.commit(Txn::new().delete(&key)).await?;
        }
        self.second.commit(Txn::new().delete(&self.base)).await?;
        Ok(())
    }
}

/// The entry under a key, as the leader of the store has it.
///
/// # Errors
///
/// Those of the store.
pub async fn fresh(store: &Arc<dyn Store>, key: &Key) -> Result<Option<Entry>> {
    Ok(store.get(key, Want::Value, Consistency::Synced).await?.into_entry())
}

/// Waits for something that must come by itself, and fails with the sentence if it does not.
///
/// # Panics
///
/// If it does not come within 20 s.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = timeout(PATIENCE, work).await;
    // A timeout looks once more at its end, and would find what nobody was woken for.
    match done {
        Ok(done) if begun.elapsed() < PATIENCE => done,
        _ => panic!("not within {PATIENCE:?}: {what}"),
    }
}

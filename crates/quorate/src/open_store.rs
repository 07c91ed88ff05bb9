//! An open store that can still be asked how it is reached.

use std::sync::Arc;

use quorate_datasync::{Key, Result, Store};

use crate::Findings;
use crate::zookeeper::Examiner;

/// An open store, and who can be asked how it is reached.
#[derive(Clone, Debug)]
pub struct OpenStore {
    store: Arc<dyn Store>,
    examiner: Option<Examiner>,
}

impl OpenStore {
    pub(crate) fn new(store: Arc<dyn Store>, examiner: Option<Examiner>) -> Self {
        Self { store, examiner }
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Looks at how the store is reached and who may touch it. Where that takes a key, one is put at `key` under a
    /// lease and deleted again; nobody else should use it.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`], but a refusal of the key is none.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind but perhaps the key, until its lease ends.
    pub async fn examine(&self, key: &Key) -> Result<Findings> {
        match &self.examiner {
            Some(examiner) => examiner.examine(key).await,
            None => Ok(Findings::default()),
        }
    }
}

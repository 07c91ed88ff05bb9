//! Waiting until a key is gone.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::StreamExt;
use quorate::{Key, Replica, Selection, Store, Watch};

/// Watches a key that is there, to see it vanish.
#[derive(Debug)]
pub(super) struct Vanishing {
    key: Key,
    watch: Watch,
    replica: Replica,
}

impl Vanishing {
    /// Begins to watch the key, and returns when it was seen.
    ///
    /// # Errors
    ///
    /// The store was closed.
    pub(super) async fn of(store: &Arc<dyn Store>, key: Key) -> Result<Self> {
        let watch = Watch::new(store, Selection::Key(key.clone()));
        let mut vanishing = Self { key, watch, replica: Replica::new() };
        while vanishing.replica.get(&vanishing.key).is_none() {
            vanishing.step().await?;
        }
        Ok(vanishing)
    }

    /// Waits until the key is gone.
    ///
    /// # Errors
    ///
    /// The store was closed.
    ///
    /// # Cancel safety
    ///
    /// It can be waited for again.
    pub(super) async fn wait(&mut self) -> Result<()> {
        while self.replica.get(&self.key).is_some() {
            self.step().await?;
        }
        Ok(())
    }

    async fn step(&mut self) -> Result<()> {
        // A failure in between is retried by the watch itself.
        if let Ok(event) = self.watch.next().await.context("the store was closed")? {
            self.replica.apply(event);
        }
        Ok(())
    }
}

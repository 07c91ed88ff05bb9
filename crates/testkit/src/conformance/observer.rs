//! Follows a store the way the layers above do, and watches that it keeps its word.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt;
use quorate_datasync::{
    Delta, Entry, Error, ErrorKind, Event, Incarnation, Key, RawChange, RawChanges, Replica, Result,
    Revision, Selection, Store, Watch,
};

use super::within;

/// A replica that is fed by a watch. On the way it demands that no key goes backwards.
#[derive(Debug)]
pub struct Observer {
    watch: Watch,
    replica: Replica,
    incarnation: Option<Incarnation>,
    /// The newest revision of each key that was told in this life of the store.
    newest: HashMap<Key, Revision>,
}

impl Observer {
    /// Follows a selection; the content was told when this returns.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn start(store: &Arc<dyn Store>, selection: Selection) -> Result<Self> {
        let watch = Watch::new(store, selection);
        let mut observer = Self { watch, replica: Replica::new(), incarnation: None, newest: HashMap::new() };
        observer.until("the first content of a watch", Replica::is_synced).await?;
        Ok(observer)
    }

    /// The copy as it is now.
    #[must_use]
    pub const fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Takes the next event and says what it changed.
    ///
    /// # Errors
    ///
    /// What the watch tells in between, and `Closed` at its end.
    ///
    /// # Panics
    ///
    /// If a key goes backwards.
    pub async fn step(&mut self) -> Result<Vec<Delta>> {
        let event = self.watch.next().await.ok_or_else(|| Error::new(ErrorKind::Closed, "watch"))??;
        match &event {
            Event::ResyncStart { incarnation } if self.incarnation != Some(*incarnation) => {
                self.incarnation = Some(*incarnation);
                self.newest.clear();
            }
            Event::Resync(entry) | Event::Put(entry) => self.demand_order(entry),
            _ => {}
        }
        Ok(self.replica.apply(event))
    }

    /// Takes events until the copy is as it should be.
    ///
    /// # Errors
    ///
    /// Those of [`step`](Self::step).
    ///
    /// # Panics
    ///
    /// If it is not so in time, with what was waited for.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Replica) -> bool) -> Result<()> {
        within(what, async {
            while !done(&self.replica) {
                self.step().await?;
            }
            Ok(())
        })
        .await
    }

    /// Takes events until a key has this value.
    ///
    /// # Errors
    ///
    /// Those of [`step`](Self::step).
    pub async fn until_value(&mut self, key: &Key, value: &str) -> Result<()> {
        let has_value = |replica: &Replica| replica.get(key).is_some_and(|entry| entry.value == value);
        self.until(&format!("a watch tells that {key} is {value:?}"), has_value).await
    }

    /// Takes events until a key is gone.
    ///
    /// # Errors
    ///
    /// Those of [`step`](Self::step).
    pub async fn until_absent(&mut self, key: &Key) -> Result<()> {
        let is_absent = |replica: &Replica| replica.get(key).is_none();
        self.until(&format!("a watch tells that {key} is gone"), is_absent).await
    }

    fn demand_order(&mut self, entry: &Entry) {
        let newest = self.newest.entry(entry.key.clone()).or_default();
        assert!(*newest <= entry.revision, "{} went from {newest} back to {}", entry.key, entry.revision);
        *newest = entry.revision;
    }
}

/// The next thing that a watch tells, other than progress.
///
/// # Panics
///
/// If nothing comes in time, or the watch ends.
pub async fn next_change(changes: &mut RawChanges, what: &str) -> RawChange {
    within(what, async {
        loop {
            match changes.next().await {
                Some(RawChange::Progress { .. }) => {}
                Some(change) => return change,
                None => panic!("the watch ended, awaited was: {what}"),
            }
        }
    })
    .await
}

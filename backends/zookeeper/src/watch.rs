//! Watching: a notification is only "dirty", and what was missed is a gap.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use quorate_datasync::{RawChange, RawChanges, Result, Selection, WatchFrom};
use quorate_zk::{EventType, WatchMode, Watched};

use crate::error::classify;
use crate::inner::Inner;

impl Inner {
    /// Arms a persistent watch: on the one znode, or on everything below the prefix.
    ///
    /// Up to 3.8 notifications carry no transaction id, so an event says only that a key is dirty; whoever reads it
    /// then sees at least the change, since the server answers this session in order.
    pub(crate) async fn watch(self: &Arc<Self>, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        let (path, mode, key) = match what {
            Selection::Key(key) => (self.paths.of(key), WatchMode::Persistent, Some(key)),
            Selection::Prefix(prefix) => (self.paths.below(prefix), WatchMode::PersistentRecursive, None),
        };
        let watcher =
            self.client.add_watch(&path, mode).await.map_err(|error| classify("watch", key, error))?;
        // The server has answered: what is loaded behind this watch is of the life that the client knows now.
        self.refresh_status();
        let first = match (from, key) {
            (WatchFrom::Now, _) => None,
            // Nothing of the past is kept.
            (WatchFrom::After(_), Some(key)) => Some(RawChange::Dirty(key.clone())),
            (WatchFrom::After(_), None) => Some(RawChange::Gap),
        };
        let (inner, what) = (Arc::clone(self), what.clone());
        let changes = watcher.filter_map(move |watched| {
            let change = inner.change(&what, watched);
            std::future::ready(change)
        });
        Ok(RawChanges::new(stream::iter(first).chain(changes)))
    }

    fn change(&self, what: &Selection, watched: Watched) -> Option<RawChange> {
        match watched {
            Watched::Event(event) => match event.event_type {
                EventType::NodeCreated | EventType::NodeDataChanged | EventType::NodeDeleted => {
                    let key = self.paths.key(&event.path)?;
                    what.contains(&key).then_some(RawChange::Dirty(key))
                }
                _ => None,
            },
            _ => {
                self.refresh_status();
                Some(RawChange::Gap)
            }
        }
    }
}

//! The layers of an overlay: which source shows at each key. No I/O.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use crate::memory::Installed;
use crate::{Delta, Entries, Entry, Event, Incarnation, Key, LeaseId, Prefix, Replica, Revision};

use super::Provenance;

/// What is to change in the content of the overlay.
pub(super) type Content = Vec<(Key, Option<Installed>)>;

/// Tells one source from another, also from one that had its name before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LayerId(u64);

/// The copies of all sources, and what shows of them.
#[derive(Debug)]
pub(super) struct Layers {
    /// The prefix that the sources share in the overlay.
    at: Prefix,
    /// The one that wins comes first.
    layers: Vec<Layer>,
    shown: HashMap<Key, Shown>,
    next: u64,
}

#[derive(Debug)]
struct Layer {
    id: LayerId,
    name: Arc<str>,
    priority: i32,
    /// What it shows lies below this prefix of its store.
    prefix: Prefix,
    /// Whether its store tells the changes of one commit together.
    is_atomic: bool,
    replica: Replica,
    /// What shows: the copy without the commit of which not everything was told yet.
    whole: Entries,
    /// Keys of the overlay that a commit changed of which not everything was told yet.
    pending: BTreeSet<Key>,
}

/// Which entry of which source shows at a key.
#[derive(Clone, Debug)]
struct Shown {
    layer: LayerId,
    incarnation: Incarnation,
    revision: Revision,
    created: Revision,
    /// The revision of the overlay that shows it.
    since: Revision,
}

impl Layers {
    pub(super) fn new(at: Prefix) -> Self {
        Self { at, layers: Vec::new(), shown: HashMap::new(), next: 0 }
    }

    /// Adds a source that shows nothing yet. Of two with the same priority the one that came first wins.
    pub(super) fn add(&mut self, name: Arc<str>, priority: i32, prefix: Prefix, is_atomic: bool) -> LayerId {
        let id = LayerId(self.next);
        self.next += 1;
        let at = self.layers.partition_point(|layer| layer.priority >= priority);
        let (replica, whole, pending) = (Replica::new(), Entries::new(), BTreeSet::new());
        self.layers.insert(at, Layer { id, name, priority, prefix, is_atomic, replica, whole, pending });
        id
    }

    /// Takes a source away and gives back what shows instead.
    pub(super) fn remove(&mut self, id: LayerId) -> Content {
        let Some(at) = self.layers.iter().position(|layer| layer.id == id) else { return Vec::new() };
        let layer = self.layers.remove(at);
        let keys = layer.whole.iter().filter_map(|entry| self.outer(&layer.prefix, &entry.key)).collect();
        self.settle(keys)
    }

    /// Takes what a source told and gives back what changes in the overlay.
    pub(super) fn apply(&mut self, id: LayerId, event: Event) -> Content {
        let at = self.at.clone();
        let Some(layer) = self.layers.iter_mut().find(|layer| layer.id == id) else { return Vec::new() };
        let life = layer.replica.incarnation();
        let mut is_whole = !layer.is_atomic;
        layer.replica.apply_each(event, |delta| match delta {
            Delta::Put { entry, .. } => layer.pending.extend(outer(&at, &layer.prefix, &entry.key)),
            Delta::Deleted { previous, .. } => {
                layer.pending.extend(outer(&at, &layer.prefix, &previous.key));
            }
            Delta::Current { .. } => is_whole = true,
        });
        if !is_whole {
            return Vec::new();
        }
        layer.whole = layer.replica.entries().clone();
        let pending = std::mem::take(&mut layer.pending);
        let now = layer.replica.incarnation();
        if now != life {
            self.go_on_in(id, now.unwrap_or_default(), &pending);
        }
        self.settle(pending)
    }

    /// What shows of a source and is the same in another life of its store is of that life from now on.
    fn go_on_in(&mut self, id: LayerId, life: Incarnation, changed: &BTreeSet<Key>) {
        let shown = self.shown.iter_mut().filter(|(key, shown)| shown.layer == id && !changed.contains(*key));
        shown.for_each(|(_, shown)| shown.incarnation = life);
    }

    /// Notes the revision of the overlay at which what was last given back shows.
    pub(super) fn settled(&mut self, keys: impl IntoIterator<Item = Key>, revision: Revision) {
        for key in keys {
            if let Some(shown) = self.shown.get_mut(&key) {
                shown.since = revision;
            }
        }
    }

    /// Whether the content of a source was told completely at least once.
    pub(super) fn is_synced(&self, id: LayerId) -> bool {
        self.layers.iter().any(|layer| layer.id == id && layer.replica.is_synced())
    }

    pub(super) fn provenance(&self, key: &Key) -> Option<Provenance> {
        let shown = self.shown.get(key)?;
        let layer = self.layers.iter().find(|layer| layer.id == shown.layer)?;
        Some(Provenance {
            source: Arc::clone(&layer.name),
            key: self.inner(&layer.prefix, key)?,
            revision: shown.revision,
            created: shown.created,
            incarnation: shown.incarnation,
            shown: shown.since,
        })
    }

    /// Decides anew what shows at these keys. The work is that of one look-up in each source for each key.
    fn settle(&mut self, keys: BTreeSet<Key>) -> Content {
        keys.into_iter().filter_map(|key| self.settle_one(&key).map(|change| (key, change))).collect()
    }

    /// What the overlay is to hold at a key, if that is something else than now.
    fn settle_one(&mut self, key: &Key) -> Option<Option<Installed>> {
        let Some((layer, entry)) = self.winner(key) else {
            return self.shown.remove(key).map(|_| None);
        };
        let after = Shown {
            layer: layer.id,
            incarnation: layer.replica.incarnation().unwrap_or_default(),
            revision: entry.revision,
            created: entry.created,
            since: Revision::ZERO,
        };
        let before = self.shown.get(key);
        if before.is_some_and(|before| before.is_same_write(&after)) {
            return None;
        }
        let is_another = before.is_some_and(|before| before.was_recreated_as(&after));
        let lease = entry.lease.map(|lease| local_lease(after.layer, lease));
        let installed = Installed { value: entry.value.clone(), lease, is_another };
        self.shown.insert(key.clone(), after);
        Some(Some(installed))
    }

    fn winner(&self, key: &Key) -> Option<(&Layer, &Entry)> {
        self.layers.iter().find_map(|layer| {
            let entry = layer.whole.get(&self.inner(&layer.prefix, key)?)?;
            Some((layer, entry))
        })
    }

    /// The key of a source that shows at `key`.
    fn inner(&self, prefix: &Prefix, key: &Key) -> Option<Key> {
        prefix.join(self.at.strip(key)?).ok()
    }

    fn outer(&self, prefix: &Prefix, key: &Key) -> Option<Key> {
        outer(&self.at, prefix, key)
    }
}

impl Shown {
    fn is_same_write(&self, other: &Self) -> bool {
        let write = |shown: &Self| (shown.layer, shown.incarnation, shown.revision);
        write(self) == write(other)
    }

    /// Whether the key was deleted in its source and made again.
    fn was_recreated_as(&self, other: &Self) -> bool {
        self.layer == other.layer && (self.incarnation, self.created) != (other.incarnation, other.created)
    }
}

/// Where a key of a source shows. One that would be too long there shows nowhere.
fn outer(at: &Prefix, prefix: &Prefix, key: &Key) -> Option<Key> {
    match at.join(prefix.strip(key)?) {
        Ok(key) => Some(key),
        Err(error) => {
            tracing::warn!(%key, %error, "a key of a source cannot be shown");
            None
        }
    }
}

/// The leases of different stores may have the same number, and are different leases.
fn local_lease(layer: LayerId, lease: LeaseId) -> LeaseId {
    LeaseId::new(BuildHasherDefault::<DefaultHasher>::default().hash_one((layer, lease)))
}

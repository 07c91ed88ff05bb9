//! Content that is decided elsewhere: for stores that are views of others.

use bytes::Bytes;

use crate::{Entry, Key, LeaseId, RawChange, Revision, Stat, Version};

use super::Memory;
use super::state::State;
use super::tree::Record;

/// What a key is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installed {
    pub(crate) value: Bytes,
    pub(crate) lease: Option<LeaseId>,
    /// Whether this is another key of the same name, and not a new value of the one that is there.
    pub(crate) is_another: bool,
}

impl Memory {
    /// Sets what keys hold (`None`: nothing) in one commit, whatever the rules of a commit say: the content of
    /// several stores together need not be one that a single store would take. Gives back its revision.
    pub(crate) fn install(&self, content: Vec<(Key, Option<Installed>)>) -> Revision {
        self.client.shared().run(|state| state.install(content))
    }

    /// Closes this handle, from a place that cannot wait.
    pub(crate) fn close_now(&self) {
        self.client.close();
    }
}

impl State {
    fn install(&mut self, content: Vec<(Key, Option<Installed>)>) -> Revision {
        let revision = self.next_revision();
        let mut changes = Vec::with_capacity(content.len());
        for (key, installed) in content {
            match installed {
                Some(installed) => changes.push(RawChange::Put(self.install_one(&key, installed, revision))),
                None if self.tree.replace(&key, None).is_some() => {
                    changes.push(RawChange::Delete(key, revision));
                }
                None => {}
            }
        }
        self.record(revision, changes);
        self.revision
    }

    fn install_one(&mut self, key: &Key, installed: Installed, revision: Revision) -> Entry {
        let Installed { value, lease, is_another } = installed;
        let version = match self.tree.entry(key) {
            Some(held) if !is_another => Version::new(held.created, held.version.count() + 1),
            _ => Version::new(revision, 0),
        };
        let stat = Stat::new(key.clone(), version.created(), revision, version).lease(lease);
        let entry = Entry::new(stat, value);
        self.tree.replace(key, Some(Record { entry: entry.clone(), deadline: None }));
        entry
    }
}

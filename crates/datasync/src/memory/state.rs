//! All that the handles of one store share.

use std::sync::Mutex;
use std::task::{Context, Poll};

use tokio::time::Instant;
use uuid::Uuid;

use crate::mutex::lock;
use crate::{
    Answer, Committed, Found, Incarnation, Items, Key, LeaseId, List, Listing, Moment, Prefix, RawChange,
    Read, Result, Revision, Selection, ThenRead, Txn, Want, WatchFrom,
};

use super::client::{ClientId, Clients};
use super::commit::{Draft, check};
use super::history::{Commit, History};
use super::leases::Leases;
use super::tree::Tree;
use super::watchers::{WatcherId, Watchers};

/// The state behind its lock.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<State>);

/// One life of a store, and who is connected to it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) incarnation: Incarnation,
    pub(super) revision: Revision,
    /// The number of the last name that was made.
    sequence: u64,
    pub(super) tree: Tree,
    history: History,
    pub(super) leases: Leases,
    pub(super) watchers: Watchers,
    pub(super) clients: Clients,
}

impl Shared {
    /// Does something with the state as it is now: keys whose time is up are gone. Watchers are woken afterwards,
    /// so that they do not run into the lock.
    pub(super) fn run<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let mut state = lock(&self.0);
        state.drop_due();
        let result = act(&mut state);
        let woken = state.watchers.take_woken();
        drop(state);
        for waker in woken {
            waker.wake();
        }
        result
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            incarnation: new_incarnation(),
            revision: Revision::ZERO,
            sequence: 0,
            tree: Tree::default(),
            history: History::default(),
            leases: Leases::default(),
            watchers: Watchers::default(),
            clients: Clients::default(),
        }
    }
}

impl State {
    pub(super) fn commit(&mut self, client: ClientId, txn: &Txn) -> Result<Committed> {
        txn.checks().iter().try_for_each(|one| check(&self.tree, one))?;
        let revision = self.next_revision();
        let draft = Draft {
            tree: &mut self.tree,
            leases: &self.leases,
            sequence: &mut self.sequence,
            client,
            revision,
            now: Instant::now(),
            undo: Vec::new(),
            changes: Vec::new(),
        };
        let (written, changes) = draft.apply(txn.writes())?;
        self.record(revision, changes);
        let answers = txn.reads().iter().map(|read| self.answer(read)).collect();
        Ok(Committed::new(self.revision, written, answers))
    }

    /// Arms a watch and replays to it what it asks for.
    pub(super) fn watch(&mut self, client: ClientId, what: &Selection, from: WatchFrom) -> WatcherId {
        let id = self.watchers.add(client, what);
        if let WatchFrom::After(revision) = from {
            // A revision that was not reached yet comes from another life of the store.
            let past = if revision > self.revision { None } else { self.history.after(revision, what) };
            let replay = past.unwrap_or_else(|| match what {
                Selection::Key(key) => vec![RawChange::Dirty(key.clone())],
                Selection::Prefix(_) => vec![RawChange::Gap],
            });
            for change in replay {
                self.watchers.push(id, change);
            }
        }
        id
    }

    pub(super) fn unwatch(&mut self, id: WatcherId) {
        self.watchers.remove(id);
    }

    /// What a watch is told next, and when the next key goes by itself.
    pub(super) fn poll_watcher(
        &mut self,
        id: WatcherId,
        cx: &Context<'_>,
    ) -> (Poll<Option<RawChange>>, Option<Instant>) {
        (self.watchers.poll(id, cx), self.tree.next_deadline())
    }

    /// Ends leases: their keys go first, so that whoever hears of the end finds them gone.
    pub(super) fn end_leases(&mut self, ids: &[LeaseId]) {
        let keys = ids.iter().flat_map(|id| self.tree.under(*id)).collect();
        self.delete(keys);
        for id in ids {
            self.leases.end(*id);
        }
    }

    /// Begins a new life: everything is gone, and revisions begin again.
    pub(super) fn wipe(&mut self) {
        self.incarnation = new_incarnation();
        self.revision = Revision::ZERO;
        self.sequence = 0;
        self.tree = Tree::default();
        self.history = History::default();
        self.leases.end_all();
        self.watchers.tell_gap();
    }

    pub(super) fn read(&self, key: &Key, want: Want) -> Read {
        let found = match (self.tree.entry(key), want) {
            (None, _) => Found::Absent,
            (Some(entry), Want::Stat) => Found::Stat(entry.stat()),
            (Some(entry), Want::Value) => Found::Entry(entry.clone()),
        };
        Read::new(found, self.revision)
    }

    pub(super) fn list(&self, prefix: &Prefix, want: List) -> Listing {
        let items = match want {
            List::Names => Items::Names(self.tree.names(prefix)),
            List::Keys => Items::Keys(self.tree.below(prefix).map(|entry| entry.key.clone()).collect()),
            List::Entries => Items::Entries(self.tree.below(prefix).cloned().collect()),
        };
        Listing::new(items, self.revision)
    }

    fn answer(&self, read: &ThenRead) -> Answer {
        match read {
            ThenRead::Get(key) => Answer::Entry(self.tree.entry(key).cloned()),
            ThenRead::Names(prefix) => Answer::Names(self.tree.names(prefix)),
        }
    }

    fn drop_due(&mut self) {
        if self.tree.next_deadline().is_some() {
            self.delete(self.tree.due(Instant::now()));
        }
    }

    /// Deletes keys that vanish by themselves, in one commit. What is below them stays.
    fn delete(&mut self, mut keys: Vec<Key>) {
        keys.retain(|key| self.tree.replace(key, None).is_some());
        let revision = self.next_revision();
        self.record(revision, keys.into_iter().map(|key| RawChange::Delete(key, revision)).collect());
    }

    /// Keeps what was changed and tells it. What changed nothing has no revision of its own.
    pub(super) fn record(&mut self, revision: Revision, changes: Vec<RawChange>) {
        if changes.is_empty() {
            return;
        }
        self.revision = revision;
        let commit = Commit { revision, at: Moment::now(), changes };
        self.watchers.tell(&commit);
        self.history.push(commit);
    }

    pub(super) const fn next_revision(&self) -> Revision {
        Revision::new(self.revision.get() + 1)
    }
}

fn new_incarnation() -> Incarnation {
    Incarnation::new(Uuid::new_v4().as_u128())
}

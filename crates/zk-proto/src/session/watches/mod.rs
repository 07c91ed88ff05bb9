//! The watches of this session, to arm them again on the next connection and to keep one from breaking
//! another.
//!
//! On servers up to 3.8 a path has one mode per session: a one-shot watch set where a persistent one is ends
//! that one with its first event, and a persistent watch ends a recursive one. So a watch that would narrow
//! what the server has is not asked for. It is *covered*: what the wider watch tells is told for it too.

mod batch;
mod effect;
mod kinds;
mod repair;

use std::collections::HashMap;

use foldhash::fast::FixedState;

pub(super) use self::{
    batch::Batch,
    effect::{Asked, WatchEffect},
};
use self::{kinds::Kinds, repair::Repairs};
use crate::{
    error_code::ErrorCode,
    id::Zxid,
    op::{EventType, Request, WatchMode, WatcherType},
    path::ZnodePath,
};

/// Hashes without a random seed, since the core draws no random numbers: paths are the application's own.
type Paths<T> = HashMap<ZnodePath, T, FixedState>;

/// Every watched path. The order of the map is never seen.
#[derive(Debug, Default)]
pub(super) struct Watches {
    entries: Paths<Entry>,
    /// The number of watches: a path may have one of each kind.
    count: usize,
    /// Whether a wide watch was ever added, so that events may be about the parent's watches too.
    has_wide: bool,
    repairs: Repairs,
}

/// The watches of one path.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// To be armed again on the next connection.
    armed: Kinds,
    /// Those among them that this connection does not have, since a wider one tells for them.
    covered: Kinds,
    /// Requests under way that add a watch, and those of them that are recursive.
    adding: u32,
    adding_recursive: u32,
    /// Waits to be repaired. What is exposed after the packet was built needs another.
    exposed: bool,
}

impl Entry {
    /// Returns whether what a request asks for would narrow what the server has, or will have.
    const fn would_be_narrowed_by(self, asked: Asked) -> bool {
        match asked {
            Asked::Data | Asked::Exist | Asked::Child => {
                self.armed.has_any(Kinds::LASTING) || self.adding > 0
            }
            Asked::Add(WatchMode::Persistent) => {
                self.armed.has_any(Kinds::RECURSIVE) || self.adding_recursive > 0
            }
            _ => false,
        }
    }

    /// Returns whether nobody tells for a covered watch.
    const fn is_exposed(self) -> bool {
        (self.covered.has_any(Kinds::ONE_SHOT) && !self.armed.has_any(Kinds::LASTING))
            || (self.covered.has_any(Kinds::PERSISTENT) && !self.armed.has_any(Kinds::RECURSIVE))
    }

    const fn is_idle(self) -> bool {
        self.armed.is_empty() && self.adding == 0
    }
}

impl Watches {
    /// Changes a request that would break a watch of its path. Returns whether it did.
    pub(super) fn cover(&self, asked: Asked, request: &mut Request) -> bool {
        let Some(entry) = request.path().and_then(|path| self.entries.get(path)) else { return false };
        let is_covered = entry.would_be_narrowed_by(asked);
        if is_covered {
            effect::cover(request);
        }
        is_covered
    }

    /// Takes note that a request is on its way.
    pub(super) fn sent(&mut self, effect: &WatchEffect) {
        if let Asked::Add(mode) = effect.asked {
            let entry = self.entries.entry(effect.path.clone()).or_default();
            entry.adding += 1;
            entry.adding_recursive += u32::from(is_recursive(mode, effect.is_covered));
            self.has_wide = true;
        }
    }

    /// Enters what a reply has proved.
    pub(super) fn apply(&mut self, effect: WatchEffect, code: ErrorCode, zxid: Zxid) {
        let WatchEffect { path, asked, is_covered } = effect;
        if let (Asked::Add(mode), Some(entry)) = (asked, self.entries.get_mut(&path)) {
            entry.adding = entry.adding.saturating_sub(1);
            let recursive = u32::from(is_recursive(mode, is_covered));
            entry.adding_recursive = entry.adding_recursive.saturating_sub(recursive);
        }
        let mut kinds = asked.armed_by(code);
        if is_covered && kinds.has_any(Kinds::PERSISTENT) {
            // It was asked for as a recursive one, which may be the only one by now.
            kinds = kinds.and(Kinds::RECURSIVE);
        }
        if !kinds.is_empty() {
            let entry = self.entries.entry(path.clone()).or_default();
            let fresh = kinds.without(entry.armed);
            self.count += fresh.len();
            entry.armed = entry.armed.and(kinds);
            if is_covered {
                entry.covered = entry.covered.and(fresh.without(Kinds::RECURSIVE));
            } else {
                entry.covered = entry.covered.without(kinds);
            }
        }
        self.take(&path, asked.removed_by(code));
        self.expose(&path, zxid);
    }

    /// Returns a watched path from its text.
    pub(super) fn known(&self, text: &str) -> Option<ZnodePath> {
        self.entries.get_key_value(text).map(|(path, _)| path.clone())
    }

    /// Takes out the one-shot watches that an event has used up.
    pub(super) fn fire(&mut self, event_type: EventType, path: &ZnodePath) {
        self.take(path, Kinds::used_up_by(event_type));
    }

    /// Returns the parent if a changed child is news for watches there that the server does not tell itself.
    ///
    /// A recursive watch is told of children by their own events only. Whether the server has the parent's
    /// other watches besides is known if it is asked for them, on servers that tell the transaction of an
    /// event: from 3.9 on, a path may have several modes.
    pub(super) fn fire_parent(
        &mut self,
        event_type: EventType,
        path: &ZnodePath,
        zxid: Option<Zxid>,
    ) -> Option<ZnodePath> {
        if !self.has_wide || !matches!(event_type, EventType::NodeCreated | EventType::NodeDeleted) {
            return None;
        }
        let (parent, entry) = self.entries.get_key_value(path.parent_str()?)?;
        let is_recursive = entry.armed.has_any(Kinds::RECURSIVE) || entry.adding_recursive > 0;
        let (listing, own) = (Kinds::CHILD.and(Kinds::PERSISTENT), entry.armed.without(entry.covered));
        let is_told = zxid.is_some() && own.has_any(listing);
        if !is_recursive || is_told || !entry.armed.has_any(listing) {
            return None;
        }
        let parent = parent.clone();
        self.take(&parent, Kinds::CHILD);
        Some(parent)
    }

    /// Stops arming watches again. What the server has of them still tells.
    pub(super) fn forget(&mut self, path: &ZnodePath, kind: WatcherType, last_zxid: Zxid) {
        self.take(path, Kinds::removed_by(kind));
        self.expose(path, last_zxid);
    }

    /// Forgets all watches, but not the requests under way that add some.
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.repairs.clear();
        self.entries.retain(|_, entry| {
            (entry.armed, entry.covered, entry.exposed) = (Kinds::NONE, Kinds::NONE, false);
            !entry.is_idle()
        });
    }

    /// Forgets what only the lost connection knew.
    pub(super) fn link_ended(&mut self) {
        self.repairs.link_ended();
        self.entries.retain(|_, entry| {
            *entry = Entry { armed: entry.armed, ..Entry::default() };
            !entry.is_idle()
        });
    }

    /// Builds the packets that arm everything again.
    pub(super) fn batches(&self, last_zxid: Zxid) -> Vec<Batch> {
        let mut sorted: Vec<_> = self.entries.iter().map(|(path, entry)| (path, entry.armed)).collect();
        sorted.sort_unstable_by_key(|(path, _)| *path);
        batch::batches(&sorted, self.repairs.relative(last_zxid))
    }

    /// Takes note that all packets that arm everything again are answered.
    pub(super) fn settle(&mut self) {
        self.repairs.settle();
    }

    /// Returns whether [`repair`](Self::repair) may have something to send.
    pub(super) const fn is_repair_due(&self) -> bool {
        self.repairs.is_due()
    }

    /// Builds the next packet that arms watches which nobody tells for any more. Waits for requests that add
    /// a watch to the same path, since the packet must not break that one.
    pub(super) fn repair(&mut self) -> Option<Batch> {
        loop {
            let entries = &self.entries;
            let is_ready = |path: &ZnodePath| entries.get(path).is_none_or(|entry| entry.adding == 0);
            let (path, since) = self.repairs.take(is_ready)?;
            let Some(entry) = self.entries.get_mut(&path) else { continue };
            entry.exposed = false;
            let batch = batch::single(&path, entry.armed, since);
            self.repairs.sent(path, entry.armed);
            return Some(batch);
        }
    }

    /// Takes note that the server has the watches of the oldest packet that [`repair`](Self::repair) built.
    pub(super) fn repair_answered(&mut self) {
        let Some((path, kinds)) = self.repairs.answered() else { return };
        if let Some(entry) = self.entries.get_mut(&path) {
            entry.covered = entry.covered.without(kinds);
        }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    pub(super) fn has_one_shot(&self, path: &ZnodePath) -> bool {
        self.entries.get(path).is_some_and(|entry| entry.armed.has_any(Kinds::ONE_SHOT))
    }

    /// Has a path repaired whose covered watches nobody tells for since a transaction.
    fn expose(&mut self, path: &ZnodePath, since: Zxid) {
        let Some(entry) = self.entries.get_mut(path) else { return };
        if entry.is_exposed() && !entry.exposed {
            entry.exposed = true;
            self.repairs.expose(path.clone(), since);
        }
    }

    fn take(&mut self, path: &ZnodePath, kinds: Kinds) {
        let Some(entry) = self.entries.get_mut(path) else { return };
        let left = entry.armed.without(kinds);
        self.count -= entry.armed.len() - left.len();
        entry.armed = left;
        entry.covered = entry.covered.without(kinds);
        if entry.is_idle() {
            self.entries.remove(path);
        }
    }
}

/// A covered watch is always asked for as a recursive one.
const fn is_recursive(mode: WatchMode, is_covered: bool) -> bool {
    is_covered || matches!(mode, WatchMode::PersistentRecursive)
}

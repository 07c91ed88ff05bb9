//! Watches that lost the one that told for them.

use std::collections::VecDeque;

use super::Kinds;
use crate::{id::Zxid, path::ZnodePath};

/// Paths that must be armed by themselves, and what could be missed until they are.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// Paths, and since when nobody told of them. Nearly always none.
    exposed: Vec<(ZnodePath, Zxid)>,
    /// What was sent, and is not answered yet.
    in_flight: VecDeque<(ZnodePath, Kinds)>,
    /// Should the connection be lost before all is repaired, changes after this transaction count as missed.
    floor: Option<Zxid>,
}

impl Repairs {
    pub(super) fn expose(&mut self, path: ZnodePath, since: Zxid) {
        self.floor = Some(self.floor.map_or(since, |floor| floor.min(since)));
        self.exposed.push((path, since));
    }

    pub(super) const fn is_due(&self) -> bool {
        !self.exposed.is_empty()
    }

    /// Takes the next path that is ready to be armed.
    pub(super) fn take(&mut self, is_ready: impl Fn(&ZnodePath) -> bool) -> Option<(ZnodePath, Zxid)> {
        let index = self.exposed.iter().position(|(path, _)| is_ready(path))?;
        Some(self.exposed.swap_remove(index))
    }

    pub(super) fn sent(&mut self, path: ZnodePath, kinds: Kinds) {
        self.in_flight.push_back((path, kinds));
    }

    pub(super) fn answered(&mut self) -> Option<(ZnodePath, Kinds)> {
        let repaired = self.in_flight.pop_front();
        self.settle();
        repaired
    }

    /// Takes note that everything else is armed.
    pub(super) fn settle(&mut self) {
        if self.in_flight.is_empty() && self.exposed.is_empty() {
            self.floor = None;
        }
    }

    /// Nothing is left to be repaired.
    pub(super) fn clear(&mut self) {
        self.exposed.clear();
        self.settle();
    }

    /// The next connection arms everything anew, from the floor on.
    pub(super) fn link_ended(&mut self) {
        self.exposed.clear();
        self.in_flight.clear();
    }

    pub(super) fn relative(&self, last_zxid: Zxid) -> Zxid {
        self.floor.map_or(last_zxid, |floor| floor.min(last_zxid))
    }
}

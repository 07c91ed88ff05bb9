//! Requests that wait for their replies, in the order they were sent.

use std::collections::VecDeque;

use crate::{
    id::Xid,
    op::OpCode,
    session::{Ticket, watches::WatchEffect},
};

/// What a reply will be about.
#[derive(Debug)]
pub(super) enum Awaited {
    Request {
        ticket: Ticket,
        op: OpCode,
        is_write: bool,
        effect: Option<WatchEffect>,
    },
    SetWatches,
    /// Of watches whose wider one is gone. Tells whether there are persistent ones among them.
    RepairedWatches {
        has_lasting: bool,
    },
    Sasl,
    CloseSession,
}

/// Replies come in the order of the requests, so a queue is the whole index. Pings and authentication are
/// answered out of band and never enter it.
#[derive(Debug, Default)]
pub(super) struct Pending {
    entries: VecDeque<(Xid, Awaited)>,
}

impl Pending {
    #[inline]
    pub(super) fn push(&mut self, xid: Xid, awaited: Awaited) {
        self.entries.push_back((xid, awaited));
    }

    /// Takes what a reply answers: nearly always the front. Read-only servers and eager access checks
    /// answer some requests early, so the rest is searched before the reply counts as a stray. Several
    /// entries may carry [`Xid::SET_WATCHES`]; the oldest is taken.
    #[inline]
    pub(super) fn take(&mut self, xid: Xid) -> Option<Awaited> {
        if self.entries.front().is_some_and(|entry| entry.0 == xid) {
            return self.entries.pop_front().map(|entry| entry.1);
        }
        let index = self.entries.iter().position(|entry| entry.0 == xid)?;
        self.entries.remove(index).map(|entry| entry.1)
    }

    /// Takes everything, oldest first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Awaited> {
        std::mem::take(&mut self.entries).into_iter().map(|entry| entry.1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_early_reply_is_found_behind_the_front() {
        let mut pending = Pending::default();
        pending.push(Xid::new(1), Awaited::SetWatches);
        pending.push(Xid::new(2), Awaited::CloseSession);
        assert!(matches!(pending.take(Xid::new(2)), Some(Awaited::CloseSession)));
        assert!(pending.take(Xid::new(2)).is_none());
        assert!(matches!(pending.take(Xid::new(1)), Some(Awaited::SetWatches)));
        assert_eq!(pending.len(), 0);
    }
}

//! Publishers that wait for the answers of subscribers.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answer::Outcome;
use super::applied::AppliedReport;
use super::subscriber::{SubscriberId, TicketId};
use crate::{Key, Revision};

/// Everybody who waits for answers. There are as many as there are publishers that wait.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    next: u64,
    all: BTreeMap<TicketId, Ticket>,
    /// What was written by commits that the hub was not told of yet, and until when that is waited for.
    unseen: BTreeMap<TicketId, Unseen>,
}

/// One publisher who waits.
#[derive(Debug)]
struct Ticket {
    reply: oneshot::Sender<AppliedReport>,
    revision: Revision,
    answers: BTreeMap<SubscriberId, (Arc<str>, Option<Outcome>)>,
}

/// A commit that the hub was not told of yet.
#[derive(Debug)]
pub(super) struct Unseen {
    pub(super) revision: Revision,
    pub(super) written: Vec<Wrote>,
    /// Whether the copies were there to be told of it by whoever made it.
    pub(super) was_told: bool,
    pub(super) until: Instant,
}

/// A key that a commit wrote.
#[derive(Clone, Debug)]
pub(super) struct Wrote {
    pub(super) key: Key,
    pub(super) is_put: bool,
}

impl Tickets {
    /// Somebody waits for what these subscribers make of what was written.
    pub(super) fn open(
        &mut self,
        reply: oneshot::Sender<AppliedReport>,
        unseen: Unseen,
        subscribers: impl Iterator<Item = (SubscriberId, Arc<str>)>,
    ) -> TicketId {
        let id = TicketId(self.next);
        self.next += 1;
        let answers = subscribers.map(|(id, name)| (id, (name, None))).collect();
        self.all.insert(id, Ticket { reply, revision: unseen.revision, answers });
        self.unseen.insert(id, unseen);
        self.close_if_answered(id);
        id
    }

    /// The commits that the hub was not told of yet.
    pub(super) const fn unseen(&self) -> &BTreeMap<TicketId, Unseen> {
        &self.unseen
    }

    /// Who is to answer.
    pub(super) fn of(&self, id: TicketId) -> impl Iterator<Item = SubscriberId> {
        self.all.get(&id).into_iter().flat_map(|ticket| ticket.answers.keys().copied())
    }

    /// The hub was told of a commit, or gave up waiting. Gives back what it wrote, and who was to answer.
    pub(super) fn seen(&mut self, id: TicketId) -> Option<(Unseen, Vec<SubscriberId>)> {
        let unseen = self.unseen.remove(&id)?;
        Some((unseen, self.of(id).collect()))
    }

    /// Notes what became of it for one subscriber; the last one ends the wait.
    pub(super) fn note(&mut self, id: TicketId, subscriber: SubscriberId, outcome: &Outcome) {
        let Some(ticket) = self.all.get_mut(&id) else { return };
        if let Some((_, answer @ None)) = ticket.answers.get_mut(&subscriber) {
            *answer = Some(outcome.clone());
        }
        self.close_if_answered(id);
    }

    /// A subscriber left: nobody waits for it any more.
    pub(super) fn leave(&mut self, subscriber: SubscriberId) {
        let waiting: Vec<TicketId> = self
            .all
            .iter()
            .filter(|(_, ticket)| matches!(ticket.answers.get(&subscriber), Some((_, None))))
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            self.note(id, subscriber, &Outcome::Gone);
        }
    }

    /// Forgets everybody, whom that tells that nothing will follow.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.unseen.clear();
    }

    fn close_if_answered(&mut self, id: TicketId) {
        let is_over = |ticket: &Ticket| {
            ticket.reply.is_closed() || ticket.answers.values().all(|(_, answer)| answer.is_some())
        };
        if !self.all.get(&id).is_some_and(is_over) {
            return;
        }
        let Some(ticket) = self.all.remove(&id) else { return };
        self.unseen.remove(&id);
        let outcomes =
            ticket.answers.into_values().filter_map(|(name, answer)| Some((name, answer?))).collect();
        // It fails if nobody waits any more.
        let _ = ticket.reply.send(AppliedReport { revision: ticket.revision, outcomes });
    }
}

//! What the watches tell, and what it changes for whom.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answer::{Deadline, Outcome};
use super::applied::AppliedReport;
use super::board::Board;
use super::source::{SourceId, Synced};
use super::subscriber::{Phase, SubscriberId, TicketId};
use super::tickets::{Unseen, Wrote};
use super::timing::Timer;
use crate::{Delta, Event, Result, Revision};

/// How long a commit may take from its acknowledgement until the watch tells of it.
const ARRIVAL_MAX: Duration = Duration::from_secs(10);

impl Board {
    /// Takes what the watch of a source told.
    pub(super) fn feed(&mut self, id: SourceId, told: Vec<Result<Event>>, now: Instant) {
        for told in told {
            let Some(fed) = self.sources.feed(id, told) else { return };
            if self.sources.get(id).is_some_and(|source| source.is_open) {
                self.tell_all(fed.deltas);
                match fed.synced {
                    Some(Synced::First) => self.raise_hopes(id),
                    Some(Synced::Again) => self.begin_round_after_gap(id, now),
                    None => {}
                }
            }
        }
        self.after_change(now);
    }

    /// What follows from whatever was done.
    pub(super) fn after_change(&mut self, now: Instant) {
        for id in self.sources.waiting() {
            if let Some(deltas) = self.sources.widen(id) {
                self.tell_all(deltas);
                self.ring();
            }
        }
        for id in self.sources.take_opened() {
            self.raise_hopes(id);
        }
        self.bring_to_life();
        self.see_commits();
        if !self.sources.is_within_commit() {
            for id in std::mem::take(&mut self.touched) {
                self.settle(id, now);
            }
        }
        self.step_round(now);
    }

    fn tell_all(&mut self, deltas: Vec<Delta>) {
        for delta in deltas {
            let (key, previous, current, revision) = match &delta {
                Delta::Put { entry, previous } => {
                    (&entry.key, previous.as_ref(), Some(entry), entry.revision)
                }
                Delta::Deleted { previous, revision } => (&previous.key, Some(previous), None, *revision),
                Delta::Current { .. } => continue,
            };
            for id in self.interest.of(key) {
                if let Some(subscriber) = self.subscribers.get_mut(&id) {
                    subscriber.touch(key, previous, current, revision);
                    self.touched.insert(id);
                }
            }
        }
    }

    /// The content of a source may be what some wait for.
    fn raise_hopes(&mut self, id: SourceId) {
        if let Some(source) = self.sources.get(id) {
            self.hopeful.extend(self.awaiting.within(&source.prefix));
        }
    }

    /// Lets those who waited for the content of a prefix have it.
    fn bring_to_life(&mut self) {
        for id in std::mem::take(&mut self.hopeful) {
            let Some(subscriber) = self.subscribers.get_mut(&id) else { continue };
            let waiting: Vec<_> = subscriber
                .prefixes
                .iter()
                .filter(|(_, is_live)| !**is_live)
                .map(|(prefix, _)| prefix.clone())
                .collect();
            for prefix in &waiting {
                if let Some((_, source)) = self.sources.over(prefix).filter(|(_, source)| source.is_live()) {
                    subscriber.gain(prefix, source.below(prefix));
                    self.interest.add(prefix, id);
                    self.awaiting.remove(prefix, id);
                    self.touched.insert(id);
                    if let Some(round) = &mut self.round {
                        round.all_lack = false;
                    }
                }
            }
        }
    }

    /// Somebody committed through the hub and waits for what the subscribers make of it.
    pub(super) fn expect(
        &mut self,
        reply: oneshot::Sender<AppliedReport>,
        revision: Revision,
        written: Vec<Wrote>,
        events: Vec<Event>,
        now: Instant,
    ) {
        if self.is_closed() {
            return;
        }
        let concerned = self.concerned(written.iter().map(|wrote| &wrote.key));
        let until = now + ARRIVAL_MAX;
        let was_told = !self.sources.is_atomic()
            && written
                .iter()
                .all(|wrote| self.sources.of(&wrote.key).is_none_or(|(_, source)| source.is_live()));
        let unseen = Unseen { revision, written, was_told, until };
        let ticket = self.tickets.open(reply, unseen, concerned.into_iter());
        if !self.sources.is_atomic() {
            // Nothing tells when a watch has told it all, so the commit is told by whoever made it.
            self.tell_own(events);
        }
        self.after_change(now);
        if self.tickets.unseen().contains_key(&ticket) {
            self.add_timer(until, Timer::Ticket(ticket));
        }
    }

    fn tell_own(&mut self, events: Vec<Event>) {
        for event in events {
            let key = match &event {
                Event::Put(entry) => &entry.key,
                Event::Delete { key, .. } => key,
                _ => continue,
            };
            let Some((id, _)) = self.sources.of(key).filter(|(_, source)| source.is_live()) else {
                continue;
            };
            if let Some(fed) = self.sources.feed(id, Ok(event)) {
                self.tell_all(fed.deltas);
            }
        }
    }

    /// Commits that were told go to the subscribers that they concern.
    fn see_commits(&mut self) {
        let is_seen = |(ticket, unseen): &(&TicketId, &Unseen)| {
            self.has_seen_all(unseen) && !self.tickets.of(**ticket).any(|id| self.waits(id, unseen))
        };
        let seen: Vec<TicketId> = self.tickets.unseen().iter().filter(is_seen).map(|(id, _)| *id).collect();
        for ticket in seen {
            if let Some((unseen, subscribers)) = self.tickets.seen(ticket) {
                self.remove_timer(unseen.until, Timer::Ticket(ticket));
                self.remember_deleted(&unseen.written, unseen.revision);
                for id in subscribers {
                    self.attach(ticket, id, &unseen);
                }
            }
        }
    }

    /// Whether a subscriber waits for the content of a prefix, and hears of a commit only with that.
    fn waits(&self, id: SubscriberId, unseen: &Unseen) -> bool {
        let Some(subscriber) = self.subscribers.get(&id) else { return false };
        let mut prefixes = unseen.written.iter().filter_map(|wrote| subscriber.awaits(&wrote.key));
        prefixes.any(|prefix| self.sources.refusal(prefix).is_none())
    }

    /// Why a subscriber will not hear of a commit: the content of a prefix is refused.
    fn is_kept_from(&self, id: SubscriberId, unseen: &Unseen) -> Option<Arc<str>> {
        let subscriber = self.subscribers.get(&id)?;
        let mut prefixes = unseen.written.iter().filter_map(|wrote| subscriber.awaits(&wrote.key));
        prefixes.find_map(|prefix| self.sources.refusal(prefix))
    }

    /// What was deleted counts as gone, also if the watch still has to tell of a put before that.
    fn remember_deleted(&mut self, written: &[Wrote], revision: Revision) {
        for Wrote { key, .. } in written.iter().filter(|wrote| !wrote.is_put) {
            self.sources.remember_deleted(key, revision);
        }
    }

    fn has_seen_all(&self, unseen: &Unseen) -> bool {
        unseen.written.iter().all(|wrote| self.has_seen(unseen, wrote))
    }

    /// Whether what the copy holds is how the key was at the revision of the commit, or later.
    fn has_seen(&self, unseen: &Unseen, wrote: &Wrote) -> bool {
        let Some((_, source)) = self.sources.of(&wrote.key) else { return true };
        if !source.is_live() {
            // What the store refuses to show will never be seen.
            return source.refused.is_some();
        }
        let held = source.replica.get(&wrote.key);
        let is_in_line = match held {
            Some(entry) => wrote.is_put && entry.revision >= unseen.revision,
            None => !wrote.is_put,
        };
        // Where nothing tells of progress the commit was told by whoever made it.
        unseen.was_told || source.revision() >= unseen.revision || is_in_line
    }

    fn attach(&mut self, ticket: TicketId, id: SubscriberId, unseen: &Unseen) {
        if let Some(reason) = self.is_kept_from(id, unseen) {
            return self.tickets.note(ticket, id, &Outcome::Failed(reason));
        }
        let Unseen { revision, written, .. } = unseen;
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        let missed = subscriber.missed();
        let behind = written.iter().filter_map(|wrote| subscriber.pending.get(&wrote.key));
        let mut failed = behind.filter_map(|behind| behind.failed.as_ref());
        let outcome = if let Some((_, outcome)) = failed.find(|(told, _)| told >= revision) {
            // It was told, and answered, before the acknowledgement of the commit came.
            outcome.clone()
        } else if written.iter().any(|wrote| subscriber.pending.contains_key(&wrote.key)) {
            if missed.is_none() {
                return subscriber.tickets.push(ticket);
            }
            missed.map_or(Outcome::Applied, Outcome::TimedOut)
        } else if let Phase::Taken(flight) = &mut subscriber.phase
            && written.iter().any(|wrote| flight.told.contains_key(&wrote.key))
        {
            if missed.is_none() {
                return flight.tickets.push(ticket);
            }
            Outcome::TimedOut(Deadline::Finish)
        } else {
            Outcome::Applied
        };
        self.tickets.note(ticket, id, &outcome);
    }

    /// A commit did not come back through the watch in time.
    pub(super) fn give_up_arrival(&mut self, ticket: TicketId) {
        let Some((unseen, subscribers)) = self.tickets.seen(ticket) else { return };
        let is_seen = self.has_seen_all(&unseen);
        for id in subscribers {
            if is_seen && !self.waits(id, &unseen) {
                self.attach(ticket, id, &unseen);
            } else {
                self.tickets.note(ticket, id, &Outcome::TimedOut(Deadline::Arrive));
            }
        }
    }

    /// Why the content of a prefix that a subscriber waits for will not come.
    pub(super) fn refused(&self, id: SubscriberId) -> Option<Arc<str>> {
        let subscriber = self.subscribers.get(&id)?;
        let waiting = subscriber.prefixes.iter().filter(|(_, is_live)| !**is_live);
        waiting.filter_map(|(prefix, _)| self.sources.refusal(prefix)).next()
    }
}

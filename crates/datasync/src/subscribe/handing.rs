//! Handing out deliveries, and taking the answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::answer::{Deadline, Outcome};
use super::board::Board;
use super::delivery::{KeyChange, PrefixContent, Told};
use super::subscriber::{Flight, Phase, SubscriberId, TicketId};

impl Board {
    /// The next delivery of a subscriber, and its number.
    pub(super) fn poll(
        &mut self,
        id: SubscriberId,
        cx: &Context<'_>,
        now: Instant,
    ) -> Poll<Option<(Told, u64)>> {
        let is_late = |phase: &Phase| matches!(phase, Phase::Taken(Flight { is_late: true, .. }));
        if self.subscribers.get(&id).is_some_and(|subscriber| is_late(&subscriber.phase)) {
            // Whoever asks for more has given up what it did not answer in time.
            self.take_back(id, &Outcome::TimedOut(Deadline::Finish));
            self.settle(id, now);
        }
        let is_closed = self.is_closed();
        let Some(subscriber) = self.subscribers.get_mut(&id).filter(|_| !is_closed) else {
            return Poll::Ready(None);
        };
        let may_take = matches!(subscriber.phase, Phase::Offered { .. });
        if may_take && !self.sources.is_within_commit() {
            return Poll::Ready(Some(self.take(id, now)));
        }
        if may_take {
            self.touched.insert(id);
        }
        match &mut subscriber.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => subscriber.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Hands out what is pending.
    fn take(&mut self, id: SubscriberId, now: Instant) -> (Told, u64) {
        let subscriber = self.subscribers.get_mut(&id).expect("the caller found it");
        let anew = subscriber.told_anew();
        let told = std::mem::take(&mut subscriber.pending);
        let (sources, values) = (&self.sources, &mut self.values);
        let is_resync = !subscriber.stale.is_empty();
        let content = is_resync.then(|| {
            anew.iter()
                .map(|prefix| PrefixContent {
                    prefix: prefix.clone(),
                    values: sources
                        .over(prefix)
                        .into_iter()
                        .flat_map(|(_, source)| source.below(prefix))
                        .map(|entry| values.share(entry))
                        .collect(),
                })
                .collect()
        });
        let mut changes: Vec<KeyChange> = told
            .iter()
            .map(|(key, behind)| KeyChange {
                key: key.clone(),
                value: sources.entry(key).filter(|_| subscriber.has(key)).map(|entry| values.share(entry)),
                previous: behind.before.as_ref().map(|entry| values.share(entry)),
                revision: behind.revision,
            })
            .collect();
        changes.sort_by_key(|change| change.value.is_some());
        let newest = changes.iter().map(|change| change.revision).max();
        let over = subscriber.prefixes.keys().filter_map(|prefix| sources.over(prefix));
        let revision = over.map(|(_, source)| source.revision()).chain(newest).max().unwrap_or_default();
        let delivery = subscriber.next_delivery;
        subscriber.next_delivery += 1;
        subscriber.stale.clear();
        subscriber.phase = Phase::Taken(Flight {
            delivery,
            revision,
            stale: if is_resync { anew } else { BTreeSet::new() },
            told,
            tickets: std::mem::take(&mut subscriber.tickets),
            is_late: false,
        });
        let finish = subscriber.deadlines.finish;
        self.set_timer(id, now.checked_add(finish));
        (Told { content, changes, revision }, delivery)
    }

    /// A subscriber answers a delivery. An answer to one that was taken back is ignored.
    pub(super) fn answer(
        &mut self,
        id: SubscriberId,
        delivery: u64,
        answer: Result<(), Arc<str>>,
        now: Instant,
    ) {
        let is_it = |phase: &Phase| matches!(phase, Phase::Taken(flight) if flight.delivery == delivery);
        let Some(subscriber) = self.subscribers.get_mut(&id).filter(|one| is_it(&one.phase)) else { return };
        let outcome = match answer {
            Ok(()) => {
                if let Phase::Taken(flight) = std::mem::replace(&mut subscriber.phase, Phase::Idle) {
                    subscriber.acked = Some(flight.revision);
                    let outcome = Outcome::Applied;
                    flight.tickets.iter().for_each(|ticket| self.tickets.note(*ticket, id, &outcome));
                }
                subscriber.backoff.reset();
                self.set_timer(id, None);
                Outcome::Applied
            }
            Err(reason) => {
                tracing::warn!(subscriber = %subscriber.name, %reason, "a delivery was refused");
                let outcome = Outcome::Failed(reason);
                let tickets = self.take_back(id, &outcome);
                tickets.iter().for_each(|ticket| self.tickets.note(*ticket, id, &outcome));
                self.rest(id, now);
                outcome
            }
        };
        self.end_turn(id, outcome);
        self.settle(id, now);
        self.after_change(now);
    }

    fn rest(&mut self, id: SubscriberId, now: Instant) {
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            subscriber.phase = Phase::Resting;
            let wait = subscriber.backoff.next();
            self.set_timer(id, now.checked_add(wait));
        }
    }

    /// What a subscriber was told counts as never told. Gives back who waited for its answer.
    fn take_back(&mut self, id: SubscriberId, outcome: &Outcome) -> Vec<TicketId> {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return Vec::new() };
        let Phase::Taken(mut flight) = std::mem::replace(&mut subscriber.phase, Phase::Idle) else {
            return Vec::new();
        };
        let tickets = std::mem::take(&mut flight.tickets);
        let sources = &self.sources;
        subscriber.take_back(flight, outcome, |key| sources.entry(key));
        self.set_timer(id, None);
        tickets
    }

    /// Offers a subscriber what it may be told, once no commit is half told.
    pub(super) fn settle(&mut self, id: SubscriberId, now: Instant) {
        let is_within_commit = self.sources.is_within_commit();
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        let is_offered = match subscriber.phase {
            Phase::Idle => false,
            Phase::Offered { .. } => true,
            Phase::Taken(_) | Phase::Resting => return,
        };
        if !subscriber.has_news() {
            if subscriber.stale.is_empty() {
                // Whatever was published came to nothing for this one.
                for ticket in std::mem::take(&mut subscriber.tickets) {
                    self.tickets.note(ticket, id, &Outcome::Applied);
                }
            }
            if is_offered {
                subscriber.phase = Phase::Idle;
                self.set_timer(id, None);
            }
        } else if is_within_commit {
            self.touched.insert(id);
        } else {
            self.woken.extend(subscriber.waker.take());
            if !is_offered {
                subscriber.phase = Phase::Offered { is_late: false };
                let accept = subscriber.deadlines.accept;
                self.set_timer(id, now.checked_add(accept));
            }
        }
    }
}

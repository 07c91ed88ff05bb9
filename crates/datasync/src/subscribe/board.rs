//! The state of a hub: who subscribed to what, who was told what, and who answered. It performs no I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::broadcast;
use tokio::time::Instant;

use super::answer::{Deadline, Outcome};
use super::delivery::{KeyChange, PrefixContent, Told};
use super::interest::Interest;
use super::options::SubscribeError;
use super::report::{REPORTS_MAX, ResyncReport};
use super::round::Round;
use super::source::SourceId;
use super::sources::Sources;
use super::subscriber::{Deadlines, Flight, Phase, Subscriber, SubscriberId, SubscriberStatus, TicketId};
use super::tickets::Tickets;
use super::value::Values;
use crate::{Key, Prefix, Revision};

/// The state of a hub.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) sources: Sources,
    pub(super) subscribers: BTreeMap<SubscriberId, Subscriber>,
    names: HashMap<Arc<str>, SubscriberId>,
    next: u64,
    pub(super) interest: Interest,
    values: Values,
    pub(super) round: Option<Round>,
    pub(super) tickets: Tickets,
    timers: BTreeSet<(Instant, Timer)>,
    /// Who has news since the last commit ended.
    pub(super) touched: BTreeSet<SubscriberId>,
    /// Who waits for the content of a prefix.
    pub(super) awaiting: Interest,
    /// Those of them for whom it may be there now.
    pub(super) hopeful: BTreeSet<SubscriberId>,
    /// `None` once there will be no more.
    pub(super) reports: Option<broadcast::Sender<ResyncReport>>,
    woken: Vec<Waker>,
    /// Whether the driver is to look again at what it does.
    rings: bool,
    is_driven: bool,
    is_closed: bool,
}

/// What time ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The phase that a subscriber is in.
    Subscriber(SubscriberId),
    /// The wait before a round.
    Round,
    /// The wait of a round for the content of a subscriber.
    Content(SubscriberId),
    /// The wait for a commit to come back through the watch.
    Ticket(TicketId),
}

/// What the driver is to do.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) begun: Vec<(SourceId, Prefix)>,
    pub(super) ended: Vec<SourceId>,
    pub(super) deadline: Option<Instant>,
    /// There is nothing to do until somebody subscribes.
    pub(super) is_over: bool,
}

impl Board {
    pub(super) fn new(is_atomic: bool, content_type: &'static str) -> Self {
        Self {
            sources: Sources::new(is_atomic),
            subscribers: BTreeMap::new(),
            names: HashMap::new(),
            next: 0,
            interest: Interest::default(),
            values: Values::new(content_type),
            round: None,
            tickets: Tickets::default(),
            timers: BTreeSet::new(),
            touched: BTreeSet::new(),
            awaiting: Interest::default(),
            hopeful: BTreeSet::new(),
            reports: Some(broadcast::Sender::new(REPORTS_MAX)),
            woken: Vec::new(),
            rings: false,
            is_driven: false,
            is_closed: false,
        }
    }

    /// Takes whom to wake, and whether the driver is among them.
    pub(super) fn take_calls(&mut self) -> (Vec<Waker>, bool) {
        (std::mem::take(&mut self.woken), std::mem::take(&mut self.rings))
    }

    /// What the driver is to do. If it is over it must come no more, until it is started again.
    pub(super) fn plan(&mut self) -> Plan {
        let is_over = self.is_closed || (self.subscribers.is_empty() && self.sources.is_empty());
        if is_over {
            self.is_driven = false;
        }
        let (begun, ended) = (self.sources.take_begun(), self.sources.take_ended());
        Plan { begun, ended, deadline: self.timers.first().map(|(at, _)| *at), is_over }
    }

    /// Whether a driver is to be started, which this counts as done.
    pub(super) fn needs_driver(&mut self) -> bool {
        let needs = !self.is_driven && !self.is_closed;
        self.is_driven |= needs;
        needs
    }

    /// The reports from now on. Of a board that is closed they have ended.
    pub(super) fn reports(&self) -> broadcast::Receiver<ResyncReport> {
        let ended = || broadcast::channel(1).1;
        self.reports.as_ref().map_or_else(ended, broadcast::Sender::subscribe)
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Nothing follows any more.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        self.round = None;
        self.reports = None;
        self.tickets.clear();
        self.timers.clear();
        self.rings = true;
        self.woken.extend(self.subscribers.values_mut().filter_map(|subscriber| subscriber.waker.take()));
    }

    pub(super) fn register(
        &mut self,
        name: Arc<str>,
        deadlines: Deadlines,
        prefixes: &[Prefix],
        now: Instant,
    ) -> Result<SubscriberId, SubscribeError> {
        if self.is_closed {
            return Err(SubscribeError::Closed);
        }
        if self.names.contains_key(&name) {
            return Err(SubscribeError::NameTaken(name));
        }
        let id = SubscriberId(self.next);
        self.next += 1;
        self.names.insert(Arc::clone(&name), id);
        self.subscribers.insert(id, Subscriber::new(name, deadlines));
        for prefix in prefixes {
            self.want(id, prefix);
        }
        self.begin_turn_of_new(id, now);
        self.after_change(now);
        Ok(id)
    }

    pub(super) fn unregister(&mut self, id: SubscriberId, now: Instant) {
        let Some(subscriber) = self.subscribers.remove(&id) else { return };
        self.names.remove(&subscriber.name);
        self.touched.remove(&id);
        self.hopeful.remove(&id);
        if let Some(at) = subscriber.timer {
            self.timers.remove(&(at, Timer::Subscriber(id)));
        }
        for prefix in subscriber.prefixes.keys() {
            self.interest.remove(prefix, id);
            self.awaiting.remove(prefix, id);
            self.sources.leave(prefix);
        }
        self.rings = true;
        self.tickets.leave(id);
        self.leave_round(id, &subscriber.name, now);
        self.after_change(now);
    }

    /// Adds a prefix to a subscription. One that is there already changes nothing.
    pub(super) fn add(&mut self, id: SubscriberId, prefix: &Prefix, now: Instant) {
        self.want(id, prefix);
        self.after_change(now);
    }

    fn want(&mut self, id: SubscriberId, prefix: &Prefix) {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        if subscriber.prefixes.contains_key(prefix) {
            return;
        }
        subscriber.prefixes.insert(prefix.clone(), false);
        self.awaiting.add(prefix, id);
        self.hopeful.insert(id);
        self.sources.join(prefix);
        self.rings = true;
    }

    /// Removes a prefix from a subscription. One that is not there changes nothing.
    pub(super) fn remove(&mut self, id: SubscriberId, prefix: &Prefix, now: Instant) {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        if !subscriber.prefixes.contains_key(prefix) {
            return;
        }
        match self.sources.over(prefix) {
            Some((_, source)) => subscriber.lose(prefix, source.below(prefix), source.revision()),
            None => subscriber.lose(prefix, std::iter::empty(), Revision::ZERO),
        }
        self.interest.remove(prefix, id);
        self.awaiting.remove(prefix, id);
        self.sources.leave(prefix);
        self.touched.insert(id);
        self.rings = true;
        self.after_change(now);
    }

    pub(super) fn statuses(&self) -> Vec<SubscriberStatus> {
        self.subscribers.values().map(Subscriber::status).collect()
    }

    pub(super) fn status(&self, id: SubscriberId) -> Option<SubscriberStatus> {
        self.subscribers.get(&id).map(Subscriber::status)
    }

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
        let Some(subscriber) = self.subscribers.get_mut(&id).filter(|_| !self.is_closed) else {
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

    /// What is due is done.
    pub(super) fn on_time(&mut self, now: Instant) {
        while let Some((at, timer)) = self.timers.first().copied()
            && at <= now
        {
            self.timers.remove(&(at, timer));
            match timer {
                Timer::Subscriber(id) => self.on_subscriber_time(id, now),
                Timer::Round => self.open_round(),
                Timer::Content(id) => self.give_up_content(id, now),
                Timer::Ticket(ticket) => self.give_up_arrival(ticket),
            }
        }
        self.after_change(now);
    }

    fn on_subscriber_time(&mut self, id: SubscriberId, now: Instant) {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        subscriber.timer = None;
        let mut tickets = Vec::new();
        let stage = match &mut subscriber.phase {
            Phase::Idle => return,
            Phase::Resting => {
                subscriber.phase = Phase::Idle;
                return self.settle(id, now);
            }
            Phase::Offered { is_late } => {
                *is_late = true;
                Deadline::Accept
            }
            Phase::Taken(flight) => {
                flight.is_late = true;
                tickets.append(&mut flight.tickets);
                Deadline::Finish
            }
        };
        tracing::warn!(subscriber = %subscriber.name, ?stage, "a deadline was missed");
        tickets.append(&mut subscriber.tickets);
        self.woken.extend(subscriber.waker.take());
        let outcome = Outcome::TimedOut(stage);
        tickets.iter().for_each(|ticket| self.tickets.note(*ticket, id, &outcome));
        self.end_turn(id, outcome);
    }

    pub(super) fn set_timer(&mut self, id: SubscriberId, at: Option<Instant>) {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        if let Some(before) = subscriber.timer.take() {
            self.timers.remove(&(before, Timer::Subscriber(id)));
        }
        subscriber.timer = at;
        if let Some(at) = at {
            self.add_timer(at, Timer::Subscriber(id));
        }
    }

    pub(super) fn add_timer(&mut self, at: Instant, timer: Timer) {
        self.timers.insert((at, timer));
        // A later one is found when the driver wakes for an earlier one.
        self.rings |= self.timers.first() == Some(&(at, timer));
    }

    /// Has the driver look again at what it does.
    pub(super) const fn ring(&mut self) {
        self.rings = true;
    }

    pub(super) fn remove_timer(&mut self, at: Instant, timer: Timer) {
        self.timers.remove(&(at, timer));
    }

    /// Who subscribed to a key, with their names.
    pub(super) fn concerned<'k>(
        &self,
        keys: impl Iterator<Item = &'k Key>,
    ) -> BTreeMap<SubscriberId, Arc<str>> {
        let ids = keys.flat_map(|key| self.interest.of(key));
        ids.filter_map(|id| Some((id, Arc::clone(&self.subscribers.get(&id)?.name)))).collect()
    }
}

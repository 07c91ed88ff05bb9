//! Resyncs in the order of registration, each subscriber with its deadlines, none in the way of the next.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answer::{Deadline, Outcome};
use super::board::Board;
use super::report::{ResyncCause, ResyncReport};
use super::round::Round;
use super::source::SourceId;
use super::subscriber::{Flight, Phase, Subscriber, SubscriberId};
use super::timing::Timer;

/// How long a round waits for the resyncs of other watches after one was told. Watches that one outage interrupted
/// come back one by one, and the subscribers are to be told in their order and not in that of the watches.
const SETTLE: Duration = Duration::from_millis(50);

/// How long a round waits for resyncs in all, however many come one after the other.
const SETTLE_MAX: Duration = Duration::from_secs(2);

/// How long a round waits for a content that does not come while others could be told.
const CONTENT_MAX: Duration = Duration::from_secs(10);

/// Whether a turn came to an end.
enum Turn {
    /// It is this subscriber's turn, or will be when something happens.
    Waits,
    /// What it is to be told is not there yet.
    Lacks,
    Over(Outcome),
    Begins,
}

impl Board {
    /// A new subscriber is told everything when those before it were.
    pub(super) fn begin_turn_of_new(&mut self, id: SubscriberId, _now: Instant) {
        let lacks = self.subscribers.get(&id).is_none_or(|subscriber| !subscriber.has_some());
        let round = self.round(ResyncCause::Start);
        round.queue.insert(id);
        round.all_lack &= lacks;
    }

    /// Everybody is told everything, and then the one who asked is told what came of it.
    pub(super) fn resync(&mut self, reply: oneshot::Sender<ResyncReport>, now: Instant) {
        if self.is_closed() {
            return;
        }
        let all: Vec<SubscriberId> = self.subscribers.keys().copied().collect();
        for id in &all {
            if let Some(subscriber) = self.subscribers.get_mut(id) {
                let live = subscriber.prefixes.iter().filter(|(_, is_live)| **is_live);
                subscriber.stale.extend(live.map(|(prefix, _)| prefix.clone()));
                subscriber.awaits_turn = true;
            }
        }
        self.enqueue(ResyncCause::Demand, &all.into_iter().collect()).demand(reply);
        self.after_change(now);
    }

    /// Whoever wants something of this source is told it anew.
    pub(super) fn begin_round_after_gap(&mut self, id: SourceId, now: Instant) {
        let Some(prefix) = self.sources.get(id).map(|source| source.prefix.clone()) else { return };
        let mut concerned = BTreeSet::new();
        for id in self.interest.within(&prefix) {
            let Some(subscriber) = self.subscribers.get_mut(&id) else { continue };
            let within = subscriber.within(&prefix);
            let live: Vec<_> =
                within.into_iter().filter(|prefix| subscriber.prefixes.get(prefix) == Some(&true)).collect();
            if !live.is_empty() {
                subscriber.stale.extend(live);
                subscriber.awaits_turn = true;
                concerned.insert(id);
            }
        }
        if concerned.is_empty() {
            return;
        }
        let has_others = self.sources.open_len() > 1;
        let round = self.enqueue(ResyncCause::Gap, &concerned);
        let before = round.not_before;
        if has_others && round.current.is_none() {
            let latest = *round.latest.get_or_insert(now + SETTLE_MAX);
            let at = (now + SETTLE).min(latest);
            round.not_before = Some(at);
            if let Some(before) = before {
                self.remove_timer(before, Timer::Round);
            }
            self.add_timer(at, Timer::Round);
        }
    }

    /// The wait before a round is over.
    pub(super) fn open_round(&mut self) {
        if let Some(round) = &mut self.round {
            (round.not_before, round.latest) = (None, None);
        }
    }

    /// A content did not come for so long that those after it are told before. It is told when it comes after all.
    pub(super) fn give_up_content(&mut self, id: SubscriberId, now: Instant) {
        let Some(round) = &mut self.round else { return };
        if round.lacking.take_if(|(lacking, _)| *lacking == id).is_none() || !round.queue.remove(&id) {
            return;
        }
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            let outcome = Outcome::TimedOut(Deadline::Arrive);
            subscriber.last = Some(outcome.clone());
            round.note(&subscriber.name, outcome);
        }
        self.release(id, now);
    }

    /// A round waits for a content. If it could go on without, it does not wait for ever.
    fn wait_for_content(&mut self, id: SubscriberId, now: Instant) {
        let Some(round) = &mut self.round else { return };
        if round.all_lack || round.lacking.is_some_and(|(lacking, _)| lacking == id) {
            return;
        }
        let has_some = |id: &SubscriberId| self.subscribers.get(id).is_some_and(Subscriber::has_some);
        round.all_lack = !round.queue.iter().any(has_some);
        if round.all_lack {
            return;
        }
        let at = now + CONTENT_MAX;
        if let Some((before, at)) = round.lacking.replace((id, at)) {
            self.remove_timer(at, Timer::Content(before));
        }
        self.add_timer(at, Timer::Content(id));
    }

    /// Notes what became of a subscriber's delivery, and ends its turn if it is this one's.
    pub(super) fn end_turn(&mut self, id: SubscriberId, outcome: Outcome) {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        subscriber.last = Some(outcome.clone());
        if let Some(round) = self.round.as_mut().filter(|round| round.current == Some(id)) {
            round.current = None;
            round.note(&subscriber.name, outcome);
        }
    }

    pub(super) fn leave_round(&mut self, id: SubscriberId, name: &Arc<str>, _now: Instant) {
        let Some(round) = &mut self.round else { return };
        let is_current = round.current == Some(id);
        if is_current {
            round.current = None;
        }
        round.queue.remove(&id);
        if is_current {
            // One that leaves before its turn was not told anything, and there can be any number of them.
            round.note(name, Outcome::Gone);
        }
    }

    /// Goes on with the round as far as it goes.
    pub(super) fn step_round(&mut self, now: Instant) {
        self.end_turn_without_news();
        while let Some(round) = &self.round {
            if round.not_before.is_some() || round.current.is_some() {
                return;
            }
            let Some(id) = round.queue.first().copied() else {
                return self.finish_round();
            };
            let turn = self.turn(id);
            let Some(round) = &mut self.round else { return };
            match turn {
                Turn::Waits => return,
                Turn::Lacks => return self.wait_for_content(id, now),
                Turn::Over(outcome) => {
                    round.queue.remove(&id);
                    if let Some(subscriber) = self.subscribers.get(&id) {
                        round.note(&subscriber.name, outcome);
                    }
                }
                Turn::Begins => {
                    round.queue.remove(&id);
                    round.current = Some(id);
                }
            }
            self.release(id, now);
        }
    }

    /// Whoever has nothing left to be told, since its prefixes were removed, has had its turn.
    fn end_turn_without_news(&mut self) {
        let current = self.round.as_ref().and_then(|round| round.current);
        let has_none = |one: &&Subscriber| matches!(one.phase, Phase::Idle) && !one.has_news();
        if let Some(id) = current.filter(|id| self.subscribers.get(id).filter(has_none).is_some()) {
            self.end_turn(id, Outcome::Applied);
        }
    }

    /// What is to become of the turn of the next subscriber.
    fn turn(&self, id: SubscriberId) -> Turn {
        let Some(subscriber) = self.subscribers.get(&id) else { return Turn::Over(Outcome::Gone) };
        if !subscriber.is_live() {
            // It is told when the content comes after all.
            return self.refused(id).map_or(Turn::Lacks, |reason| Turn::Over(Outcome::Failed(reason)));
        }
        match &subscriber.phase {
            Phase::Taken(Flight { is_late: true, .. }) => Turn::Over(Outcome::TimedOut(Deadline::Finish)),
            Phase::Taken(_) => Turn::Waits,
            _ if subscriber.stale.is_empty() => Turn::Over(Outcome::Applied),
            _ => Turn::Begins,
        }
    }

    /// From now on a subscriber is told whenever it can be; it is not kept waiting for its turn.
    fn release(&mut self, id: SubscriberId, now: Instant) {
        let Some(subscriber) = self.subscribers.get_mut(&id) else { return };
        subscriber.awaits_turn = false;
        if !matches!(subscriber.phase, Phase::Taken(_)) {
            // Also one that rests, or did not come in time before: this turn has deadlines of its own.
            subscriber.phase = Phase::Idle;
            self.set_timer(id, None);
            self.settle(id, now);
        }
    }

    fn finish_round(&mut self) {
        let Some(report) = self.round.take().map(Round::finish) else { return };
        if let Some(reports) = &self.reports {
            // It fails if nobody reads reports.
            let _ = reports.send(report);
        }
    }

    /// These subscribers wait for a turn, also the one whose turn it is, unless it has its delivery.
    fn enqueue(&mut self, cause: ResyncCause, ids: &BTreeSet<SubscriberId>) -> &mut Round {
        self.touched.extend(ids);
        let current = self.round(cause).current;
        let has_begun = |id: SubscriberId| {
            self.subscribers.get(&id).is_some_and(|one| matches!(one.phase, Phase::Taken(_)))
        };
        let begins_anew = current.is_some_and(|id| ids.contains(&id) && !has_begun(id));
        let round = self.round(cause);
        round.queue.extend(ids);
        round.all_lack = false;
        if begins_anew {
            round.current = None;
        }
        round
    }

    fn round(&mut self, cause: ResyncCause) -> &mut Round {
        self.round.get_or_insert_with(|| Round::new(cause))
    }
}

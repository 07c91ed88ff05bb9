//! What time ends.

use tokio::time::Instant;

use super::answer::{Deadline, Outcome};
use super::board::Board;
use super::subscriber::{Phase, SubscriberId, TicketId};

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

impl Board {
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

    pub(super) fn remove_timer(&mut self, at: Instant, timer: Timer) {
        self.timers.remove(&(at, timer));
    }
}

//! Who comes, who goes, and what they want.

use std::sync::Arc;

use tokio::time::Instant;

use super::board::Board;
use super::options::SubscribeError;
use super::subscriber::{Deadlines, Subscriber, SubscriberId};
use super::timing::Timer;
use crate::{Prefix, Revision};

impl Board {
    pub(super) fn register(
        &mut self,
        name: Arc<str>,
        deadlines: Deadlines,
        prefixes: &[Prefix],
        now: Instant,
    ) -> Result<SubscriberId, SubscribeError> {
        if self.is_closed() {
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
        if let Some(round) = &mut self.round {
            round.all_lack = false;
        }
        self.rings = true;
        self.after_change(now);
    }
}

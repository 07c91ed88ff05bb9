//! The state of a hub: who subscribed to what, who was told what, and who answered. It performs no I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;

use tokio::sync::broadcast;
use tokio::time::Instant;

use super::interest::Interest;
use super::report::{REPORTS_MAX, ResyncReport};
use super::round::Round;
use super::source::SourceId;
use super::sources::Sources;
use super::subscriber::{Subscriber, SubscriberId, SubscriberStatus};
use super::tickets::Tickets;
use super::timing::Timer;
use super::value::Values;
use crate::{Key, Prefix};

/// The state of a hub.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) sources: Sources,
    pub(super) subscribers: BTreeMap<SubscriberId, Subscriber>,
    pub(super) names: BTreeMap<Arc<str>, SubscriberId>,
    pub(super) next: u64,
    pub(super) interest: Interest,
    pub(super) values: Values,
    pub(super) round: Option<Round>,
    pub(super) tickets: Tickets,
    pub(super) timers: BTreeSet<(Instant, Timer)>,
    /// Who has news since the last commit ended.
    pub(super) touched: BTreeSet<SubscriberId>,
    /// Who waits for the content of a prefix.
    pub(super) awaiting: Interest,
    /// Those of them for whom it may be there now.
    pub(super) hopeful: BTreeSet<SubscriberId>,
    /// `None` once there will be no more.
    pub(super) reports: Option<broadcast::Sender<ResyncReport>>,
    pub(super) woken: Vec<Waker>,
    /// Whether the driver is to look again at what it does.
    pub(super) rings: bool,
    is_driven: bool,
    is_closed: bool,
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
            names: BTreeMap::new(),
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

    pub(super) fn statuses(&self) -> Vec<SubscriberStatus> {
        self.subscribers.values().map(Subscriber::status).collect()
    }

    pub(super) fn status(&self, id: SubscriberId) -> Option<SubscriberStatus> {
        self.subscribers.get(&id).map(Subscriber::status)
    }

    /// Has the driver look again at what it does.
    pub(super) const fn ring(&mut self) {
        self.rings = true;
    }

    /// Who subscribed to a key, with their names: also who still waits for the content of a prefix.
    pub(super) fn concerned<'k>(
        &self,
        keys: impl Iterator<Item = &'k Key>,
    ) -> BTreeMap<SubscriberId, Arc<str>> {
        let ids = keys.flat_map(|key| self.interest.of(key).into_iter().chain(self.awaiting.of(key)));
        ids.filter_map(|id| Some((id, Arc::clone(&self.subscribers.get(&id)?.name)))).collect()
    }
}

//! A mirror at work.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;

use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::task::coop::consume_budget;
use tokio::time::Sleep;

use crate::backoff::Backoff;
use crate::{Error, ErrorKind, Event, Incarnation, Key, Link, Moment, Result, Selection, StoreStatus, Watch};

use super::batch::Rel;
use super::outage::{Cause, Outage};
use super::plan::Plan;
use super::work::Landed;
use super::{Mirror, MirrorEvent, MirrorProgress, Side};

/// A [`Mirror`] at work. It works while [`next`](Self::next) is awaited; dropping it ends it.
#[must_use = "a mirror works while its next event is awaited"]
pub struct Mirroring {
    pub(super) mirror: Mirror,
    pub(super) plan: Plan,
    pub(super) watches: [Watch; 2],
    pub(super) statuses: [watch::Receiver<StoreStatus>; 2],
    pub(super) outages: [Outage; 2],
    pub(super) trust: Trust,
    /// What was sent to the target. It survives a `next` that is dropped.
    pub(super) flight: Option<BoxFuture<'static, Landed>>,
    /// The life of the target that it was made for.
    pub(super) flight_life: Option<Incarnation>,
    /// How many keys are part of it.
    pub(super) in_flight: usize,
    /// Keys of the target that are known to be other than they were told.
    pub(super) reread: VecDeque<(Rel, Key)>,
    pub(super) pause: Option<Pin<Box<Sleep>>>,
    pub(super) retry: Option<Pin<Box<Sleep>>>,
    pub(super) backoff: Backoff,
    pub(super) conflicts: u32,
    pub(super) events: VecDeque<MirrorEvent>,
    pub(super) done: MirrorProgress,
    pub(super) was_compared: bool,
    pub(super) is_told: bool,
    pub(super) ended: bool,
}

/// Whether the source is as it was told last. While it is not, who works on the target is not to be set right by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// As far as is known it is.
    Current,
    /// It is out of reach.
    Lost,
    /// It is back, and what was asked for from then on counts.
    From(Moment),
}

impl Mirroring {
    pub(super) fn new(mirror: Mirror) -> Self {
        let watches = [
            Watch::new(&mirror.source, Selection::Prefix(mirror.from.clone())),
            Watch::new(&mirror.target, Selection::Prefix(mirror.to.clone())),
        ];
        let statuses = [mirror.source.status(), mirror.target.status()];
        Self {
            plan: Plan::new(mirror.from.clone(), mirror.to.clone(), mirror.is_deleting),
            mirror,
            watches,
            statuses,
            outages: <[Outage; 2]>::default(),
            trust: Trust::Current,
            flight: None,
            flight_life: None,
            in_flight: 0,
            reread: VecDeque::new(),
            pause: None,
            retry: None,
            backoff: Backoff::default(),
            conflicts: 0,
            events: VecDeque::new(),
            done: MirrorProgress::default(),
            was_compared: false,
            is_told: false,
            ended: false,
        }
    }

    /// The next thing that was done, or could not be. The work is done while this is awaited.
    ///
    /// Lost connections need nothing from the caller: they are told, and waited for, with pauses that grow to 5 s.
    /// A mirror ends by itself only with an error, or after a dry run.
    ///
    /// # Errors
    ///
    /// Each is the last event.
    ///
    /// - [`Closed`](ErrorKind::Closed) if one of the stores was closed.
    /// - [`ReadOnly`](ErrorKind::ReadOnly) if the target can only be read.
    /// - [`Invalid`](ErrorKind::Invalid) if both stores turn out to be the same, and the prefixes overlap.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event, and what was sent goes on with the next call.
    pub async fn next(&mut self) -> Option<Result<MirrorEvent>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(Ok(event));
            }
            if self.ended {
                return None;
            }
            // Stores that always have an answer would keep the thread to themselves.
            consume_budget().await;
            match self.step().await {
                Ok(()) => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> MirrorProgress {
        let under_way = self.in_flight + self.reread.len();
        self.plan.progress(MirrorProgress { pending: under_way, ..self.done })
    }

    /// Whether both sides were told completely at least once. Before, nothing is written.
    #[must_use]
    pub const fn is_compared(&self) -> bool {
        self.was_compared
    }

    /// Begins what can be begun; otherwise waits for something to happen.
    async fn step(&mut self) -> Result<()> {
        if self.statuses[Side::Source as usize].has_changed().unwrap_or(false) {
            self.on_status(Side::Source);
        }
        let is_current = self.plan.is_synced() && self.trust == Trust::Current;
        if self.flight.is_none() && self.pause.is_none() && is_current {
            self.check_apart()?;
            if self.begin() {
                return Ok(());
            }
        }
        let [source, target] = &mut self.watches;
        let [source_status, target_status] = &mut self.statuses;
        tokio::select! {
            Ok(()) = source_status.changed() => {
                self.on_status(Side::Source);
                Ok(())
            }
            Ok(()) = target_status.changed() => {
                self.on_status(Side::Target);
                Ok(())
            }
            told = source.next() => self.on_told(Side::Source, told),
            told = target.next() => self.on_told(Side::Target, told),
            landed = set(&mut self.flight) => {
                self.flight = None;
                self.on_landed(landed)
            }
            () = set(&mut self.pause) => {
                self.pause = None;
                Ok(())
            }
            () = set(&mut self.retry) => {
                self.retry = None;
                self.plan.mark_refused();
                Ok(())
            }
        }
    }

    /// Both stores are known now: they must not be the same.
    fn check_apart(&mut self) -> Result<()> {
        if !self.was_compared {
            self.mirror.check_lives(self.plan.incarnations())?;
            self.was_compared = true;
        }
        Ok(())
    }

    fn on_status(&mut self, side: Side) {
        let link = self.statuses[side as usize].borrow_and_update().link.clone();
        let outage = &mut self.outages[side as usize];
        // What the source told before the target was reached counts as little as what it told after.
        if side == Side::Source && self.plan.is_source_synced() {
            self.trust = Trust::Lost;
            if link == Link::Live {
                self.trust = Trust::From(Moment::now());
                self.watches[side as usize].doubt();
            }
        }
        match link {
            Link::Lost { reason } => {
                let error = Error::new(ErrorKind::Unreachable, "watch").because(&*reason);
                outage.begin(Cause::Link, side, error, &mut self.events);
            }
            Link::Live => outage.end(Cause::Link, side, &mut self.events),
            // The end is told by the watch.
            Link::Connecting | Link::Closed => {}
        }
    }

    /// What is told now was asked for at that moment.
    fn on_proved(&mut self, side: Side, asked: Moment) {
        self.outages[side as usize].end(Cause::Watch, side, &mut self.events);
        if let (Side::Source, Trust::From(since)) = (side, self.trust)
            && asked >= since
        {
            self.trust = Trust::Current;
        }
    }

    pub(super) fn on_told(&mut self, side: Side, told: Option<Result<Event>>) -> Result<()> {
        match told {
            Some(Ok(event)) => {
                let asked = match &event {
                    Event::ResyncDone { asked, .. } | Event::Progress { asked, .. } => Some(*asked),
                    _ => None,
                };
                self.plan.apply(side, event);
                if let Some(asked) = asked {
                    self.on_proved(side, asked);
                }
                Ok(())
            }
            Some(Err(error)) if error.kind() == ErrorKind::Closed => Err(error),
            Some(Err(error)) => {
                self.outages[side as usize].begin(Cause::Watch, side, error, &mut self.events);
                Ok(())
            }
            None => Err(Error::new(ErrorKind::Closed, "watch").because(format!("the {side}"))),
        }
    }
}

impl fmt::Debug for Mirroring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirroring").field("mirror", &self.mirror).finish_non_exhaustive()
    }
}

/// Waits for a future if there is one, and for ever if there is none.
async fn set<F: Future + Unpin>(future: &mut Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

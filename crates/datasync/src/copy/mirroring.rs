//! A mirror at work.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::task::coop::consume_budget;
use tokio::time::{Sleep, sleep};

use crate::backoff::Backoff;
use crate::{
    Committed, Conflict, Consistency, Error, ErrorKind, Event, Found, Key, Link, Moment, Read, Result,
    Selection, StoreStatus, Want, Watch,
};

use super::batch::{Batch, Change, ChangeKind, Rel};
use super::outage::{Cause, Outage};
use super::plan::{Next, Plan};
use super::{Mirror, MirrorEvent, MirrorProgress, Side};

/// How long a key that was refused is left alone, unless it changes.
const REFUSED_WAIT: Duration = Duration::from_secs(30);

/// How often in a row others may be faster before there is a wait.
const CONFLICTS_MAX: u32 = 3;

/// A [`Mirror`] at work. It works while [`next`](Self::next) is awaited; dropping it ends it.
#[must_use = "a mirror works while its next event is awaited"]
pub struct Mirroring {
    mirror: Mirror,
    plan: Plan,
    watches: [Watch; 2],
    statuses: [watch::Receiver<StoreStatus>; 2],
    outages: [Outage; 2],
    trust: Trust,
    /// What was sent to the target. It survives a `next` that is dropped.
    flight: Option<BoxFuture<'static, Landed>>,
    /// How many keys are part of it.
    in_flight: usize,
    /// Keys of the target that are known to be other than they were told.
    reread: VecDeque<(Rel, Key)>,
    pause: Option<Pin<Box<Sleep>>>,
    retry: Option<Pin<Box<Sleep>>>,
    backoff: Backoff,
    conflicts: u32,
    events: VecDeque<MirrorEvent>,
    done: MirrorProgress,
    was_compared: bool,
    is_told: bool,
    ended: bool,
}

/// Whether the source is as it was told last. While it is not, who works on the target is not to be set right by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// As far as is known it is.
    Current,
    /// It is out of reach.
    Lost,
    /// It is back, and what was asked for from then on counts.
    From(Moment),
}

/// What came of something that was sent.
enum Landed {
    Commit(Batch, Result<Committed>),
    Read(Rel, Key, Result<Read>),
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

    /// Begins the next piece of work; `false` if there is none.
    fn begin(&mut self) -> bool {
        if let Some((rel, key)) = self.reread.pop_front() {
            self.read(rel, key);
            return false;
        }
        match self.plan.next(&self.mirror.target.capabilities()) {
            Next::Busy => true,
            Next::Refused(key, error) => {
                self.is_told = false;
                self.events.push_back(MirrorEvent::Refused { key, error });
                true
            }
            Next::Commit(batch) if self.mirror.is_dry => {
                self.done(&batch);
                true
            }
            Next::Commit(batch) => {
                self.commit(batch);
                false
            }
            Next::Idle => self.rest(),
        }
    }

    /// There is nothing to do; `true` if that is worth telling.
    fn rest(&mut self) -> bool {
        if self.retry.is_none() && self.plan.has_refused() {
            self.retry = Some(Box::pin(sleep(REFUSED_WAIT)));
        }
        // What could not be written need not be any more.
        self.outages[Side::Target as usize].end(Cause::Request, Side::Target, &mut self.events);
        if self.is_told {
            return !self.events.is_empty();
        }
        self.is_told = true;
        self.ended = self.mirror.is_dry;
        self.events.push_back(MirrorEvent::InSync);
        true
    }

    fn commit(&mut self, batch: Batch) {
        self.is_told = false;
        self.in_flight = batch.changes.len();
        let store = self.mirror.target.clone();
        self.flight = Some(Box::pin(async move {
            let committed = store.commit(batch.txn()).await;
            Landed::Commit(batch, committed)
        }));
    }

    fn read(&mut self, rel: Rel, key: Key) {
        self.is_told = false;
        self.in_flight = 1;
        let store = self.mirror.target.clone();
        self.flight = Some(Box::pin(async move {
            let read = store.get(&key, Want::Value, Consistency::Synced).await;
            Landed::Read(rel, key, read)
        }));
    }

    fn on_status(&mut self, side: Side) {
        let link = self.statuses[side as usize].borrow_and_update().link.clone();
        let outage = &mut self.outages[side as usize];
        if side == Side::Source && self.plan.is_synced() {
            self.trust = if link == Link::Live { Trust::From(Moment::now()) } else { Trust::Lost };
            self.watches[side as usize].doubt();
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

    fn on_told(&mut self, side: Side, told: Option<Result<Event>>) -> Result<()> {
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

    fn on_landed(&mut self, landed: Landed) -> Result<()> {
        self.in_flight = 0;
        match landed {
            Landed::Commit(batch, Ok(committed)) => {
                self.conflicts = 0;
                self.answered();
                self.plan.committed(batch.events(&committed), rels(&batch));
                self.done(&batch);
                Ok(())
            }
            Landed::Commit(batch, Err(error)) => self.on_failed(batch, error),
            Landed::Read(rel, key, Ok(read)) => {
                self.answered();
                let revision = read.revision;
                self.plan.apply(
                    Side::Target,
                    match read.found {
                        Found::Entry(entry) => Event::Put(entry),
                        Found::Absent | Found::Stat(_) => Event::Delete { key, revision },
                    },
                );
                self.plan.mark(rel);
                Ok(())
            }
            Landed::Read(rel, key, Err(error)) => {
                self.reread.push_back((rel, key));
                self.wait_for_target(error)
            }
        }
    }

    fn on_failed(&mut self, mut batch: Batch, error: Error) -> Result<()> {
        match error.kind() {
            ErrorKind::Closed | ErrorKind::ReadOnly => Err(error),
            ErrorKind::Conflict(Conflict::Version | Conflict::Present | Conflict::Absent) => {
                self.answered();
                self.conflicts += 1;
                if self.conflicts > CONFLICTS_MAX {
                    self.pause = Some(Box::pin(sleep(self.backoff.next())));
                }
                let moved = batch.changes.iter().find(|change| Some(&change.key) == error.key());
                let moved: Vec<Change> =
                    moved.map_or_else(|| batch.changes.clone(), |change| vec![change.clone()]);
                self.reread.extend(moved.into_iter().map(|change| (change.rel, change.key)));
                self.plan.take_back(batch);
                Ok(())
            }
            ErrorKind::Backend | ErrorKind::Unreachable | ErrorKind::TimedOut => {
                self.plan.take_back(batch);
                self.wait_for_target(error)
            }
            ErrorKind::Conflict(Conflict::Contended) => {
                self.plan.take_back(batch);
                self.wait_for_target(error)
            }
            _ if batch.changes.len() > 1 => {
                self.answered();
                self.plan.separate(batch);
                Ok(())
            }
            _ => {
                self.answered();
                if let Some(Change { rel, key, .. }) = batch.changes.pop()
                    && let Some(error) = self.plan.refuse(&rel, error)
                {
                    self.events.push_back(MirrorEvent::Refused { key, error });
                }
                Ok(())
            }
        }
    }

    fn wait_for_target(&mut self, error: Error) -> Result<()> {
        if error.kind() == ErrorKind::Closed {
            return Err(error);
        }
        self.pause = Some(Box::pin(sleep(self.backoff.next())));
        let outage = &mut self.outages[Side::Target as usize];
        outage.begin(Cause::Request, Side::Target, error, &mut self.events);
        Ok(())
    }

    /// The target was reached.
    fn answered(&mut self) {
        if self.conflicts == 0 {
            self.backoff.reset();
        }
        let outage = &mut self.outages[Side::Target as usize];
        outage.end(Cause::Request, Side::Target, &mut self.events);
    }

    /// Counts what was written, and tells it.
    fn done(&mut self, batch: &Batch) {
        self.is_told = false;
        for change in &batch.changes {
            let (key, bytes) = (change.key.clone(), change.bytes());
            let is_new = matches!(change.kind, ChangeKind::Create(_));
            if matches!(change.kind, ChangeKind::Delete(_)) {
                self.done.deleted += 1;
                self.events.push_back(MirrorEvent::Deleted { key });
            } else {
                self.done.written += 1;
                self.done.written_bytes += bytes as u64;
                self.events.push_back(MirrorEvent::Written { key, bytes, is_new });
            }
        }
    }
}

impl fmt::Debug for Mirroring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirroring").field("mirror", &self.mirror).finish_non_exhaustive()
    }
}

fn rels(batch: &Batch) -> Vec<Rel> {
    batch.changes.iter().map(|change| change.rel.clone()).collect()
}

/// Waits for a future if there is one, and for ever if there is none.
async fn set<F: Future + Unpin>(future: &mut Option<F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

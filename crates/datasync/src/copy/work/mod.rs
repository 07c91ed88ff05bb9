//! What a mirror sends to the target, and what comes of it.

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::sleep;

use crate::{Committed, Conflict, Consistency, Error, ErrorKind, Event, Found, Key, Read, Result, Want};

use super::batch::{Batch, Change, ChangeKind, Rel};
use super::outage::Cause;
use super::plan::Next;
use super::{MirrorEvent, Mirroring, Side};

/// How long a key that was refused is left alone, unless it changes.
const REFUSED_WAIT: Duration = Duration::from_secs(30);

/// How often in a row others may be faster before there is a wait.
const CONFLICTS_MAX: u32 = 3;

/// What came of something that was sent.
pub(super) enum Landed {
    Commit(Batch, Result<Committed>),
    Read(Rel, Key, Result<Read>),
}

impl Mirroring {
    /// Begins the next piece of work; `false` if there is none.
    pub(super) fn begin(&mut self) -> bool {
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
        self.in_flight = batch.changes.len();
        self.flight_life = self.plan.target_life();
        let store = self.mirror.target.clone();
        self.flight = Some(Box::pin(async move {
            let committed = store.commit(batch.txn()).await;
            Landed::Commit(batch, committed)
        }));
    }

    fn read(&mut self, rel: Rel, key: Key) {
        self.in_flight = 1;
        self.flight_life = self.plan.target_life();
        let store = self.mirror.target.clone();
        self.flight = Some(Box::pin(async move {
            let read = store.get(&key, Want::Value, Consistency::Synced).await;
            Landed::Read(rel, key, read)
        }));
    }

    pub(super) fn on_landed(&mut self, landed: Landed) -> Result<()> {
        self.in_flight = 0;
        // The revisions of another life say nothing in this one.
        let is_of_this_life = self.flight_life == self.plan.target_life();
        match landed {
            Landed::Commit(batch, Ok(committed)) => {
                self.conflicts = 0;
                self.answered();
                self.done(&batch);
                if is_of_this_life {
                    self.plan.committed(batch.events(&committed), rels(&batch));
                } else {
                    self.plan.take_back(batch);
                }
                Ok(())
            }
            Landed::Read(rel, key, Ok(_)) if !is_of_this_life => {
                self.reread.push_back((rel, key));
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
            ErrorKind::Backend
            | ErrorKind::Unreachable
            | ErrorKind::TimedOut
            | ErrorKind::Conflict(Conflict::Contended) => {
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
                    self.is_told = false;
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

fn rels(batch: &Batch) -> Vec<Rel> {
    batch.changes.iter().map(|change| change.rel.clone()).collect()
}

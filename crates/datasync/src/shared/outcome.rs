//! Finding out what became of a transaction whose answer was lost.

use std::time::Duration;

use tokio::time::Instant;

use super::batch::{Batch, Hold};
use super::edit::{Edit, Edited, Editor};
use super::fence::Undecided;
use super::own::{Announced, announce};
use crate::backoff::Backoff;
use crate::coordinate::{ANSWER_TIME, Tenure};
use crate::{Conflict, Consistency, Entry, Error, ErrorKind, Result, Txn, Version, Want};

/// How long the store may be out of reach under a transaction before the update is given up. It is longer than
/// sessions live, so that an outcome stays open only in an outage that outlasts them.
const OUTCOME_TIME: Duration = Duration::from_secs(60);

/// What became of one transaction.
pub(super) enum Outcome {
    /// It was applied, and did this.
    Applied(Edited),
    /// The payload is not what the decision was made on.
    Moved,
    /// The lock is gone, and nothing was or will be applied.
    LockLost,
}

/// A transaction that may have been sent, and what is known of it.
#[derive(Debug)]
pub(super) struct Sent {
    txn: Txn,
    /// Whether a copy of it may be under way, or applied without an answer.
    is_open: bool,
    /// What it did, once it was acknowledged.
    applied: Option<Edited>,
    /// Holds back what the copy here observes.
    _undecided: Option<Undecided>,
    /// Lets the other handles of this process know the write when they observe it.
    announced: Option<Announced>,
}

impl Sent {
    pub(super) const fn new(txn: Txn, undecided: Option<Undecided>) -> Self {
        Self { txn, is_open: false, applied: None, _undecided: undecided, announced: None }
    }

    /// Announces what is to be written.
    pub(super) fn announced(mut self, editor: &Editor, edit: &Edit, base: Option<Version>) -> Self {
        if let Edit::Put(payload) = edit {
            self.announced = Some(announce(&editor.store, &editor.layout.payload, payload, base));
        }
        self
    }
}

impl Editor {
    /// Reads the payload, unless the store is out of reach for too long. It is given a little time to answer even if
    /// the deadline is past.
    pub(super) async fn read_in_time(&self, deadline: Instant) -> Result<Option<Entry>> {
        let now = Instant::now();
        let give_up = deadline.clamp(now + ANSWER_TIME, now + OUTCOME_TIME);
        in_time(give_up, self.read(Consistency::Synced)).await.map_err(Error::not_applied)
    }

    /// Commits until the outcome is known. A read could not tell: it may miss a copy that is still under way. So
    /// the same transaction is committed again, which can be applied only once: it consumes the lock entry, or the
    /// version that it names.
    ///
    /// # Cancel safety
    ///
    /// What was sent is remembered in the batch; calling it again goes on.
    pub(super) async fn commit_until_known(&self, batch: &mut Batch) -> Result<Outcome> {
        let Batch { hold, base, sent, edit, .. } = batch;
        let sent = sent.as_mut().expect("a batch that is committed has a transaction");
        if let Some(edited) = sent.applied.clone() {
            return Ok(Outcome::Applied(edited));
        }
        let mut backoff = Backoff::default();
        let give_up = Instant::now() + OUTCOME_TIME;
        loop {
            let was_open = std::mem::replace(&mut sent.is_open, true);
            let error = match in_time(give_up, self.store.commit(sent.txn.clone())).await {
                Ok(committed) => {
                    hold.consumed();
                    let edited = Edited::acknowledged(edit, committed.written, committed.revision);
                    if let (Some(announced), Edited::Put(entry)) = (&sent.announced, &edited) {
                        announced.acknowledged(entry.version);
                    }
                    sent.applied = Some(edited.clone());
                    return Ok(Outcome::Applied(edited));
                }
                Err(error) => error,
            };
            let is_open = was_open || error.maybe_applied();
            sent.is_open = is_open;
            if let Hold::Locked(tenure) = hold {
                if tenure.lease.has_ended() || error.kind() == ErrorKind::LeaseEnded {
                    tenure.consumed();
                    let base = base.as_ref();
                    return if is_open {
                        self.after_expiry(tenure, base, error).await
                    } else {
                        Ok(Outcome::LockLost)
                    };
                }
                if error.as_conflict().is_some() && error.key() == Some(&tenure.entry) {
                    tenure.consumed();
                    return match base {
                        _ if !was_open => Ok(Outcome::LockLost),
                        base => self.after_consumed(edit, base.as_ref(), give_up).await,
                    };
                }
            }
            if let Some(Conflict::Version | Conflict::Absent | Conflict::Present) = error.as_conflict() {
                // Without a lock entry nothing tells a first copy that was applied from somebody else's write.
                let is_known = hold.is_locked() || !was_open;
                return if is_known { Ok(Outcome::Moved) } else { Err(error.perhaps_applied()) };
            }
            let is_final =
                error.kind() == ErrorKind::Closed || !(error.is_retryable() || error.maybe_applied());
            if is_final || Instant::now() >= give_up {
                return Err(if is_open { error.perhaps_applied() } else { error });
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// The lock entry is gone, and nobody said why: the first copy consumed it, or somebody took it away before
    /// anything was written, which shows if the payload did not move. Others may have written since.
    async fn after_consumed(&self, edit: &Edit, base: Option<&Entry>, give_up: Instant) -> Result<Outcome> {
        let read = self.store.get(&self.layout.payload, Want::Value, Consistency::Synced);
        let read = in_time(give_up, read).await.map_err(Error::perhaps_applied)?;
        let revision = read.revision;
        let current = read.into_entry();
        if base.is_some_and(|base| current.as_ref().is_some_and(|current| current.version == base.version)) {
            return Ok(Outcome::LockLost);
        }
        if base.is_none() && current.is_none() {
            // Never made, or made and deleted since: nothing that is left tells.
            let error = Error::new(ErrorKind::LeaseEnded, "update").on(&self.layout.payload);
            return Err(error.because("the lock is gone, and there is no payload").perhaps_applied());
        }
        Ok(Outcome::Applied(match (edit, current) {
            (Edit::Put(_), Some(entry)) => Edited::Put(entry),
            _ => Edited::Deleted(revision),
        }))
    }

    /// The lease ended under an open transaction. Its lock entry may still be there, and with it a copy of the
    /// transaction may still be applied: so the entry is deleted first, which decides it. If that deleted it, the
    /// transaction was not applied and never will be. If it was gone, whether the transaction consumed it or the
    /// end of the lease took it shows only if the payload did not move.
    async fn after_expiry(&self, tenure: &Tenure, base: Option<&Entry>, error: Error) -> Result<Outcome> {
        let mut backoff = Backoff::default();
        let give_up = Instant::now() + OUTCOME_TIME;
        loop {
            let txn = Txn::new().check_present(&tenure.entry).delete(&tenure.entry);
            match in_time(give_up, self.store.commit(txn)).await {
                Ok(_) => return Ok(Outcome::LockLost),
                Err(refused) if refused.as_conflict() == Some(Conflict::Absent) => break,
                Err(failed) if failed.kind() == ErrorKind::Closed || Instant::now() >= give_up => {
                    return Err(error.perhaps_applied());
                }
                Err(_) => tokio::time::sleep(backoff.next()).await,
            }
        }
        let Ok(current) = in_time(give_up, self.read(Consistency::Linearizable)).await else {
            return Err(error.perhaps_applied());
        };
        if current.as_ref().map(|entry| entry.version) == base.map(|entry| entry.version) {
            return Ok(Outcome::LockLost);
        }
        Err(Error::new(ErrorKind::LeaseEnded, "update")
            .on(&self.layout.payload)
            .because("the session expired and the payload moved")
            .caused_by(error)
            .perhaps_applied())
    }
}

/// Bounds one step of the store. What a step that is given up has done is open.
pub(super) async fn in_time<T>(give_up: Instant, step: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout_at(give_up, step).await {
        Ok(result) => result,
        Err(_) => {
            let detail = "the store did not answer in time";
            Err(Error::new(ErrorKind::TimedOut, "update").because(detail).perhaps_applied())
        }
    }
}

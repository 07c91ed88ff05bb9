//! The writers of one handle: each in its turn, those who wait together in one transaction.
//!
//! A writer that has its turn makes its edit on what those before it made, and queues up again behind everybody who
//! waits. Whoever has a second turn before the batch was written writes it: by then all who waited have joined. So
//! a writer alone writes at once, and many share one lock and one transaction. No closure leaves the future of its
//! caller.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{MutexGuard, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::batch::{Batch, Hold, Settled, Verdict};
use super::edit::{Edit, EditFailure, Edited, Editor};
use super::pace::Pace;
use super::terms::Terms;
use crate::coordinate::{ANSWER_TIME, LockRequest, after};
use crate::{Entry, Error, ErrorKind, Incarnation, LockError, Result};

/// Where the writers of one handle take turns.
#[derive(Debug, Default)]
pub(crate) struct Bench {
    /// What was edited and not written yet.
    batch: Option<Batch>,
    pace: Pace,
    /// Until when optimistic writers of this handle step aside.
    aside: Option<Instant>,
}

/// One writer, from its first turn to its verdict.
struct Writer<'e> {
    editor: &'e Editor,
    verdict: Option<oneshot::Receiver<Verdict>>,
}

impl Editor {
    /// Lets `decide` choose what to write, on the entry as it is, and writes it exactly once.
    ///
    /// `decide` runs again if somebody else wrote meanwhile. An error that does not say "maybe applied" means that
    /// nothing was written and nothing will be.
    ///
    /// # Cancel safety
    ///
    /// A dropped future frees the lock in the background, or leaves that to those who share it. If it was dropped
    /// after `decide` ran, the write may have been applied.
    pub(crate) async fn write<E>(
        &self,
        terms: Terms,
        decide: impl FnMut(Option<&Entry>) -> Result<Edit, E>,
    ) -> Result<Edited, EditFailure<E>> {
        let span = tracing::debug_span!("update", key = %self.layout.payload, exclusive = terms.is_exclusive);
        let began = self.metrics.now();
        let written = self.write_in_turn(terms, decide).instrument(span).await;
        self.metrics.on_updated(began, terms.is_exclusive, written.is_err());
        written
    }

    async fn write_in_turn<E>(
        &self,
        terms: Terms,
        mut decide: impl FnMut(Option<&Entry>) -> Result<Edit, E>,
    ) -> Result<Edited, EditFailure<E>> {
        if terms.is_exclusive && self.layout.directory.is_none() {
            let what = "an exclusive update of a struct on one plain key";
            return Err(Error::unsupported("update", what).on(&self.layout.payload).into());
        }
        let deadline = after(terms.wait);
        let mut writer = Writer { editor: self, verdict: None };
        let mut is_lost = false;
        for _ in 0..terms.tries {
            let mut bench = self.turn(&terms, deadline).await?;
            let batch = bench.batch.as_mut().expect("a turn is had on a batch");
            let (edit, refused) = match decide(batch.working()) {
                Ok(edit) => (edit, None),
                Err(refused) => (Edit::Keep, Some(refused)),
            };
            if let Edit::Put(payload) = &edit {
                // What the store would refuse is refused before it spoils the edits of others.
                self.store.capabilities().check_value(&self.layout.payload, payload.len())?;
            }
            let is_idle = edit == Edit::Keep;
            let verdict = writer.verdict.insert(batch.join(edit));
            if terms.is_alone {
                self.settle(&mut bench, deadline).await;
            }
            drop(bench);
            let waiting = self.verdict(verdict, deadline);
            let told = if is_idle {
                // It has no part in what others sent, and waits for that no longer than it was allowed to.
                timeout_at(deadline.max(after(2 * ANSWER_TIME)), waiting).await
            } else {
                Ok(waiting.await)
            };
            match told.map_err(|_| self.timed_out(&terms))? {
                Verdict::Done(edited) => {
                    return refused.map_or(Ok(edited), |why| Err(EditFailure::Refused(why)));
                }
                Verdict::Failed(error) => return Err(error.into()),
                Verdict::Moved | Verdict::LockLost if Instant::now() >= deadline => {
                    return Err(self.timed_out(&terms));
                }
                again => is_lost = matches!(again, Verdict::LockLost),
            }
        }
        Err(if is_lost { self.lock_lost() } else { self.contended() }.into())
    }

    /// Waits for a turn, and for a batch that can be joined.
    async fn turn<E>(
        &self,
        terms: &Terms,
        deadline: Instant,
    ) -> Result<MutexGuard<'_, Bench>, EditFailure<E>> {
        let waited = timeout_at(deadline, self.bench.lock()).await;
        let mut bench = waited.map_err(|_| self.timed_out(terms))?;
        let is_other =
            |batch: &Batch| batch.is_locked() != terms.is_exclusive || terms.is_alone && !batch.is_empty();
        if let Some(batch) = &mut bench.batch {
            batch.forget_the_deserted();
        }
        if bench.batch.as_ref().is_some_and(|batch| is_other(batch) || batch.is_full()) {
            // What cannot be joined is written first, on behalf of its members; they go on if it takes too long.
            let settled = timeout_at(deadline, self.settle(&mut bench, deadline)).await;
            settled.map_err(|_| self.timed_out(terms))?;
            bench.batch.take_if(|batch| is_other(batch));
        }
        if bench.batch.is_none() {
            let batch = self.begin(&mut bench, terms, deadline).await?;
            bench.batch = Some(batch);
        }
        Ok(bench)
    }

    /// Has the lock, or what the copy here knows, and with it what is there now.
    async fn begin<E>(
        &self,
        bench: &mut Bench,
        terms: &Terms,
        deadline: Instant,
    ) -> Result<Batch, EditFailure<E>> {
        match &self.layout.directory {
            Some(directory) if terms.is_exclusive => {
                let request = LockRequest {
                    store: &self.store,
                    directory: &directory.write_lock,
                    keeper: &self.keeper,
                    then_get: Some(&self.layout.payload),
                    wait: terms.wait,
                    deadline,
                };
                let asked = self.metrics.now();
                let mut tenure = request.acquire().await.map_err(EditFailure::Lock)?;
                self.metrics.on_lock(asked);
                let (base, of) = (tenure.got.take(), tenure.incarnation);
                Ok(Batch::new(Hold::Locked(Box::new(tenure)), base, of))
            }
            _ => {
                if let Some(until) = bench.aside.take() {
                    tokio::time::sleep_until(until.min(deadline)).await;
                }
                let of = self.incarnation();
                // A version of another life guards nothing.
                let base = match self.latest() {
                    Some((entry, life)) if life == of => Some(entry),
                    _ => self.read_in_time(deadline).await?,
                };
                Ok(Batch::new(Hold::Versioned, base, of))
            }
        }
    }

    /// Waits for what became of the batch, or for the turn to write it.
    async fn verdict(&self, verdict: &mut oneshot::Receiver<Verdict>, deadline: Instant) -> Verdict {
        let mut bench = tokio::select! {
            biased;
            told = &mut *verdict => return told.unwrap_or_else(|_| self.abandoned()),
            bench = self.bench.lock() => bench,
        };
        match verdict.try_recv() {
            Ok(told) => return told,
            Err(oneshot::error::TryRecvError::Empty) => self.settle(&mut bench, deadline).await,
            Err(oneshot::error::TryRecvError::Closed) => return self.abandoned(),
        }
        drop(bench);
        verdict.await.unwrap_or_else(|_| self.abandoned())
    }

    /// Writes the batch and tells its members. It stays, on what is there now, if somebody wrote without the lock.
    ///
    /// # Cancel safety
    ///
    /// The batch stays as it is, and whoever has the next turn goes on with it.
    async fn settle(&self, bench: &mut Bench, deadline: Instant) {
        let Some(batch) = bench.batch.as_mut() else { return };
        let settled = batch.write(self).await;
        let is_locked = batch.is_locked();
        let mut fresh = None;
        match &settled {
            Ok(Settled::Moved) => {
                self.metrics.on_conflict();
                // If this fails, the members begin anew, each in its own time.
                fresh = self.after_moved(&mut bench.pace, is_locked, deadline).await.ok();
            }
            Ok(Settled::Done(_)) => {
                self.metrics.on_written(batch.len());
                let wait = if is_locked { Duration::ZERO } else { bench.pace.on_won() };
                bench.aside = (!wait.is_zero()).then(|| Instant::now() + wait);
            }
            Ok(Settled::LockLost) | Err(_) => {}
        }
        batch.tell(&settled);
        match fresh {
            Some((base, of)) => batch.restart(base, of),
            None => bench.batch = None,
        }
    }

    /// What is there, after somebody else was faster, and the life of the store that answered before.
    async fn after_moved(
        &self,
        pace: &mut Pace,
        is_locked: bool,
        deadline: Instant,
    ) -> Result<(Option<Entry>, Option<Incarnation>)> {
        if !is_locked {
            tokio::time::sleep_until(deadline.min(Instant::now() + pace.on_lost())).await;
        }
        let of = self.incarnation();
        Ok((self.read_in_time(deadline).await?, of))
    }

    fn timed_out<E>(&self, terms: &Terms) -> EditFailure<E> {
        match &self.layout.directory {
            Some(directory) if terms.is_exclusive => EditFailure::Lock(LockError::TimedOut {
                directory: directory.write_lock.clone(),
                waited: terms.wait,
            }),
            _ => {
                let error = Error::new(ErrorKind::TimedOut, "update").on(&self.layout.payload);
                EditFailure::Store(error.because(format!("others kept writing for {:?}", terms.wait)))
            }
        }
    }

    fn lock_lost(&self) -> Error {
        let error = Error::new(ErrorKind::LeaseEnded, "update").on(&self.layout.payload);
        error.because("the lock was lost before anything was written")
    }

    /// Nobody told what became of the batch: its writers ended all at once, as when a runtime is shut down.
    fn abandoned(&self) -> Verdict {
        Verdict::Failed(Error::new(ErrorKind::Closed, "update").on(&self.layout.payload).perhaps_applied())
    }
}

/// A batch that all have left is dropped, which frees the lock in the background. Whoever has the turn or waits for
/// it deals with the batch instead.
impl Drop for Writer<'_> {
    fn drop(&mut self) {
        drop(self.verdict.take());
        let left = &self.editor.left;
        left.fetch_add(1, Ordering::SeqCst);
        loop {
            let seen = left.load(Ordering::SeqCst);
            let Ok(mut bench) = self.editor.bench.try_lock() else { return };
            bench.batch.take_if(|batch| batch.is_deserted());
            drop(bench);
            // Who left meanwhile may have found the bench taken, and left the batch to this one.
            if left.load(Ordering::SeqCst) == seen {
                return;
            }
        }
    }
}

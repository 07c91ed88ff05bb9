//! The thread that writes. It opens the store, and closes it after all others have let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use quorate_datasync::{Committed, Error, ErrorKind, Incarnation, Result};
use rusqlite::TransactionBehavior;
use tokio::sync::{mpsc, watch};

use crate::batch::{Batch, Effects, all_holders};
use crate::bell::Bell;
use crate::commit::Leases;
use crate::error::{During, classify, classify_io, repeat};
use crate::fs::remove;
use crate::lease::{OwnLock, holder_path, random_id, remove_orphans};
use crate::request::{Granted, ReadRequest, WriteRequest};
use crate::session::{Link, Role};
use crate::shared::Shared;

/// How many requests share one transaction of the database. What comes meanwhile shares the next.
const BATCH_MAX: usize = 128;

/// What a batch without leases of its own has for a holder. No holder has this number.
const NO_HOLDER: i64 = 0;

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    requests: mpsc::Receiver<WriteRequest>,
    link: Link,
    /// The life of the store that the leases belong to.
    incarnation: Incarnation,
    leases: Leases,
    own: Option<OwnLock>,
    bell: Option<Bell>,
}

/// The other threads of a store, as the writer ends them.
#[derive(Debug)]
pub(crate) struct Others {
    pub(crate) reads: mpsc::Sender<ReadRequest>,
    pub(crate) readers: Vec<JoinHandle<()>>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) keeper: JoinHandle<()>,
}

/// What came of a request, to be told once the batch is committed.
enum Done {
    Committed(Result<Committed>),
    Granted { lease: i64, sender: watch::Sender<bool> },
    Tended,
}

impl Writer {
    /// Opens the file, making it if it is absent or empty, and deletes what dead processes left in it.
    pub(crate) fn open(shared: Arc<Shared>, requests: mpsc::Receiver<WriteRequest>) -> Result<Self> {
        let mut link = Link::new(Role::Writer);
        let session = link.session(&shared)?;
        let incarnation = session.incarnation;
        let writable = !session.conn.is_readonly("main").during("open")? && !shared.options.read_only;
        let mut writer =
            Self { shared, requests, link, incarnation, leases: Leases::new(), own: None, bell: None };
        if writable {
            let path = writer.shared.beside("-bell");
            writer.bell = Some(Bell::open(path.clone()).map_err(|error| classify_io("open", &path, error))?);
            writer.serve(vec![WriteRequest::Tend]);
            let session = writer.link.session(&writer.shared)?;
            remove_orphans(&writer.shared.path, &all_holders(&session.conn).during("open")?);
        }
        Ok(writer)
    }

    /// Serves until the store is closed or dropped, then ends all that belongs to it.
    pub(crate) fn run(mut self, others: Others) {
        let mut closing = None;
        while closing.is_none()
            && let Some(first) = self.requests.blocking_recv()
        {
            let mut requests = Vec::new();
            let mut next = Some(first);
            while let Some(request) = next.take() {
                if let WriteRequest::Close { reply } = request {
                    closing = Some(reply);
                    break;
                }
                requests.push(request);
                if requests.len() < BATCH_MAX {
                    next = self.requests.try_recv().ok();
                }
            }
            if !requests.is_empty() {
                self.serve(requests);
            }
        }
        self.end(others);
        if let Some(reply) = closing {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(());
        }
    }

    /// Writes a batch and answers all who wait for it.
    fn serve(&mut self, requests: Vec<WriteRequest>) {
        match self.write(&requests) {
            Ok((done, effects)) => {
                self.tell(effects);
                for (request, done) in requests.into_iter().zip(done) {
                    self.answer(request, done);
                }
            }
            Err(error) => requests.into_iter().for_each(|request| self.refuse(request, &error)),
        }
    }

    /// Writes a batch in one transaction of the database. On an error nothing of it is there, unless the error
    /// says otherwise.
    fn write(&mut self, requests: &[WriteRequest]) -> Result<(Vec<Done>, Effects)> {
        let mut revoked = self.shared.take_revocations();
        revoked.extend(requests.iter().filter_map(|request| match request {
            WriteRequest::Revoke { lease, .. } => Some(*lease),
            _ => None,
        }));
        let written = self.try_write(requests, &revoked);
        if written.is_err() {
            // These leases have ended all the same; their keys go with a later batch.
            for lease in revoked {
                self.leases.remove(&lease);
                self.shared.revoke_later(lease);
            }
        }
        written
    }

    fn try_write(&mut self, requests: &[WriteRequest], revoked: &[i64]) -> Result<(Vec<Done>, Effects)> {
        let holder = self.holder(requests)?;
        let Self { shared, link, leases, .. } = self;
        let session = link.session(shared)?;
        let tx = session.conn.transaction_with_behavior(TransactionBehavior::Immediate).during("commit")?;
        let mut batch = Batch::begin(&tx, leases, holder)?;
        batch.sweep(&mut session.holders)?;
        revoked.iter().try_for_each(|lease| batch.revoke(*lease))?;
        let mut done = Vec::with_capacity(requests.len());
        for request in requests {
            done.push(match request {
                WriteRequest::Commit { txn, .. } => Done::Committed(batch.apply(txn)?),
                WriteRequest::Grant { .. } => {
                    batch.register()?;
                    Done::Granted { lease: random_id(), sender: watch::Sender::new(false) }
                }
                WriteRequest::Revoke { .. }
                | WriteRequest::Barrier { .. }
                | WriteRequest::Tend
                | WriteRequest::Close { .. } => Done::Tended,
            });
        }
        let effects = batch.finish()?;
        // From here on a failure leaves it open: the log may hold the commit all the same.
        tx.commit().map_err(|error| classify("commit", error).perhaps_applied())?;
        Ok((done, effects))
    }

    /// Who this store is among the holders of leases, at the moment.
    fn holder(&mut self, requests: &[WriteRequest]) -> Result<i64> {
        let Self { shared, link, .. } = self;
        if shared.options.read_only {
            return Err(Error::new(ErrorKind::ReadOnly, "commit").because("it was opened for reading only"));
        }
        let session = link.session(shared)?;
        if session.conn.is_readonly("main").during("commit")? {
            return Err(Error::new(ErrorKind::ReadOnly, "commit").because("the file cannot be written"));
        }
        let is_known =
            session.incarnation == self.incarnation && self.own.as_ref().is_none_or(OwnLock::is_in_place);
        if !is_known {
            // Nobody believes in these leases any more: the file is another one, or the lock's file is gone.
            self.incarnation = session.incarnation;
            self.leases.clear();
            self.own.take().into_iter().for_each(OwnLock::remove);
        }
        if self.own.is_none() && requests.iter().any(|request| matches!(request, WriteRequest::Grant { .. }))
        {
            let own =
                OwnLock::take(&shared.path).map_err(|error| classify_io("grant", &shared.path, error))?;
            self.own = Some(own);
        }
        Ok(self.own.as_ref().map_or(NO_HOLDER, |own| own.holder))
    }

    /// Says and does what follows from a batch that is committed.
    fn tell(&mut self, effects: Effects) {
        if effects.changed
            && let Some(bell) = &mut self.bell
            && let Err(error) = bell.ring()
        {
            // Whoever listens finds out with the next poll.
            tracing::warn!(%error, "the bell could not be rung");
            self.shared.wake();
        }
        for (_, ended) in effects.ended {
            ended.send_replace(true);
        }
        for holder in effects.dead {
            let path = holder_path(&self.shared.path, holder);
            if let Err(error) = remove(&path) {
                tracing::debug!(%error, path = %path.display(), "a lease file stays behind");
            }
        }
    }

    fn answer(&mut self, request: WriteRequest, done: Done) {
        // An answer that nobody waits for any more is nobody's loss, but for a lease.
        match (request, done) {
            (WriteRequest::Commit { reply, .. }, Done::Committed(committed)) => {
                self.shared.abandoned.answer(reply, committed);
            }
            (WriteRequest::Grant { reply }, Done::Granted { lease, sender }) => {
                let granted = Granted { lease, ended: sender.subscribe() };
                if reply.send(Ok(granted)).is_ok() {
                    self.leases.insert(lease, sender);
                }
            }
            (WriteRequest::Revoke { reply, .. } | WriteRequest::Barrier { reply }, _) => {
                let _ = reply.send(Ok(()));
            }
            _ => {}
        }
    }

    /// Ends the leases and the other threads, and closes the file, which tidies up the log if nobody else has it.
    fn end(&mut self, others: Others) {
        self.requests.close();
        let closed = Error::new(ErrorKind::Closed, "commit");
        while let Ok(request) = self.requests.try_recv() {
            self.refuse(request, &closed);
        }
        if let Err(error) = self.end_leases() {
            tracing::warn!(%error, "the keys of ended leases are left to others to delete");
        }
        others.stop.store(true, Ordering::Release);
        self.shared.wake();
        // Any of them may take a word that was meant for another, so each must have been given one first.
        for _ in &others.readers {
            let _ = others.reads.blocking_send(ReadRequest::Stop);
        }
        for reader in others.readers {
            let _ = reader.join();
        }
        let _ = others.keeper.join();
        self.link = Link::new(Role::Writer);
        if let Some(bell) = self.bell.take()
            && let Err(error) = bell.leave()
        {
            tracing::debug!(%error, "the bell stays behind");
        }
        self.shared.set_closed();
    }

    /// Deletes all keys under leases of this store.
    fn end_leases(&mut self) -> Result<()> {
        self.leases.clear();
        let Some(own) = self.own.take() else { return Ok(()) };
        // Whatever happens, from the end of this function on the lock is gone and all others see that.
        let session = self.link.session(&self.shared)?;
        let tx = session.conn.transaction_with_behavior(TransactionBehavior::Immediate).during("close")?;
        let mut batch = Batch::begin(&tx, &mut self.leases, own.holder)?;
        batch.forget(own.holder)?;
        let effects = batch.finish()?;
        tx.commit().during("close")?;
        own.remove();
        self.tell(effects);
        Ok(())
    }

    /// Tells a request that it failed.
    fn refuse(&self, request: WriteRequest, error: &Error) {
        match request {
            WriteRequest::Commit { reply, .. } => self.shared.abandoned.answer(reply, Err(repeat(error))),
            WriteRequest::Grant { reply } => drop(reply.send(Err(repeat(error)))),
            WriteRequest::Revoke { reply, .. } | WriteRequest::Barrier { reply } => {
                drop(reply.send(Err(repeat(error))));
            }
            WriteRequest::Tend => tracing::debug!(%error, "nothing could be tidied up"),
            WriteRequest::Close { reply } => drop(reply.send(())),
        }
    }
}

//! The exclusive write: the lock, the fresh entry, a decision, and one fenced transaction.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::fence::Fence;
use super::layout::{Directory, Layout};
use super::outcome::Outcome;
use super::snapshot::Origin;
use crate::coordinate::{LeaseKeeper, LockRequest, Tenure, after, release};
use crate::{
    Conflict, Consistency, Entry, Error, Event, Incarnation, LockError, Result, Revision, Stat, Store, Txn,
    Want, Written,
};

/// How often the decision is made again because somebody wrote without the lock.
pub(super) const DECISIONS_MAX: u32 = 64;

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else that can be done to a value")]
pub enum Edit {
    /// This payload.
    Put(Bytes),
    /// Nothing: the key is deleted.
    Delete,
    /// The entry stays as it is.
    Keep,
}

/// What an edit did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one for each kind of edit")]
pub enum Edited {
    /// The payload was written; its entry as it stands now.
    Put(Entry),
    /// The payload was deleted at this revision.
    Deleted(Revision),
    /// Nothing was written; the entry, if there is one.
    Kept(Option<Entry>),
}

/// Why an edit failed.
#[derive(Debug)]
pub(crate) enum EditFailure<E> {
    /// The decision was to refuse. Nothing was written.
    Refused(E),
    /// The lock was not had. Nothing was written.
    Lock(LockError),
    /// The store failed.
    Store(Error),
}

impl<E> From<Error> for EditFailure<E> {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Writes the payload of one struct, one writer at a time.
#[derive(Debug)]
pub(crate) struct Editor {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) layout: Layout,
    pub(crate) keeper: Arc<LeaseKeeper>,
    /// Orders the writers of this handle, first come, first served.
    local: Mutex<()>,
}

impl Editor {
    pub(crate) fn new(store: &Arc<dyn Store>, layout: Layout) -> Self {
        let keeper = Arc::new(LeaseKeeper::new(store));
        Self { store: Arc::clone(store), layout, keeper, local: Mutex::new(()) }
    }

    /// Reads the payload.
    pub(crate) async fn read(&self, at: Consistency) -> Result<Option<Entry>> {
        Ok(self.store.get(&self.layout.payload, Want::Value, at).await?.into_entry())
    }

    /// Makes the payload with all that belongs to it, unless it exists. `None` if it does.
    pub(crate) async fn create(&self, payload: Bytes) -> Result<Option<Entry>> {
        let key = &self.layout.payload;
        let mut txn = Txn::new().check_absent(key).put(key, payload.clone());
        if let Some(Directory { listeners, write_lock, .. }) = &self.layout.directory {
            txn = txn.keep_directory(listeners).keep_directory(write_lock);
        }
        match self.store.commit(txn).await {
            Ok(committed) => Ok(put_stat(&committed.written).map(|stat| Entry::new(stat, payload))),
            Err(error) if error.as_conflict() == Some(Conflict::Present) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for the turn of this handle's next writer.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.local.lock().await
    }

    /// Lets `decide` choose what to write, on the entry as it is under the lock, and writes it exactly once.
    ///
    /// `decide` runs again if somebody wrote without the lock. An error that does not say "maybe applied" means that
    /// nothing was written and nothing will be.
    ///
    /// # Cancel safety
    ///
    /// A dropped future frees the lock in the background. If it was dropped while the transaction was under way,
    /// the write may have been applied.
    pub(crate) async fn exclusive<E>(
        &self,
        wait: Duration,
        fence: Option<&Fence>,
        mut decide: impl FnMut(Option<&Entry>) -> Result<Edit, E>,
    ) -> Result<Edited, EditFailure<E>> {
        let Some(directory) = &self.layout.directory else {
            let what = "an exclusive update of a struct on one plain key";
            return Err(Error::unsupported("update", what).on(&self.layout.payload).into());
        };
        let deadline = after(wait);
        let timed_out = || LockError::TimedOut { directory: directory.write_lock.clone(), waited: wait };
        let _turn = tokio::time::timeout_at(deadline, self.turn())
            .await
            .map_err(|_| EditFailure::Lock(timed_out()))?;
        for _ in 0..DECISIONS_MAX {
            let request = LockRequest {
                store: &self.store,
                directory: &directory.write_lock,
                keeper: &self.keeper,
                then_get: Some(&self.layout.payload),
                wait: deadline.saturating_duration_since(Instant::now()),
            };
            let tenure = request.acquire().await.map_err(EditFailure::Lock)?;
            if let Some(edited) = self.under_lock(tenure, fence, &mut decide).await? {
                return Ok(edited);
            }
        }
        Err(self.contended().into())
    }

    /// Decides and writes under the lock; `None` if the lock was lost before anything was written.
    async fn under_lock<E>(
        &self,
        mut tenure: Tenure,
        fence: Option<&Fence>,
        decide: &mut impl FnMut(Option<&Entry>) -> Result<Edit, E>,
    ) -> Result<Option<Edited>, EditFailure<E>> {
        for _ in 0..DECISIONS_MAX {
            let current = tenure.got.take();
            let edit = match decide(current.as_ref()) {
                Ok(Edit::Keep) => {
                    self.free(&mut tenure).await;
                    let edited = Edited::Kept(current);
                    if let Some(fence) = fence {
                        fence.observe(self.event(&edited), None, self.incarnation()).await;
                    }
                    return Ok(Some(edited));
                }
                Ok(edit) => edit,
                Err(refused) => {
                    self.free(&mut tenure).await;
                    return Err(EditFailure::Refused(refused));
                }
            };
            let txn = self.fenced(&tenure, current.as_ref(), &edit);
            let undecided = fence.map(Fence::begin);
            let outcome = self.commit_until_known(&mut tenure, current.as_ref(), txn).await;
            match outcome? {
                Outcome::Applied(written, revision) => {
                    let edited = self.describe(edit.clone(), written, revision).await;
                    let edited = edited.map_err(Error::perhaps_applied)?;
                    if let Some(fence) = fence {
                        // Before the fence falls: the copy here learns of the write as its own.
                        let origin = origin_of(&edit, &edited);
                        fence.decide(self.event(&edited), origin, self.incarnation()).await;
                    }
                    drop(undecided);
                    return Ok(Some(edited));
                }
                Outcome::Moved => tenure.got = self.read_in_time(Consistency::Synced).await?,
                Outcome::LockLost => return Ok(None),
            }
        }
        Err(self.contended().into())
    }

    /// The transaction that writes only while the lock entry exists, and consumes it.
    fn fenced(&self, tenure: &Tenure, current: Option<&Entry>, edit: &Edit) -> Txn {
        let key = &self.layout.payload;
        let txn = Txn::new().check_present(&tenure.entry);
        let txn = match (current, edit) {
            (Some(entry), _) => txn.check_version(key, entry.version),
            (None, Edit::Put(_)) => txn.check_absent(key),
            (None, Edit::Delete | Edit::Keep) => txn,
        };
        let txn = match edit {
            Edit::Put(payload) => txn.put(key, payload.clone()),
            Edit::Delete => txn.delete(key),
            Edit::Keep => txn,
        };
        txn.delete(&tenure.entry)
    }

    /// Frees the lock at once; if the store does not answer, in the background.
    async fn free(&self, tenure: &mut Tenure) {
        if release(&self.store, &tenure.entry).await.is_ok() {
            tenure.consumed();
        }
    }

    /// What an applied edit did, read back where the store's answer was lost.
    pub(super) async fn describe(
        &self,
        edit: Edit,
        written: Option<Written>,
        revision: Revision,
    ) -> Result<Edited> {
        match (edit, written) {
            (Edit::Put(payload), Some(Written::Put(stat))) => Ok(Edited::Put(Entry::new(stat, payload))),
            (Edit::Delete, Some(_)) => Ok(Edited::Deleted(revision)),
            (Edit::Put(_), _) => {
                // It was applied, and others may have written since.
                let read = self.store.get(&self.layout.payload, Want::Value, Consistency::Synced).await?;
                let at = read.revision;
                Ok(read.into_entry().map_or(Edited::Deleted(at), Edited::Put))
            }
            (Edit::Delete | Edit::Keep, _) => {
                let read = self.store.get(&self.layout.payload, Want::Stat, Consistency::Synced).await?;
                Ok(Edited::Deleted(read.revision))
            }
        }
    }

    /// What an edit that was applied is to the copy here.
    fn event(&self, edited: &Edited) -> Event {
        match edited {
            Edited::Put(entry) | Edited::Kept(Some(entry)) => Event::Put(entry.clone()),
            Edited::Deleted(revision) => {
                Event::Delete { key: self.layout.payload.clone(), revision: *revision }
            }
            Edited::Kept(None) => {
                Event::Delete { key: self.layout.payload.clone(), revision: Revision::ZERO }
            }
        }
    }

    /// Which life of the store answers now.
    fn incarnation(&self) -> Option<Incarnation> {
        self.store.status().borrow().incarnation
    }

    pub(super) fn contended(&self) -> Error {
        Error::conflict(Conflict::Contended, &self.layout.payload)
    }
}

/// Whose write it is that is there now: where the store's answer was lost, somebody else may have written since.
fn origin_of(edit: &Edit, edited: &Edited) -> Origin {
    match (edit, edited) {
        (Edit::Put(payload), Edited::Put(entry)) if entry.value == payload => Origin::Local,
        (Edit::Delete, Edited::Deleted(_)) => Origin::Local,
        _ => Origin::Remote,
    }
}

fn put_stat(written: &[Written]) -> Option<Stat> {
    written.iter().find_map(|written| match written {
        Written::Put(stat) => Some(stat.clone()),
        _ => None,
    })
}

//! The ways to update a shared struct.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Shared;
use super::codec::decode;
use super::diff::{DEPTH_MAX, depth, overlay};
use super::edit::{Edit, EditFailure, Edited};
use super::error::UpdateError;
use super::snapshot::{Data, Origin, Rejected};
use crate::{Conflict, Consistency, Entry, Error, Event, Revision, Txn, Written};

/// How often an optimistic update is tried.
const OPTIMISTIC_TRIES: u32 = 64;

/// The longest wait between two tries of an optimistic update.
const OPTIMISTIC_WAIT: Duration = Duration::from_millis(50);

/// What an update did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Updated<T, R = ()> {
    /// The struct, at this revision or a later one.
    pub value: Arc<T>,
    /// The revision that the update was given. Of an update that changed nothing: that of the struct.
    pub revision: Revision,
    /// What the closure returned.
    pub output: R,
}

/// What a closure made of the stored document.
struct Edition<R> {
    edit: Edit,
    output: R,
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Shared<T> {
    /// Changes the struct under the lock: exclusively among all processes, on the newest value, exactly once.
    ///
    /// The closure runs on a copy and may run again if somebody wrote without the lock; if it panics, everything
    /// is as it was. What is written is the difference that it made, so fields that `T` does not know survive. A
    /// connection that is lost on the way does not matter: the outcome is asked for until it is known. When this
    /// returns, the copy here has the change.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]. Unless [`UpdateError::maybe_applied`], nothing was written and nothing will be.
    ///
    /// # Cancel safety
    ///
    /// A dropped future frees the lock in the background. If it was dropped while the write was under way, that
    /// may have been applied.
    pub async fn update<R>(&self, mut change: impl FnMut(&mut T) -> R) -> Result<Updated<T, R>, UpdateError> {
        self.exclusive(|value| Ok::<_, Infallible>(change(value)), None).await
    }

    /// As [`update`](Self::update), with a closure that may refuse: then nothing is written.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Aborted`] with the refusal, and those of [`update`](Self::update).
    ///
    /// # Cancel safety
    ///
    /// As [`update`](Self::update).
    pub async fn try_update<R, E>(
        &self,
        change: impl FnMut(&mut T) -> Result<R, E>,
    ) -> Result<Updated<T, R>, UpdateError<E>> {
        self.exclusive(change, None).await
    }

    /// As [`update`](Self::update), but fails if the copy here was behind the store when it was called.
    ///
    /// # Errors
    ///
    /// [`UpdateError::StaleWrite`], and those of [`update`](Self::update).
    ///
    /// # Cancel safety
    ///
    /// As [`update`](Self::update).
    pub async fn update_strict<R>(
        &self,
        mut change: impl FnMut(&mut T) -> R,
    ) -> Result<Updated<T, R>, UpdateError> {
        let held = self.core().data().good().map(|snapshot| snapshot.revision);
        self.exclusive(|value| Ok::<_, Infallible>(change(value)), held).await
    }

    /// Changes the struct without the lock: writes if nobody else wrote since it was read, and tries again
    /// otherwise.
    ///
    /// It is cheaper than [`update`](Self::update) while few write. An outcome that a lost connection leaves open
    /// cannot be asked for, since nothing marks the write: then the error says that it may have been applied.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Store`] with [`Conflict::Contended`] if others kept writing, and those of
    /// [`update`](Self::update).
    ///
    /// # Cancel safety
    ///
    /// A dropped future may have written.
    pub async fn update_optimistic<R>(
        &self,
        mut change: impl FnMut(&mut T) -> R,
    ) -> Result<Updated<T, R>, UpdateError> {
        let core = self.core();
        let (editor, key) = (&core.editor, &core.editor.layout.payload);
        let _turn = editor.turn().await;
        let mut fresh: Option<Entry> = None;
        for attempt in 0..OPTIMISTIC_TRIES {
            let base = match fresh.take() {
                Some(entry) => entry,
                None => {
                    let read = editor.read_in_time(Consistency::Local).await.map_err(UpdateError::Store)?;
                    read.ok_or(UpdateError::Deleted)?
                }
            };
            let Edition { edit, output } =
                edition(Some(&base), &mut |value| Ok::<_, Infallible>(change(value)))?;
            let Edit::Put(payload) = edit else {
                core.fence.observe(Event::Put(base.clone()), None, core.incarnation()).await;
                return Ok(Updated { value: self.value_at(&base), revision: base.revision, output });
            };
            let undecided = core.fence.begin();
            let txn = Txn::new().check_version(key, base.version).put(key, payload.clone());
            match editor.commit_in_time(txn).await {
                Ok(committed) => {
                    let revision = committed.revision;
                    let mut value = None;
                    if let Some(Written::Put(stat)) = committed.written.into_iter().next() {
                        let entry = Entry::new(stat, payload);
                        // Before the fence falls: the copy here learns of the write as its own.
                        let put = Event::Put(entry.clone());
                        core.fence.decide(put, Origin::Local, core.incarnation()).await;
                        value = Some(self.value_at(&entry));
                    }
                    drop(undecided);
                    return Ok(Updated { value: value.unwrap_or_else(|| self.peek()), revision, output });
                }
                Err(error) if error.as_conflict().is_some() => {}
                Err(error) => return Err(UpdateError::Store(error)),
            }
            drop(undecided);
            tokio::time::sleep(
                OPTIMISTIC_WAIT.mul_f64(fastrand::f64()).min(Duration::from_millis(1 << attempt.min(6))),
            )
            .await;
            fresh = editor.read_in_time(Consistency::Synced).await.map_err(UpdateError::Store)?;
            if fresh.is_none() {
                return Err(UpdateError::Deleted);
            }
        }
        Err(UpdateError::Store(Error::conflict(Conflict::Contended, key)))
    }

    async fn exclusive<R, E>(
        &self,
        mut change: impl FnMut(&mut T) -> Result<R, E>,
        held: Option<Revision>,
    ) -> Result<Updated<T, R>, UpdateError<E>> {
        let core = self.core();
        let mut output = None;
        let edited = core
            .editor
            .exclusive(self.0.lock_wait, Some(&core.fence), |entry| {
                if let (Some(held), Some(entry)) = (held, entry)
                    && entry.revision != held
                {
                    return Err(UpdateError::StaleWrite { held, current: entry.revision });
                }
                let made = edition(entry, &mut change)?;
                output = Some(made.output);
                Ok(made.edit)
            })
            .await
            .map_err(|failure| match failure {
                EditFailure::Refused(error) => error,
                EditFailure::Lock(error) => UpdateError::Lock(error),
                EditFailure::Store(error) => UpdateError::Store(error),
            })?;
        let output = output.expect("an edit that succeeded was decided");
        Ok(match edited {
            Edited::Put(entry) | Edited::Kept(Some(entry)) => {
                Updated { value: self.value_at(&entry), revision: entry.revision, output }
            }
            Edited::Deleted(revision) => Updated { value: self.peek(), revision, output },
            Edited::Kept(None) => Updated { value: self.peek(), revision: Revision::ZERO, output },
        })
    }

    /// The value of an entry that was just written: the copy's if that has it.
    fn value_at(&self, entry: &Entry) -> Arc<T> {
        match &**self.core().data() {
            Data::Present(held) if held.version == entry.version => Arc::clone(&held.value),
            _ => decode::<T>(&entry.value).map_or_else(|_| self.peek(), |(_, value)| Arc::new(value)),
        }
    }
}

/// Applies a closure to the stored document and gives the document to write: the difference that the closure made
/// between `T` and `T`, laid over what is stored.
fn edition<T, R, E>(
    entry: Option<&Entry>,
    change: &mut impl FnMut(&mut T) -> Result<R, E>,
) -> Result<Edition<R>, UpdateError<E>>
where
    T: Serialize + DeserializeOwned + 'static,
{
    let entry = entry.ok_or(UpdateError::Deleted)?;
    let (mut document, mut value) = decode::<T>(&entry.value)
        .map_err(|error| UpdateError::Rejected(Rejected { revision: entry.revision, error }))?;
    let before = serde_json::to_value(&value).map_err(UpdateError::Encode)?;
    let output = change(&mut value).map_err(UpdateError::Aborted)?;
    let after = serde_json::to_value(&value).map_err(UpdateError::Encode)?;
    if before == after {
        return Ok(Edition { edit: Edit::Keep, output });
    }
    overlay(&mut document, &before, &after);
    if depth(&document) > DEPTH_MAX {
        return Err(UpdateError::TooDeep(depth(&document)));
    }
    let payload = serde_json::to_vec(&document).map_err(UpdateError::Encode)?;
    Ok(Edition { edit: Edit::Put(Bytes::from(payload)), output })
}

impl<T> Shared<T> {
    /// Whether the struct was deleted, as far as is known here.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        matches!(&**self.core().data(), Data::Deleted { .. })
    }
}

//! The ways to update a shared struct.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Shared;
use super::codec::decode;
use super::diff::{DEPTH_MAX, depth, overlay};
use super::edit::{Edit, EditFailure, Edited};
use super::error::UpdateError;
use super::snapshot::{Data, Rejected};
use super::terms::Terms;
use super::update_options::UpdateOptions;
use crate::{Entry, Revision};

/// What an update did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Updated<T, R = ()> {
    /// The struct, at this revision or a later one.
    pub value: Arc<T>,
    /// The revision that the update was given, together with those that shared the write. Of an update that changed
    /// nothing: that of the struct.
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
    /// Updates of one handle and its clones that wait at the same time share the lock: their closures run in order
    /// on one copy, and one write takes what all of them made. Each has its own output and refusal, all have one
    /// revision.
    ///
    /// # Errors
    ///
    /// [`UpdateError`]. Unless [`UpdateError::maybe_applied`], nothing was written and nothing will be.
    ///
    /// # Cancel safety
    ///
    /// A dropped future frees the lock in the background, or leaves it to the updates that share it. If it was
    /// dropped after the closure ran, its change may have been applied or may still be. One that is kept has to be
    /// polled: until the outcome of what was sent is known, the copy here waits with what it observes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use quorate_datasync::{Memory, Shared, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let queue = Shared::<Vec<u32>>::open(&store, "/queue").create(vec![7, 8]).await?;
    /// let updated = queue.update(|queue| queue.pop()).await?;
    /// assert_eq!(updated.output, Some(8), "what the closure returned");
    /// assert_eq!(*updated.value, [7], "the struct as it is now");
    /// assert_eq!(updated.revision, queue.snapshot().revision);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update<R>(&self, mut change: impl FnMut(&mut T) -> R) -> Result<Updated<T, R>, UpdateError> {
        self.try_update(|value| Ok::<_, Infallible>(change(value))).await
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
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use quorate_datasync::{Memory, Shared, Store, UpdateError};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let seats = Shared::<u32>::open(&store, "/seats").create(1).await?;
    /// let take = |seats: &mut u32| {
    ///     *seats = seats.checked_sub(1).ok_or("sold out")?;
    ///     Ok(*seats)
    /// };
    /// assert_eq!(seats.try_update(take).await?.output, 0);
    /// assert!(matches!(seats.try_update(take).await, Err(UpdateError::Aborted("sold out"))));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_update<R, E>(
        &self,
        change: impl FnMut(&mut T) -> Result<R, E>,
    ) -> Result<Updated<T, R>, UpdateError<E>> {
        self.try_update_with(UpdateOptions::exclusive(), change).await
    }

    /// As [`update`](Self::update), but fails if the struct is not, under the lock, of the revision that the copy
    /// here had at the call: the copy was behind, or others wrote first, updates of this handle among them.
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
        let terms = Terms::exclusive(self.0.lock_wait).alone();
        self.edit(terms, |value| Ok::<_, Infallible>(change(value)), held).await
    }

    /// Changes the struct without the lock: the closure runs on the copy here, and what it made is written if nobody
    /// else wrote since; otherwise all is tried again on what is there.
    ///
    /// It is one round trip while nobody else writes. Nothing marks the write: if a lost connection leaves its
    /// outcome open and the struct moved meanwhile, nobody knows whose write that was, and the error says that it
    /// may have been applied.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Store`] with [`Conflict::Contended`](crate::Conflict::Contended) if others kept writing, and
    /// those of [`update`](Self::update).
    ///
    /// # Cancel safety
    ///
    /// A dropped future may have written.
    pub async fn update_optimistic<R>(
        &self,
        change: impl FnMut(&mut T) -> R,
    ) -> Result<Updated<T, R>, UpdateError> {
        self.update_with(UpdateOptions::optimistic(), change).await
    }

    /// As [`update`](Self::update), in the way that the options say.
    ///
    /// # Errors
    ///
    /// Those of [`update`](Self::update) and of [`update_optimistic`](Self::update_optimistic).
    ///
    /// # Cancel safety
    ///
    /// As [`update`](Self::update).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::{sync::Arc, time::Duration};
    /// # use quorate_datasync::{Memory, Shared, Store, UpdateOptions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let hits = Shared::<u64>::open(&store, "/hits").create(0).await?;
    /// let soon = UpdateOptions::optimistic().tries(5).deadline(Duration::from_secs(1));
    /// let done = hits.update_with(soon, |hits| std::mem::replace(hits, *hits + 1)).await?;
    /// assert_eq!((*done.value, done.output), (1, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_with<R>(
        &self,
        options: UpdateOptions,
        mut change: impl FnMut(&mut T) -> R,
    ) -> Result<Updated<T, R>, UpdateError> {
        self.try_update_with(options, |value| Ok::<_, Infallible>(change(value))).await
    }

    /// As [`try_update`](Self::try_update), in the way that the options say.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Aborted`] with the refusal, and those of [`update_with`](Self::update_with).
    ///
    /// # Cancel safety
    ///
    /// As [`update`](Self::update).
    pub async fn try_update_with<R, E>(
        &self,
        options: UpdateOptions,
        change: impl FnMut(&mut T) -> Result<R, E>,
    ) -> Result<Updated<T, R>, UpdateError<E>> {
        self.edit(options.terms(self.0.lock_wait), change, None).await
    }

    async fn edit<R, E>(
        &self,
        terms: Terms,
        mut change: impl FnMut(&mut T) -> Result<R, E>,
        held: Option<Revision>,
    ) -> Result<Updated<T, R>, UpdateError<E>> {
        let mut output = None;
        let written = self.core().editor.write(terms, |entry| {
            if let (Some(held), Some(entry)) = (held, entry)
                && entry.revision != held
            {
                return Err(UpdateError::StaleWrite { held, current: entry.revision });
            }
            let made = edition(entry, &mut change)?;
            output = Some(made.output);
            Ok(made.edit)
        });
        let edited = written.await.map_err(|failure| match failure {
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

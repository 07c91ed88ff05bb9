//! A struct in a store as its document, without a live copy.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout_at;

use super::edit::{Edit, EditFailure, Edited, Editor};
use super::error::UpdateError;
use super::held::HeldLock;
use super::layout::{Directory, Layout};
use super::presence::{Listener, listeners_below};
use super::terms::Terms;
use crate::coordinate::after;
use crate::{Consistency, Entry, Error, ErrorKind, Key, Lock, Result, Store, Txn};

/// The place of one shared struct in a store, for one-shot work: read, write under the lock, delete, see who
/// listens. It holds no live copy and never registers as a listener.
///
/// Payloads are bytes here; nothing is decoded, so even a payload that is no JSON can be replaced.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use quorate_datasync::{Consistency, Document, Edit, Key, Memory, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let web = Document::below(&store, Key::parse("/agents/web")?)?;
/// web.create("{}").await?;
/// web.edit(Duration::from_secs(5), |_| Edit::Put("{\"interval\":5}".into())).await?;
/// assert_eq!(web.read(Consistency::Linearizable).await?.unwrap().value, "{\"interval\":5}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Document {
    editor: Editor,
}

impl Document {
    /// The struct whose parts are below a directory.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if the directory's key is too long to have parts.
    pub fn below(store: &Arc<dyn Store>, directory: Key) -> Result<Self> {
        Ok(Self { editor: Editor::new(store, Layout::below(directory)?) })
    }

    /// The key of the payload.
    #[must_use]
    pub const fn payload(&self) -> &Key {
        &self.editor.layout.payload
    }

    /// Reads the payload.
    ///
    /// # Errors
    ///
    /// Those of [`Store::get`].
    pub async fn read(&self, at: Consistency) -> Result<Option<Entry>> {
        self.editor.read(at).await
    }

    /// Makes the struct with all its parents, in one transaction. `None` if it exists.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`].
    pub async fn create(&self, payload: impl Into<Bytes>) -> Result<Option<Entry>> {
        self.editor.create(payload.into()).await
    }

    /// Makes the struct unless it exists, also if answers are lost on the way, within `wait`.
    pub(crate) async fn ensure(&self, payload: impl Into<Bytes>, wait: Duration) -> Result<()> {
        let deadline = after(wait);
        match timeout_at(deadline, self.editor.ensure(payload.into(), deadline)).await {
            Ok(made) => made,
            Err(_) => Err(Error::new(ErrorKind::TimedOut, "open").on(self.payload())),
        }
    }

    /// Lets `decide` choose what to write, under the lock, and writes it exactly once. It may run again if somebody
    /// writes without the lock.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Lock`] if the lock was not had within `wait`, [`UpdateError::Store`] if the store failed.
    ///
    /// # Cancel safety
    ///
    /// A dropped future frees the lock in the background; whether it wrote is open.
    pub async fn edit(
        &self,
        wait: Duration,
        mut decide: impl FnMut(Option<&Entry>) -> Edit,
    ) -> Result<Edited, UpdateError> {
        self.try_edit(wait, |entry| Ok::<_, Infallible>(decide(entry))).await
    }

    /// As [`edit`](Self::edit), with a decision that may refuse: then nothing is written.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Aborted`] with the refusal, and those of [`edit`](Self::edit).
    ///
    /// # Cancel safety
    ///
    /// As [`edit`](Self::edit).
    pub async fn try_edit<E>(
        &self,
        wait: Duration,
        decide: impl FnMut(Option<&Entry>) -> Result<Edit, E>,
    ) -> Result<Edited, UpdateError<E>> {
        self.editor.write(Terms::exclusive(wait).alone(), decide).await.map_err(UpdateError::from)
    }

    /// As [`try_edit`](Self::try_edit), through a lock that somebody else holds for this process, which stays held.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Aborted`] with the refusal; [`UpdateError::Store`] with a conflict on the lock's entry if the
    /// lock is not held any more, and if the store failed.
    ///
    /// # Cancel safety
    ///
    /// Whether a dropped future wrote is open.
    pub async fn try_edit_through<E>(
        &self,
        held: &HeldLock,
        decide: impl FnMut(Option<&Entry>) -> Result<Edit, E>,
    ) -> Result<Edited, UpdateError<E>> {
        self.editor.through(held, decide).await.map_err(UpdateError::from)
    }

    /// Removes the directories of a struct that was deleted, where the store has such things. Those that somebody
    /// still uses stay.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`], but for conflicts.
    pub async fn remove_directories(&self) -> Result<()> {
        let Some(Directory { base, listeners, write_lock }) = &self.editor.layout.directory else {
            return Ok(());
        };
        for directory in [write_lock, listeners, base] {
            match self.editor.store.commit(Txn::new().remove_directory(directory)).await {
                Err(error) if error.as_conflict().is_none() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Who listens now, in the order of their ids.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    pub async fn listeners(&self) -> Result<Vec<Listener>> {
        let Some(Directory { listeners, .. }) = &self.editor.layout.directory else {
            return Ok(Vec::new());
        };
        listeners_below(&self.editor.store, listeners).await
    }

    /// The write lock of this struct.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a struct on one plain key.
    pub fn write_lock(&self) -> Result<Lock> {
        match &self.editor.layout.directory {
            Some(Directory { write_lock, .. }) => Ok(Lock::new(&self.editor.store, write_lock.clone())),
            None => Err(Error::unsupported("lock", "a lock on one plain key")),
        }
    }
}

impl<E> From<EditFailure<E>> for UpdateError<E> {
    fn from(failure: EditFailure<E>) -> Self {
        match failure {
            EditFailure::Refused(refused) => Self::Aborted(refused),
            EditFailure::Lock(error) => Self::Lock(error),
            EditFailure::Store(error) => Self::Store(error),
        }
    }
}

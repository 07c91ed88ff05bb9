//! `Shared<T>`: a struct that lives in a store, with a live copy in every process that opened it.

mod access;
mod batch;
mod changes_options;
mod codec;
mod core;
mod diff;
mod document;
mod edit;
mod error;
mod fence;
mod held;
mod layout;
mod listeners;
mod metrics;
mod open;
mod outcome;
mod own;
mod owner;
mod pace;
mod presence;
mod resume;
mod snapshot;
mod status;
mod streams;
mod subscribers;
mod update;
mod update_options;
mod writers;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use self::core::Core;
use self::snapshot::Data;
use crate::{Consistency, Entry, Error, ErrorKind, Event, Key, KeyError, Moment, Revision, Store, Want};

pub use access::Access;
pub use changes_options::ChangesOptions;
pub use diff::{Change, DEPTH_MAX, ParseError, Pointer, PointerError, depth, diff, overlay, parse, to_patch};
pub use document::Document;
pub use edit::{Edit, Edited};
pub use error::{OpenError, ReadError, StaleCause, UpdateError};
pub use held::HeldLock;
pub use listeners::{ListenerEvent, Listeners};
pub use open::Open;
pub use presence::Listener;
pub use snapshot::{ChangeSet, Origin, Rejected, SharedEvent, Snapshot};
pub use status::{DataStatus, SharedStatus};
pub use streams::{Changes, Select, SharedEvents, UpdateHandler};
pub use update::Updated;
pub use update_options::UpdateOptions;

/// A struct that lives in a store, with a live copy here. Cheap to clone; all clones share one copy.
///
/// Reads are local and cost nanoseconds. Writes are exclusive among all processes. Every change, whoever made it,
/// arrives as field-level [`Change`]s. Lost connections and expired sessions are survived: the copy gets old, then
/// resyncs, and subscribers are told the difference. The copy ends with the last clone.
///
/// ```
/// use std::sync::Arc;
/// use quorate_datasync::{Memory, Shared, Store};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// struct Agent {
///     processes: Vec<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let agent = Shared::<Agent>::open(&store, "/agents/web").create(Agent::default()).await?;
/// agent.update(|a| a.processes.push("firefox*".into())).await?;
/// assert_eq!(agent.read()?.processes, ["firefox*"]);
/// # Ok(())
/// # }
/// ```
pub struct Shared<T>(Arc<Handle<T>>);

/// What all clones of one `Shared` have in common.
struct Handle<T> {
    core: Arc<Core<T>>,
    lock_wait: Duration,
    /// Ended with the last clone.
    tasks: Vec<AbortHandle>,
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Shared<T> {
    /// The struct below `directory`: `payload`, `listeners` and `write_lock`. An invalid key is told when it is
    /// opened.
    pub fn open<K>(store: &Arc<dyn Store>, directory: K) -> Open<T>
    where
        K: TryInto<Key>,
        K::Error: Into<KeyError>,
    {
        Open::below(store, directory.try_into().map_err(Into::into))
    }

    /// The struct on one plain key, without a lock and without listeners: only
    /// [`update_optimistic`](Self::update_optimistic) can write it.
    pub fn at_key<K>(store: &Arc<dyn Store>, key: K) -> Open<T>
    where
        K: TryInto<Key>,
        K::Error: Into<KeyError>,
    {
        Open::at(store, key.try_into().map_err(Into::into))
    }

    /// Asks the store for the newest value: it sees every write that was acknowledged before the call. No payload
    /// moves if the copy is current.
    ///
    /// # Errors
    ///
    /// [`ReadError::Deleted`], [`ReadError::Rejected`], [`ReadError::Store`]; of a store that does not answer within
    /// the bound of the copy [`TimedOut`](crate::ErrorKind::TimedOut).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn read_consistent(&self) -> Result<Arc<T>, ReadError> {
        let failed = |error: Error| ReadError::Store(Arc::new(error));
        match tokio::time::timeout(self.core().bound, self.ask()).await {
            Ok(answer) => answer.map_err(failed)?,
            Err(_) => Err(failed(Error::new(ErrorKind::TimedOut, "get"))),
        }
    }

    async fn ask(&self) -> crate::Result<Result<Arc<T>, ReadError>> {
        let core = self.core();
        let (store, key) = (&core.editor.store, &core.editor.layout.payload);
        let (asked, at) = (Moment::now(), Consistency::Linearizable);
        let seen = store.get(key, Want::Stat, at).await?.stat().map(|stat| stat.version);
        if seen.is_some() && seen == core.data().version() {
            return Ok(self.held());
        }
        let read = store.get(key, Want::Value, at).await?;
        let revision = read.revision;
        let Some(entry) = read.into_entry() else {
            let event = Event::Delete { key: key.clone(), revision };
            core.fence.observe(event, Some(asked), core.incarnation()).await;
            return Ok(Err(ReadError::Deleted(revision)));
        };
        let put = Event::Put(entry.clone());
        let is_taken = core.fence.observe(put, Some(asked), core.incarnation()).await;
        Ok(self.value_of(&entry, is_taken))
    }

    /// What the copy holds, however old.
    fn held(&self) -> Result<Arc<T>, ReadError> {
        match &**self.core().data() {
            Data::Present(snapshot) => Ok(Arc::clone(&snapshot.value)),
            Data::Rejected { rejected, .. } => Err(ReadError::Rejected(rejected.clone())),
            Data::Deleted { revision, .. } => Err(ReadError::Deleted(*revision)),
            Data::Waiting => Err(ReadError::Deleted(Revision::ZERO)),
        }
    }

    /// The value of an entry that the store just gave: the copy's if that took it, and otherwise its own, where the
    /// copy is of an earlier life of the store.
    fn value_of(&self, entry: &Entry, is_taken: bool) -> Result<Arc<T>, ReadError> {
        if is_taken {
            return self.held();
        }
        let revision = entry.revision;
        match codec::decode::<T>(&entry.value) {
            Ok((_, value)) => Ok(Arc::new(value)),
            Err(error) => Err(ReadError::Rejected(Rejected { revision, error })),
        }
    }
}

impl<T> Shared<T> {
    fn new(core: Arc<Core<T>>, owner: AbortHandle, lock_wait: Duration) -> Self {
        Self(Arc::new(Handle { core, lock_wait, tasks: vec![owner] }))
    }

    /// Ends a task with the last clone.
    fn own(&mut self, task: AbortHandle) {
        match Arc::get_mut(&mut self.0) {
            Some(handle) => handle.tasks.push(task),
            None => task.abort(),
        }
    }

    fn core(&self) -> &Core<T> {
        &self.0.core
    }

    /// The local copy, if it was proved current within its bound. Waits for nothing.
    ///
    /// The age is counted from the sending of the last request that proved the copy current, on a clock that goes
    /// on while the machine sleeps. Within one incarnation of the store what is read never goes back, and a writer
    /// reads its own write at once.
    ///
    /// # Errors
    ///
    /// [`ReadError::Stale`] past the bound, [`ReadError::Deleted`] from the moment the deletion is seen, and
    /// [`ReadError::Rejected`] if what came after a deletion cannot be decoded.
    pub fn read(&self) -> Result<Arc<T>, ReadError> {
        self.read_within(self.core().bound)
    }

    /// As [`read`](Self::read), with a bound of its own for this call. It asks nobody: a bound that is shorter than
    /// a quarter of the struct's may never be met while nothing happens.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn read_within(&self, bound: Duration) -> Result<Arc<T>, ReadError> {
        let core = self.core();
        // The proof is read first: the data that follows is at least as new.
        let proved = core.proved();
        let data = core.data();
        data.current(proved.elapsed(), bound).map(Arc::clone)
    }

    /// Reads for a hot path: see [`Access`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use quorate_datasync::{Memory, Shared, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let limit = Shared::<u32>::open(&store, "/limit").create(100).await?;
    /// let mut access = limit.access();
    /// let allowed = (0..1000).filter(|n| access.read().is_ok_and(|limit| n < limit)).count();
    /// assert_eq!(allowed, 100);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn access(&self) -> Access<T> {
        Access::new(self)
    }

    /// Waits until the copy here satisfies a predicate, and gives it; at once if it does. A copy that came and went
    /// in between may not be seen. A struct that is deleted is waited for.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) if the store is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use quorate_datasync::{Memory, Shared, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let level = Shared::<u8>::open(&store, "/level").create(0).await?;
    /// let (reached, _) = tokio::join!(level.wait_for(|level| *level >= 2), level.update(|level| *level = 3));
    /// assert_eq!(*reached?, 3);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn wait_for(&self, mut holds: impl FnMut(&T) -> bool) -> crate::Result<Arc<T>> {
        let see = || self.core().data().compared().cloned();
        let (queue, mut seen) = self.core().subscribers.add(see);
        let mut changes = Changes::new(queue);
        loop {
            if let Some(snapshot) = seen.take_if(|snapshot| holds(&snapshot.value)) {
                return Ok(snapshot.value);
            }
            match futures_util::StreamExt::next(&mut changes).await {
                Some(set) => seen = set.current,
                None => {
                    return Err(Error::new(ErrorKind::Closed, "wait").on(&self.core().editor.layout.payload));
                }
            }
        }
    }

    /// The last good copy, however old it is, even of a struct that was deleted since. Never fails, waits for
    /// nothing.
    #[must_use]
    pub fn peek(&self) -> Arc<T> {
        Arc::clone(&self.snapshot().value)
    }

    /// The last good copy with its document and revision, however old.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<T> {
        self.core().good().expect("a struct is opened with a good copy, and one is kept from then on")
    }

    /// Everything that is told from now on, payloads that cannot be decoded included.
    pub fn events(&self) -> SharedEvents<T> {
        SharedEvents::new(self.core().subscribers.add(|| ()).0)
    }

    /// The changes from now on.
    pub fn changes(&self) -> Changes<T> {
        Changes::new(self.core().subscribers.add(|| ()).0)
    }

    /// As [`events`](Self::events), with options.
    pub fn events_with(&self, options: ChangesOptions) -> SharedEvents<T> {
        SharedEvents::new(self.core().subscribers.add_bounded(options.bound, || ()).0)
    }

    /// As [`changes`](Self::changes), with options.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use futures_util::StreamExt;
    /// # use quorate_datasync::{ChangesOptions, Memory, Shared, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let here = Shared::<u8>::open(&store, "/level").create(0).await?;
    /// let there = Shared::<u8>::open(&store, "/level").join().await?;
    /// let mut from_others = here.changes_with(ChangesOptions::new().bound(8)).skip_own();
    /// here.update(|level| *level = 1).await?;
    /// there.update(|level| *level = 2).await?;
    /// assert_eq!(*from_others.next().await.unwrap().current.unwrap().value, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn changes_with(&self, options: ChangesOptions) -> Changes<T> {
        Changes::new(self.core().subscribers.add_bounded(options.bound, || ()).0)
    }

    /// The changes from now on, and the copy that they start from: no change falls between the two.
    pub fn snapshot_and_events(&self) -> (Snapshot<T>, SharedEvents<T>) {
        let (queue, snapshot) = self.core().subscribers.add(|| self.snapshot());
        (snapshot, SharedEvents::new(queue))
    }

    /// The values of one part: the current one, then each that differs from the one before.
    pub fn select<F, P>(&self, project: P) -> Select<T, F, P>
    where
        F: Clone + PartialEq,
        P: Fn(&T) -> &F,
    {
        let (queue, first) = self.core().subscribers.add(|| self.core().data().compared().cloned());
        Select::new(queue, first, project)
    }

    /// How the copy is doing, from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<SharedStatus> {
        self.core().status.subscribe()
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    /// Calls `handler` for each change, on a task of its own, for the life of this struct's handles or until
    /// stopped. A handler that is slow is told the net change; one that panics ends, and nothing else does.
    pub fn update_handler(&self, mut handler: impl FnMut(&ChangeSet<T>) + Send + 'static) -> UpdateHandler {
        let mut changes = self.changes();
        let task = tokio::spawn(async move {
            while let Some(set) = futures_util::StreamExt::next(&mut changes).await {
                handler(&set);
            }
        });
        UpdateHandler::new(task.abort_handle())
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("payload", &self.core().editor.layout.payload)
            .field("status", &*self.core().status.borrow())
            .finish_non_exhaustive()
    }
}

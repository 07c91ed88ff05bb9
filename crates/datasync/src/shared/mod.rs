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
mod interest;
mod layout;
mod listeners;
mod metrics;
mod net;
mod open;
mod outcome;
mod own;
mod owner;
mod pace;
mod presence;
mod read;
mod resume;
mod select;
mod snapshot;
mod status;
mod streams;
mod subscribers;
mod terms;
mod update;
mod update_options;
mod weak;
mod writers;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use self::core::Core;
use self::interest::Interest;
use crate::{Key, KeyError, Store};

pub use access::Access;
pub use changes_options::ChangesOptions;
pub use diff::{
    Change, DEPTH_MAX, ParseError, ParsedDocument, Pointer, PointerError, depth, diff, overlay, parse,
    to_patch,
};
pub use document::Document;
pub use edit::{Edit, Edited};
pub use error::{OpenError, ReadError, StaleCause, UpdateError};
pub use held::HeldLock;
pub use listeners::{ListenerEvent, Listeners};
pub use open::Open;
pub use presence::Listener;
pub use select::{Select, SelectBy, Selected};
pub use snapshot::{ChangeSet, Origin, Rejected, SharedEvent, Snapshot};
pub use status::{DataStatus, SharedStatus};
pub use streams::{Changes, SharedEvents, UpdateHandler};
pub use update::Updated;
pub use update_options::UpdateOptions;
pub(crate) use weak::WeakShared;

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
    /// Called when the last clone is gone.
    at_end: Option<Box<dyn FnOnce() + Send + Sync>>,
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
}

impl<T> Shared<T> {
    fn new(core: Arc<Core<T>>, owner: AbortHandle, lock_wait: Duration) -> Self {
        Self(Arc::new(Handle { core, lock_wait, tasks: vec![owner], at_end: None }))
    }

    /// Ends a task with the last clone.
    fn own(&mut self, task: AbortHandle) {
        match Arc::get_mut(&mut self.0) {
            Some(handle) => handle.tasks.push(task),
            None => task.abort(),
        }
    }

    /// Says what is to be called when the last clone is gone. Nobody else may have a clone yet.
    pub(crate) fn at_end(&mut self, call: impl FnOnce() + Send + Sync + 'static) {
        if let Some(handle) = Arc::get_mut(&mut self.0) {
            handle.at_end = Some(Box::new(call));
        }
    }

    fn core(&self) -> &Core<T> {
        &self.0.core
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

    /// One field, as `project` finds it: what it is now, then each time that it is something else, what it was and
    /// what it is. Nothing falls between, and what changes elsewhere is not told.
    ///
    /// A selection compares its field, and nothing is compared twice for several of them: a thousand selections of
    /// one struct cost one diff for each revision, as none does.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use futures_util::StreamExt;
    /// use quorate_datasync::{Memory, Shared, Store};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Agent {
    ///     processes: Vec<String>,
    ///     interval: u64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let agent = Shared::<Agent>::open(&store, "/agents/web").create(Agent::default()).await?;
    /// let mut intervals = agent.select(|agent| &agent.interval);
    /// assert_eq!(intervals.next().await.and_then(|told| told.new), Some(0));
    /// agent.update(|agent| agent.processes.push("firefox*".into())).await?;
    /// agent.update(|agent| agent.interval = 5).await?;
    /// let told = intervals.next().await.ok_or("the struct is open")?;
    /// assert_eq!((told.old, told.new), (Some(0), Some(5)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn select<F, P>(&self, project: P) -> Select<T, F, P>
    where
        F: Clone + PartialEq,
        P: Fn(&T) -> &F,
    {
        let (queue, first) = self.core().subscribers.add_for(Interest::Values, || self.core().data().start());
        Select::new(queue, first, project)
    }

    /// One place in the stored document, otherwise as [`select`](Self::select). It is not even woken by changes
    /// elsewhere.
    ///
    /// In an array the pointer names an index, not an element: an insertion before it changes what is there.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use futures_util::StreamExt;
    /// # use quorate_datasync::{Memory, Pointer, Shared, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let agent = Shared::<Vec<String>>::open(&store, "/agents/web").create(vec!["sshd*".into()]).await?;
    /// let mut second = agent.select_by(Pointer::parse("/1")?);
    /// assert_eq!(second.next().await.and_then(|told| told.new), None, "there is one element");
    /// agent.update(|processes| processes.push("firefox*".into())).await?;
    /// assert_eq!(second.next().await.and_then(|told| told.new), Some("firefox*".into()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn select_by(&self, pointer: Pointer) -> SelectBy<T> {
        let interest = Interest::part(&pointer);
        let (queue, first) = self.core().subscribers.add_for(interest, || self.core().data().start());
        SelectBy::new(queue, first, pointer)
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
        if let Some(call) = self.at_end.take() {
            call();
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

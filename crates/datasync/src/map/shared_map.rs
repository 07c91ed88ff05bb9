//! The map.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::key::MapKey;
use super::keys::{self, MapKeys};
use super::options::MapOptions;
use super::segment;
use super::slots::{Slots, Turn};
use crate::shared::WeakShared;
use crate::{
    Document, Edit, Edited, Error, ErrorKind, Key, KeyError, OpenError, ReadError, Revision, Shared, Store,
    UpdateError,
};

/// How long a removal waits for the write lock.
const REMOVE_WAIT: Duration = Duration::from_secs(30);

/// Many structs below one directory, each shared as [`Shared`] is and with all its promises, and loaded when it is
/// asked for. Cheap to clone.
///
/// All clones of a map have one live copy for each key between them. It ends with its last user, unless the map was
/// told to [keep](MapOptions::keep) some. A map itself costs the store nothing.
///
/// ```
/// use std::sync::Arc;
/// use quorate_datasync::{Memory, SharedMap, Store};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Agent {
///     processes: Vec<String>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let agents = SharedMap::<String, Agent>::open(&store, "/agents")?;
/// let web = agents.get_or_create(&"web/1".into(), Agent::default).await?;
/// web.update(|agent| agent.processes.push("firefox*".into())).await?;
/// assert_eq!(agents.join(&"web/1".into()).await?.read()?.processes, ["firefox*"]);
/// assert_eq!(agents.keys().await?, ["web/1"]);
/// # Ok(())
/// # }
/// ```
pub struct SharedMap<K, T>(Arc<Inner<T>>, PhantomData<fn(K) -> K>);

struct Inner<T> {
    store: Arc<dyn Store>,
    directory: Key,
    options: MapOptions,
    slots: Slots<T>,
}

impl<K, T> SharedMap<K, T>
where
    K: MapKey,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// The map of the structs below `directory`. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if `directory` is no key.
    pub fn open<D>(store: &Arc<dyn Store>, directory: D) -> crate::Result<Self>
    where
        D: TryInto<Key>,
        D::Error: Into<KeyError>,
    {
        Self::open_with(store, directory, MapOptions::new())
    }

    /// The same, where structs are opened as `options` say.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with<D>(store: &Arc<dyn Store>, directory: D, options: MapOptions) -> crate::Result<Self>
    where
        D: TryInto<Key>,
        D::Error: Into<KeyError>,
    {
        let directory = directory.try_into().map_err(Into::into)?;
        let inner = Inner { store: Arc::clone(store), directory, options, slots: Slots::new() };
        Ok(Self(Arc::new(inner), PhantomData))
    }

    /// The struct of a key, made with `initial` if it does not exist: see [`Open::create`](crate::Open::create).
    ///
    /// Whoever asks for one key at once waits for one opening, and has the same copy.
    ///
    /// # Errors
    ///
    /// Those of [`Open::create`](crate::Open::create), and [`Invalid`](crate::ErrorKind::Invalid) of a key that is
    /// too long.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may have created the struct. Others who wait for the key go on.
    pub async fn get_or_create(
        &self,
        key: &K,
        initial: impl FnOnce() -> T + Send,
    ) -> Result<Shared<T>, OpenError> {
        let (segment, directory) = self.place(key)?;
        let turn = self.turn(&segment).await?;
        if let Some(shared) = turn.upgrade() {
            if shared.is_deleted() {
                let payload = serde_json::to_vec(&initial()).map_err(OpenError::Encode)?;
                let document = Document::below(&self.0.store, directory.clone())?;
                document.ensure(payload, self.0.options.wait()).await?;
            }
            return self.known(&segment, &directory, shared).await;
        }
        let open = self.0.options.apply(Shared::open(&self.0.store, directory));
        let shared = open.create(initial()).await?;
        Ok(self.opened(&segment, turn, shared))
    }

    /// The struct of a key, which must exist: see [`Open::join`](crate::Open::join).
    ///
    /// # Errors
    ///
    /// Those of [`Open::join`](crate::Open::join), and [`Invalid`](crate::ErrorKind::Invalid) of a key that is too
    /// long.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind. Others who wait for the key go on.
    pub async fn join(&self, key: &K) -> Result<Shared<T>, OpenError> {
        let (segment, directory) = self.place(key)?;
        let turn = self.turn(&segment).await?;
        if let Some(shared) = turn.upgrade() {
            return self.known(&segment, &directory, shared).await;
        }
        let open = self.0.options.apply(Shared::open(&self.0.store, directory));
        let shared = open.join().await?;
        Ok(self.opened(&segment, turn, shared))
    }

    /// Deletes the struct of a key, exclusively as an update, and says when; `None` if there was none.
    ///
    /// Live copies of it are told, here and elsewhere. What other processes still use of its directory stays until
    /// they are done.
    ///
    /// # Errors
    ///
    /// Those of [`Shared::update`], of which only the lock and the store can fail here.
    ///
    /// # Cancel safety
    ///
    /// A dropped future may have deleted the struct.
    pub async fn remove(&self, key: &K) -> Result<Option<Revision>, UpdateError> {
        let (segment, directory) = self.place(key).map_err(UpdateError::Store)?;
        let mut turn = self.turn(&segment).await.map_err(UpdateError::Store)?;
        let document = Document::below(&self.0.store, directory).map_err(UpdateError::Store)?;
        // Looking first leaves no trace of a lock where there is no struct.
        let looking = document.read(crate::Consistency::Synced);
        let looked = tokio::time::timeout(self.0.options.wait(), looking).await;
        let there = looked.unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, "remove")));
        let there = there.map_err(UpdateError::Store)?;
        let mut deleted = None;
        if there.is_some() {
            let decide =
                |entry: Option<&crate::Entry>| if entry.is_some() { Edit::Delete } else { Edit::Keep };
            if let Edited::Deleted(revision) = document.edit(REMOVE_WAIT, decide).await? {
                deleted = Some(revision);
            }
        }
        self.0.slots.forget(&segment);
        // The copy that others use may hear of it late. Whoever asks for the key next must not be given what is gone.
        if let Some(shared) = turn.upgrade()
            && matches!(shared.read_consistent().await, Err(ReadError::Store(_)))
        {
            *turn = WeakShared::default();
        }
        // What was deleted stays so, whatever becomes of the empty directories.
        let removing = tokio::time::timeout(self.0.options.wait(), document.remove_directories());
        if let Ok(Err(error)) = removing.await {
            tracing::debug!(%error, "the directories of a struct that was deleted stay");
        }
        Ok(deleted)
    }

    /// The keys whose structs exist, in the order of their names.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    pub async fn keys(&self) -> crate::Result<Vec<K>> {
        let segments = keys::existing(&self.0.store, &self.0.directory).await?;
        Ok(keys::keys(segments.iter()))
    }

    /// The keys whose structs exist, and then which came and went: a stream.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use futures_util::StreamExt;
    /// # use quorate_datasync::{Memory, SharedMap, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let ports = SharedMap::<u16, String>::open(&store, "/ports")?;
    /// let mut keys = ports.watch_keys();
    /// assert_eq!(keys.next().await.map(|change| change.added), Some(vec![]), "all that are there");
    /// ports.get_or_create(&443, || "web".into()).await?;
    /// assert_eq!(keys.next().await.map(|change| change.added), Some(vec![443]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch_keys(&self) -> MapKeys<K> {
        MapKeys::new(&self.0.store, &self.0.directory)
    }

    /// How many structs have a live copy here.
    #[must_use]
    pub fn live(&self) -> usize {
        self.0.slots.live()
    }

    /// The copy that was there already, once it has seen that its struct exists.
    async fn known(&self, segment: &str, directory: &Key, shared: Shared<T>) -> Result<Shared<T>, OpenError> {
        if shared.is_deleted() {
            match shared.read_consistent().await {
                Ok(_) => {}
                Err(ReadError::Store(error)) => {
                    let again = Error::new(error.kind(), "open").because(error.to_string());
                    return Err(again.on(directory).into());
                }
                Err(ReadError::Rejected(rejected)) => {
                    return Err(OpenError::Rejected { key: directory.clone(), rejected });
                }
                Err(_) => {
                    let document = Document::below(&self.0.store, directory.clone())?;
                    return Err(OpenError::Missing(document.payload().clone()));
                }
            }
        }
        self.0.slots.keep(segment, &shared, self.0.options.kept());
        Ok(shared)
    }

    /// The copy that was just opened, for everybody who asks from now on.
    fn opened(&self, segment: &str, mut turn: Turn<T>, mut shared: Shared<T>) -> Shared<T> {
        let (map, place) = (Arc::downgrade(&self.0), segment.to_owned());
        shared.at_end(move || {
            if let Some(map) = map.upgrade() {
                map.slots.sweep(&place);
            }
        });
        *turn = shared.downgrade();
        self.0.slots.keep(segment, &shared, self.0.options.kept());
        shared
    }

    /// Waits for the turn to treat one key, for as long as a struct may take to be opened.
    async fn turn(&self, segment: &str) -> crate::Result<Turn<T>> {
        let wait = self.0.options.wait();
        let turn = tokio::time::timeout(wait, self.0.slots.turn(segment)).await;
        turn.map_err(|_| Error::new(ErrorKind::TimedOut, "open").because("others were opening it"))
    }

    /// Where the struct of a key is.
    fn place(&self, key: &K) -> crate::Result<(String, Key)> {
        let segment = segment::encode(&key.to_text());
        let directory = self.0.directory.join(&segment)?;
        Ok((segment, directory))
    }
}

impl<K, T> Clone for SharedMap<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<K, T> fmt::Debug for SharedMap<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMap")
            .field("directory", &self.0.directory)
            .field("live", &self.0.slots.live())
            .finish_non_exhaustive()
    }
}

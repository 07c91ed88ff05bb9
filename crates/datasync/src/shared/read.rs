//! The ways to read a live copy.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Shared;
use super::access::Access;
use super::codec;
use super::error::ReadError;
use super::snapshot::{Data, Rejected};
use super::streams::Changes;
use crate::{Consistency, Entry, Error, ErrorKind, Event, Moment, Revision, Want};

impl<T> Shared<T> {
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
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Shared<T> {
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
        let (asked, at, of) = (Moment::now(), Consistency::Linearizable, core.incarnation());
        let seen = store.get(key, Want::Stat, at).await?.stat().map(|stat| stat.version);
        if seen.is_some() && seen == core.data().version() && core.editor.is_latest_of(of) {
            return Ok(self.held());
        }
        let read = store.get(key, Want::Value, at).await?;
        let revision = read.revision;
        let Some(entry) = read.into_entry() else {
            let event = Event::Delete { key: key.clone(), revision };
            core.fence.observe(event, Some(asked), of).await;
            return Ok(Err(ReadError::Deleted(revision)));
        };
        let put = Event::Put(entry.clone());
        let is_taken = core.fence.observe(put, Some(asked), of).await;
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

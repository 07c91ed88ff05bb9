//! Streams that go on where an earlier one ended, where the store keeps its history.

use std::sync::Arc;

use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::Shared;
use super::changes_options::ChangesOptions;
use super::codec::decode_digested;
use super::net::changes_between;
use super::own::is_of_this_process;
use super::snapshot::{ChangeSet, Data, Origin, SharedEvent, Snapshot};
use super::streams::Changes;
use crate::{
    Consistency, Entry, Error, ErrorKind, Link, RawChange, RawChanges, Result, Revision, Selection, Store,
    Want, WatchFrom,
};

impl<T: DeserializeOwned + Send + Sync + 'static> Shared<T> {
    /// The changes since `revision`, then those from now on: none is missing between, and none is told twice.
    ///
    /// `revision` is one that this struct had: that of a [`Snapshot`] or of a [`ChangeSet`] that was told before,
    /// maybe to an earlier process. What is replayed is of [`Origin::Process`] or [`Origin::Remote`]; payloads that
    /// cannot be decoded are left out.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported) if the store keeps no history that goes back so far, or has begun
    /// another life since: then read the struct and begin anew. [`TimedOut`](ErrorKind::TimedOut) if the store does
    /// not answer within the bound of the copy, [`Closed`](ErrorKind::Closed), and those of
    /// [`Store::watch`](crate::Store::watch).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use futures_util::StreamExt;
    /// # use quorate_datasync::{Memory, Shared, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let level = Shared::<u8>::open(&store, "/level").create(0).await?;
    /// let seen = level.snapshot().revision;
    /// level.update(|level| *level = 1).await?;
    /// level.update(|level| *level = 2).await?;
    /// let mut changes = level.changes_after(seen).await?;
    /// assert_eq!(*changes.next().await.unwrap().current.unwrap().value, 1);
    /// assert_eq!(*changes.next().await.unwrap().current.unwrap().value, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn changes_after(&self, revision: Revision) -> Result<Changes<T>> {
        self.changes_after_with(revision, ChangesOptions::new()).await
    }

    /// As [`changes_after`](Self::changes_after), with options for what comes from now on.
    ///
    /// # Errors
    ///
    /// Those of [`changes_after`](Self::changes_after).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn changes_after_with(
        &self,
        revision: Revision,
        options: ChangesOptions,
    ) -> Result<Changes<T>> {
        let work = self.resume(revision, options);
        match tokio::time::timeout(self.core().bound, work).await {
            Ok(resumed) => resumed,
            Err(_) => Err(Error::new(ErrorKind::TimedOut, "watch").on(&self.core().editor.layout.payload)),
        }
    }

    async fn resume(&self, revision: Revision, options: ChangesOptions) -> Result<Changes<T>> {
        let core = self.core();
        let key = &core.editor.layout.payload;
        if core.status.borrow().revision < revision
            && core.editor.store.get(key, Want::Stat, Consistency::Synced).await?.revision < revision
        {
            // The copy is not behind: the store as it is now never had this revision.
            return Err(no_history(revision).on(key));
        }
        let mut status = core.status.subscribe();
        let caught_up =
            status.wait_for(|status| status.revision >= revision || status.link == Link::Closed).await;
        if caught_up.is_ok_and(|status| status.revision < revision) {
            return Err(Error::new(ErrorKind::Closed, "watch").on(key));
        }
        let (queue, now) = core.subscribers.add_bounded(options.bound, || core.data().revision());
        let live = Changes::new(queue);
        if now <= revision {
            return Ok(live);
        }
        // The change at `revision` itself is replayed too: it gives the document that the next one is compared with.
        let from = WatchFrom::After(Revision::new(revision.get().saturating_sub(1)));
        let raw = core.editor.store.watch(&Selection::Key(key.clone()), from).await?;
        let store = Arc::clone(&core.editor.store);
        let replay = Replay { store, revision, until: now, base: None, sets: Vec::new() };
        Ok(live.after(replay.run(raw).await.map_err(|error| error.on(key))?))
    }
}

/// What was told before, told again.
struct Replay<T> {
    store: Arc<dyn Store>,
    /// The revision that the caller has seen.
    revision: Revision,
    /// The revision from which on the live stream tells.
    until: Revision,
    /// What the next entry is compared with; `None` until the revision that the caller has seen.
    base: Option<Option<Snapshot<T>>>,
    sets: Vec<SharedEvent<T>>,
}

impl<T: DeserializeOwned + 'static> Replay<T> {
    async fn run(mut self, mut raw: RawChanges) -> Result<Vec<SharedEvent<T>>> {
        while let Some(change) = raw.next().await {
            let at = match change {
                RawChange::Put(entry) => self.put(&entry)?,
                RawChange::Delete(_, at) => self.step(at, None, Origin::Remote)?,
                RawChange::Progress { revision, .. } => revision,
                RawChange::Dirty(_) | RawChange::Gap => return Err(no_history(self.revision)),
            };
            if at >= self.until {
                return if self.base.is_some() { Ok(self.sets) } else { Err(no_history(self.revision)) };
            }
        }
        Err(Error::new(ErrorKind::Closed, "watch"))
    }

    fn put(&mut self, entry: &Entry) -> Result<Revision> {
        let Ok((document, value)) = decode_digested::<T>(&entry.value) else {
            // The live copy kept the good one as well. A stream cannot begin at a bad one.
            return if self.base.is_some() { Ok(entry.revision) } else { Err(no_history(self.revision)) };
        };
        let held = self.base.iter().flatten().next().map(|snapshot| snapshot.version);
        let is_ours = is_of_this_process(&self.store, entry, held);
        let origin = if is_ours { Origin::Process } else { Origin::Remote };
        let snapshot = Snapshot {
            value: value.into(),
            document: document.into(),
            revision: entry.revision,
            version: entry.version,
        };
        self.step(entry.revision, Some(snapshot), origin)
    }

    fn step(&mut self, at: Revision, current: Option<Snapshot<T>>, origin: Origin) -> Result<Revision> {
        let Some(previous) = self.base.replace(current.clone()) else {
            // The first is what the caller has seen, or the history does not know of it.
            return if at == self.revision { Ok(at) } else { Err(no_history(self.revision)) };
        };
        let changes = changes_between(previous.as_ref(), current.as_ref());
        if at <= self.until && !changes.is_empty() {
            let (changes, coalesced) = (changes.into(), false);
            let set = ChangeSet { revision: at, origin, coalesced, changes, previous, current };
            self.sets.push(SharedEvent::Changed(set));
        }
        Ok(at)
    }
}

impl<T> Data<T> {
    /// The revision that this is of.
    fn revision(&self) -> Revision {
        match self {
            Self::Waiting => Revision::ZERO,
            Self::Present(snapshot) => snapshot.revision,
            Self::Rejected { rejected, .. } => rejected.revision,
            Self::Deleted { revision, .. } => *revision,
        }
    }
}

fn no_history(revision: Revision) -> Error {
    Error::unsupported("watch", format!("the store keeps no history of this key back to revision {revision}"))
}

//! The queue for a lock: entering it, and waiting for its front.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::LeaseKeeper;
use super::contender::{Contender, contenders, fresh_stem};
use super::lock::LockError;
use super::tenure::{Release, Tenure};
use crate::backoff::Backoff;
use crate::{
    Answer, Committed, Consistency, Entry, Error, ErrorKind, Event, Incarnation, Key, List, RawChange,
    Result, Revision, Selection, Store, Txn, Want, Watch, WatchFrom, Written,
};

/// The least time that the store is given to answer.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(1);

/// What stands for a wait without end.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// What is asked of a lock by the layers above.
#[derive(Debug)]
pub(crate) struct LockRequest<'a> {
    pub(crate) store: &'a Arc<dyn Store>,
    pub(crate) directory: &'a Key,
    pub(crate) keeper: &'a LeaseKeeper,
    /// A key that is read under the lock; at no further cost if nobody else holds it.
    pub(crate) then_get: Option<&'a Key>,
    /// How long it was allowed to wait when it was asked for.
    pub(crate) wait: Duration,
    pub(crate) deadline: Instant,
}

impl LockRequest<'_> {
    /// Enters the queue and waits for the front of it.
    pub(crate) async fn acquire(&self) -> Result<Tenure, LockError> {
        let deadline = self.deadline;
        let mut backoff = Backoff::default();
        loop {
            match self.attempt(deadline).await {
                Ok(Some(tenure)) => return Ok(tenure),
                Ok(None) => return Err(self.timed_out()),
                Err(error) if is_passing(&error) => {
                    let pause = backoff.next();
                    if Instant::now() + pause >= deadline {
                        return Err(error.into());
                    }
                    tokio::time::sleep(pause).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// One attempt under one lease and one fresh name; `None` if the time ran out while others held the lock.
    async fn attempt(&self, deadline: Instant) -> Result<Option<Tenure>> {
        let lease = within(deadline, self.keeper.current()).await?;
        let stem = fresh_stem();
        let release = Release {
            store: Arc::clone(self.store),
            directory: self.directory.clone(),
            stem: stem.clone(),
            lease: Arc::clone(&lease),
            runtime: Handle::current(),
            is_done: false,
        };
        let txn = Txn::new().create_unique(self.directory, &stem, identity(), &lease.reference());
        let of = self.incarnation();
        let mut view = match within(deadline, self.store.commit(self.reads(txn))).await {
            Ok(committed) => View::of(committed, of),
            // Whether the entry was made is seen in the queue; if it was not, the next attempt has a fresh name.
            Err(error) if error.maybe_applied() || error.kind() == ErrorKind::TimedOut => {
                within(deadline, self.look(Consistency::Synced)).await?
            }
            Err(error) => {
                let mut release = release;
                release.is_done = true;
                return Err(error);
            }
        };
        let mut pauses = Backoff::default();
        loop {
            let queue = within(deadline, self.in_order(contenders(&view.names), &stem)).await?;
            let Some(at) = queue.iter().position(|contender| contender.name.starts_with(&stem)) else {
                let lost = Error::new(ErrorKind::LeaseEnded, "lock").on(self.directory);
                return Err(lost.because("the place in the queue is gone"));
            };
            let entry = self.directory.join(&queue[at].name)?;
            if at == 0 {
                let created = match view.created {
                    Some(created) => created,
                    None => within(deadline, self.created(&entry)).await?,
                };
                let (got, incarnation) = match view.got {
                    Got::Read(got, of) => (got, of),
                    Got::Not(at) => within(deadline, self.guarded(at)).await?,
                };
                return Ok(Some(Tenure { entry, created, lease, got, incarnation, release }));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            let ahead = self.directory.join(&queue[at - 1].name)?;
            tokio::select! {
                () = moved(self.store, &ahead) => {}
                () = lease.ended() => return Err(Error::new(ErrorKind::LeaseEnded, "lock").on(self.directory)),
                () = tokio::time::sleep_until(deadline) => return Ok(None),
            }
            let created = view.created;
            // This handle was told of the change, so what is nearest has it; the write checks the version it was
            // made on.
            view = within(deadline, self.look(Consistency::Local)).await?;
            view.created = created;
            if view.names.iter().any(|name| *name == queue[at - 1].name) {
                // It has the name of a contender and is no entry, or was made again: nothing tells when it goes.
                tokio::time::sleep_until(deadline.min(Instant::now() + pauses.next())).await;
            }
        }
    }

    /// Adds the reads that show who is in the queue and then, under the lock, what it guards.
    fn reads(&self, txn: Txn) -> Txn {
        let txn = txn.then_names(&self.directory.below());
        match self.then_get {
            Some(key) => txn.then_get(key),
            None => txn,
        }
    }

    /// Looks at the queue again. What the lock guards is read only once that shows that it is had: a read that was
    /// sent together with this one might be answered before it, from the time of another holder.
    async fn look(&self, at: Consistency) -> Result<View> {
        let names = self.store.list(&self.directory.below(), List::Names, at).await?;
        Ok(View { names: names.into_names(), got: Got::Not(at), created: None })
    }

    /// What the lock guards, and the life of the store that answered before.
    async fn guarded(&self, at: Consistency) -> Result<(Option<Entry>, Option<Incarnation>)> {
        let of = self.incarnation();
        match self.then_get {
            Some(key) => Ok((self.store.get(key, Want::Value, at).await?.into_entry(), of)),
            None => Ok((None, of)),
        }
    }

    fn incarnation(&self) -> Option<Incarnation> {
        self.store.status().borrow().incarnation
    }

    /// Orders contenders of equal number, which a counter at its end hands out, by their creation.
    async fn in_order(&self, queue: Vec<Contender>, stem: &str) -> Result<Vec<Contender>> {
        let ours = queue.iter().find(|contender| contender.name.starts_with(stem)).map(|found| found.number);
        if queue.iter().filter(|contender| Some(contender.number) == ours).count() < 2 {
            return Ok(queue);
        }
        let mut dated = Vec::with_capacity(queue.len());
        for contender in queue {
            let key = self.directory.join(&contender.name)?;
            if let Some(stat) = self.store.get(&key, Want::Stat, Consistency::Synced).await?.stat() {
                dated.push((contender.number, stat.created, contender));
            }
        }
        dated.sort();
        Ok(dated.into_iter().map(|(_, _, contender)| contender).collect())
    }

    async fn created(&self, entry: &Key) -> Result<Revision> {
        let read = self.store.get(entry, Want::Stat, Consistency::Synced).await?;
        let lost = || Error::new(ErrorKind::LeaseEnded, "lock").on(entry).because("the lock is gone");
        read.stat().map(|stat| stat.created).ok_or_else(lost)
    }

    fn timed_out(&self) -> LockError {
        LockError::TimedOut { directory: self.directory.clone(), waited: self.wait }
    }
}

/// The queue as it was seen.
struct View {
    names: Vec<String>,
    got: Got,
    created: Option<Revision>,
}

/// What the lock guards.
enum Got {
    /// As it was read after the queue, with the life of the store that answered before.
    Read(Option<Entry>, Option<Incarnation>),
    /// It is still to be read.
    Not(Consistency),
}

impl View {
    fn of(committed: Committed, of: Option<Incarnation>) -> Self {
        let created = match committed.written.first() {
            Some(Written::Put(stat)) => Some(stat.created),
            _ => None,
        };
        let mut view = Self { names: Vec::new(), got: Got::Read(None, of), created };
        for answer in committed.answers {
            match answer {
                Answer::Names(names) => view.names = names,
                Answer::Entry(entry) => view.got = Got::Read(entry, of),
            }
        }
        view
    }
}

/// Waits until something happened to a key that exists, or it does not exist. It is a watch and one read, and
/// leaves it to the caller to see what happened.
async fn moved(store: &Arc<dyn Store>, key: &Key) {
    let selection = Selection::Key(key.clone());
    let Ok(mut changes) = store.watch(&selection, WatchFrom::Now).await else {
        return gone(store, key).await;
    };
    match store.get(key, Want::Stat, Consistency::Synced).await {
        Ok(read) if read.stat().is_none() => return,
        Ok(_) => {}
        Err(_) => return gone(store, key).await,
    }
    while let Some(change) = changes.next().await {
        if !matches!(change, RawChange::Progress { .. }) {
            return;
        }
    }
    gone(store, key).await;
}

/// Waits until a key does not exist.
pub(super) async fn gone(store: &Arc<dyn Store>, key: &Key) {
    let mut watch = Watch::new(store, Selection::Key(key.clone()));
    let mut is_there = false;
    while let Some(event) = watch.next().await {
        match event {
            Ok(Event::ResyncStart { .. }) => is_there = false,
            Ok(Event::Resync(_) | Event::Put(_)) => is_there = true,
            Ok(Event::ResyncDone { .. }) if !is_there => return,
            Ok(Event::Delete { .. }) => return,
            // The watch tries again by itself.
            Ok(Event::ResyncDone { .. } | Event::Progress { .. }) | Err(_) => {}
        }
    }
}

/// Whether a fresh attempt may succeed.
fn is_passing(error: &Error) -> bool {
    error.is_retryable() || error.kind() == ErrorKind::LeaseEnded
}

/// The moment so long after now; a time without end is a very long one.
pub(crate) fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now + FOREVER)
}

/// Bounds one step of the store. Whoever is not willing to wait for the lock still waits for the store's word.
async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout_at(deadline.max(Instant::now() + ANSWER_TIME), work).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(ErrorKind::TimedOut, "lock").because("the store did not answer in time")),
    }
}

/// Who holds a lock, for a person who looks at it.
fn identity() -> Bytes {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{host}:{}", std::process::id()).into()
}

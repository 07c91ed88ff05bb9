//! The watch driver: carries out what the resync state machine asks for.

mod reload;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::backoff::Backoff;
use crate::resync::{Command, Loaded, Resync};
use crate::{
    Consistency, Entry, Error, ErrorKind, Event, Key, Link, List, Moment, RawChanges, Read, Result, Revision,
    Selection, Store, Want, WatchFrom,
};

use reload::Reload;

/// How many reads of one watch are under way at once.
const READS_MAX: usize = 64;

/// A total watch of one key or of the keys below a prefix: a resync, then changes; after any doubt a new resync.
///
/// It is a [`Stream`] of events. An error is told in between and says that what was told may be getting old; the
/// step that failed is tried again, after waits that grow to 5 s, until the store is closed, which ends the
/// stream. Lost connections and expired sessions need nothing from the consumer. A consumer that is slow is told a
/// new resync instead of what it missed.
///
/// The entries of a resync come in the order of their keys. After a lost connection a prefix with more than 1,000
/// entries is loaded again after a random wait of up to a second, so that not everybody who lost the store asks for
/// everything at once. A gap does not end a load that is under way: its content is told, and loaded once more;
/// where there is one gap after the other, a prefix is loaded at intervals that grow to 5 s.
///
/// Dropping it ends the watch.
///
/// ```
/// use std::sync::Arc;
/// use futures_util::StreamExt;
/// use quorate_datasync::{Event, Key, Memory, Selection, Store, StoreExt, Watch};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let key = Key::parse("/motd")?;
/// let mut watch = Watch::new(&store, Selection::Key(key.clone()));
/// assert!(matches!(watch.next().await, Some(Ok(Event::ResyncStart { .. }))));
/// assert!(matches!(watch.next().await, Some(Ok(Event::ResyncDone { .. }))));
/// store.put(&key, "hello").await?;
/// assert!(matches!(watch.next().await, Some(Ok(Event::Put(entry))) if entry.value == "hello"));
/// # Ok(())
/// # }
/// ```
#[must_use = "a watch does nothing unless polled"]
pub struct Watch {
    store: Arc<dyn Store>,
    selection: Selection,
    resync: Resync,
    changes: Option<RawChanges>,
    steps: FuturesUnordered<BoxFuture<'static, Step>>,
    reload: Reload,
    backoff: Backoff,
    /// How long the next step waits first, because the one before it failed.
    delay: Duration,
    ended: bool,
}

/// What came of a command.
enum Step {
    Waited(Command),
    Armed(Result<RawChanges>),
    Loaded(u64, Result<Loaded>),
    Read(Key, u64, Result<Read>),
}

impl Watch {
    /// Watches a selection of a store. Nothing is sent before the stream is polled.
    pub fn new(store: &Arc<dyn Store>, selection: Selection) -> Self {
        Self {
            store: Arc::clone(store),
            selection,
            resync: Resync::new(),
            changes: None,
            steps: FuturesUnordered::new(),
            reload: Reload::new(store.status()),
            backoff: Backoff::default(),
            delay: Duration::ZERO,
            ended: false,
        }
    }

    /// Says that the copy of `key` is known to be old: it is read again.
    pub(crate) fn mark_dirty(&mut self, key: &Key) {
        if self.changes.is_some() {
            self.resync.handle_change(crate::RawChange::Dirty(key.clone()));
        }
    }

    /// Says that the copy may be of another life of the store: the content is loaded again.
    pub(crate) fn doubt(&mut self) {
        self.resync.handle_doubt();
    }

    /// The watch ended. Unless the store was closed it is armed again.
    fn on_changes_ended(&mut self) -> Option<Error> {
        self.changes = None;
        if self.store.status().borrow().link == Link::Closed {
            self.ended = true;
            return None;
        }
        self.delay = self.backoff.next();
        self.resync.handle_ended();
        Some(Error::new(ErrorKind::Backend, "watch").because("the store ended the watch"))
    }

    /// Carries a command out, after a wait if there is reason for one.
    fn begin(&mut self, command: Command) {
        if !matches!(command, Command::Read { .. }) {
            // A new round: what is under way is out of date.
            self.steps = FuturesUnordered::new();
        }
        let mut delay = std::mem::take(&mut self.delay);
        if let (Command::Load { .. }, Selection::Prefix(_)) = (&command, &self.selection) {
            delay = delay.max(self.reload.pause());
        }
        if delay.is_zero() {
            return self.carry_out(command);
        }
        self.steps.push(Box::pin(async move {
            tokio::time::sleep(delay).await;
            Step::Waited(command)
        }));
    }

    fn carry_out(&mut self, command: Command) {
        if let Command::Load { round } = command {
            self.reload.begun();
            self.resync.handle_load_begun(round);
        }
        let store = Arc::clone(&self.store);
        let selection = self.selection.clone();
        self.steps.push(Box::pin(async move {
            match command {
                Command::Arm => Step::Armed(store.watch(&selection, WatchFrom::Now).await),
                Command::Load { round } => Step::Loaded(round, load(&*store, &selection).await),
                Command::Read { key, round } => {
                    let read = store.get(&key, Want::Value, Consistency::Local).await;
                    Step::Read(key, round, read)
                }
            }
        }));
    }

    /// Feeds what came of a command to the state machine; gives back an error to be told.
    fn finish(&mut self, step: Step) -> Option<Error> {
        let (error, command) = match step {
            Step::Waited(command) => {
                self.carry_out(command);
                return None;
            }
            Step::Armed(Ok(changes)) => {
                self.changes = Some(changes);
                self.resync.handle_armed();
                return self.succeeded();
            }
            Step::Loaded(round, Ok(loaded)) => {
                self.reload.done(loaded.entries.len());
                self.resync.handle_loaded(round, loaded);
                return self.succeeded();
            }
            Step::Read(key, round, Ok(read)) => {
                self.resync.handle_read(&key, round, read);
                return self.succeeded();
            }
            Step::Armed(Err(error)) => (error, Command::Arm),
            Step::Loaded(round, Err(error)) => (error, Command::Load { round }),
            Step::Read(key, round, Err(error)) => (error, Command::Read { key, round }),
        };
        if error.kind() == ErrorKind::Closed {
            self.ended = true;
        } else {
            self.delay = self.backoff.next();
            self.resync.handle_failed(command);
        }
        Some(error)
    }

    fn succeeded(&mut self) -> Option<Error> {
        self.backoff.reset();
        self.delay = Duration::ZERO;
        None
    }
}

impl Stream for Watch {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Event>>> {
        let this = &mut *self;
        loop {
            if let Some(event) = this.resync.poll_event() {
                return Poll::Ready(Some(Ok(event)));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            while this.steps.len() < READS_MAX
                && let Some(command) = this.resync.poll_command()
            {
                this.begin(command);
            }
            if let Some(changes) = &mut this.changes
                && let Poll::Ready(change) = Pin::new(changes).poll_next(cx)
            {
                match change {
                    Some(change) => this.resync.handle_change(change),
                    None => {
                        if let Some(error) = this.on_changes_ended() {
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                }
                continue;
            }
            match Pin::new(&mut this.steps).poll_next(cx) {
                Poll::Ready(Some(step)) => {
                    if let Some(error) = this.finish(step) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("selection", &self.selection).finish_non_exhaustive()
    }
}

/// Loads the whole content of a selection, caught up with the leader.
async fn load(store: &dyn Store, selection: &Selection) -> Result<Loaded> {
    loop {
        let before = store.status().borrow().incarnation;
        let asked = Moment::now();
        let (entries, revision) = read_all(store, selection).await?;
        let incarnation = store.status().borrow().incarnation;
        // What was loaded while one life of the store ended and another began is of neither.
        if before.is_none() || before == incarnation {
            let incarnation = incarnation.unwrap_or_default();
            return Ok(Loaded { incarnation, entries, revision, asked });
        }
    }
}

async fn read_all(store: &dyn Store, selection: &Selection) -> Result<(Vec<Entry>, Revision)> {
    match selection {
        Selection::Key(key) => {
            let read = store.get(key, Want::Value, Consistency::Synced).await?;
            let revision = read.revision;
            Ok((read.into_entry().into_iter().collect(), revision))
        }
        Selection::Prefix(prefix) => {
            let listing = store.list(prefix, List::Entries, Consistency::Synced).await?;
            let revision = listing.revision;
            Ok((listing.into_entries(), revision))
        }
    }
}

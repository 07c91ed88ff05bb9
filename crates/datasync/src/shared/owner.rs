//! The owner of a live copy: one task, through which own commits and observations enter in one order.

use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::codec::decode_digested;
use super::core::Core;
use super::fence::Fed;
use super::net::changes_between;
use super::own::is_of_this_process;
use super::snapshot::{ChangeSet, Data, Origin, Rejected, SharedEvent, Snapshot};
use super::status::DataStatus;
use crate::{
    Consistency, Delta, Entry, Event, Link, Moment, Read, Replica, Result, Revision, Selection, StoreStatus,
    Want, Watch,
};

/// How many proofs fit into the bound of a copy's age.
const PROOFS_PER_BOUND: u32 = 4;

/// Owns the replica of one struct and feeds everybody who reads it.
pub(crate) struct Owner<T> {
    core: Arc<Core<T>>,
    watch: Watch,
    replica: Replica,
    store_status: watch::Receiver<StoreStatus>,
    /// When the newest proof was asked for, also while the payload cannot be used and nothing is proved by it.
    asked: Moment,
    /// The proof that was asked for and not answered yet.
    beat: Option<BoxFuture<'static, (Moment, Result<Read>)>>,
    /// The resync that is being told.
    resync: Option<tracing::Span>,
}

/// What the owner is to treat next.
enum Turn {
    Fed(Option<Fed>),
    Watched(Option<Result<Event>>),
    Beat((Moment, Result<Read>)),
    StoreStatus,
    Tick,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Owner<T> {
    pub(crate) fn new(core: Arc<Core<T>>) -> Self {
        let store = &core.editor.store;
        let watch = Watch::new(store, Selection::Key(core.editor.layout.payload.clone()));
        let store_status = store.status();
        Self {
            core,
            watch,
            replica: Replica::new(),
            store_status,
            asked: Moment::ORIGIN,
            beat: None,
            resync: None,
        }
    }

    /// Runs until the store is closed, or the task is aborted.
    pub(crate) async fn run(mut self) {
        let interval = self.core.bound / PROOFS_PER_BOUND;
        let mut tick = Box::pin(tokio::time::sleep(interval_from_now(interval)));
        loop {
            let is_undecided = self.core.fence.is_undecided();
            let turn = tokio::select! {
                biased;
                fed = self.core.fence.next(is_undecided) => Turn::Fed(fed),
                event = self.watch.next(), if !is_undecided => Turn::Watched(event),
                answer = next_beat(&mut self.beat), if self.beat.is_some() => Turn::Beat(answer),
                Ok(()) = self.store_status.changed() => Turn::StoreStatus,
                () = &mut tick => Turn::Tick,
            };
            match turn {
                Turn::Fed(Some(fed)) => self.on_fed(fed),
                Turn::Fed(None) => {}
                Turn::Watched(Some(Ok(event))) => self.on_event(event, Origin::Remote),
                Turn::Watched(Some(Err(error))) => self.on_lost(&error.to_string()),
                Turn::Watched(None) => return,
                Turn::Beat((asked, read)) => self.on_beat(asked, read),
                Turn::StoreStatus => self.on_store_status(),
                Turn::Tick => {
                    tick.set(tokio::time::sleep(interval_from_now(interval)));
                    self.on_tick(interval);
                }
            }
        }
    }

    fn on_fed(&mut self, fed: Fed) {
        let is_taken = !self.replica.is_synced() || fed.incarnation == self.replica.incarnation();
        if is_taken {
            let seen = match &fed.event {
                Event::Put(entry) => Some(entry.version),
                _ => None,
            };
            self.on_event(fed.event, fed.origin);
            let held = self.replica.get(&self.core.editor.layout.payload).map(|entry| entry.version);
            if let Some(asked) = fed.asked
                && held == seen
            {
                self.prove(asked);
            }
        } else {
            // The store began another life, of which the watch has not told yet.
            self.watch.doubt();
        }
        // An error means that the one who fed it no longer waits.
        let _ = fed.done.send(is_taken);
    }

    fn on_event(&mut self, event: Event, origin: Origin) {
        self.trace_resync(&event);
        let is_resynced = matches!(event, Event::ResyncDone { .. });
        for delta in self.replica.apply(event) {
            match delta {
                Delta::Put { entry, previous } => self.on_put(&entry, previous.as_ref(), origin),
                Delta::Deleted { revision, .. } => self.on_deleted(revision, origin),
                Delta::Current { asked, .. } => {
                    self.prove(asked);
                    self.set_link(Link::Live);
                }
            }
        }
        if is_resynced {
            // What is the same in another life of the store is told as no change.
            let held = self.replica.get(&self.core.editor.layout.payload);
            self.core.editor.remember(held.map(|entry| (entry.clone(), self.replica.incarnation())));
        }
    }

    fn trace_resync(&mut self, event: &Event) {
        match event {
            Event::ResyncStart { .. } => {
                let key = &self.core.editor.layout.payload;
                self.resync = Some(tracing::debug_span!("resync", %key));
            }
            Event::ResyncDone { revision, .. } => {
                let span = self.resync.take();
                span.unwrap_or_else(tracing::Span::none).in_scope(|| tracing::debug!(%revision, "resynced"));
                self.core.editor.metrics.on_resync();
            }
            _ => {}
        }
    }

    fn on_put(&mut self, entry: &Entry, previous: Option<&Entry>, origin: Origin) {
        let (revision, version) = (entry.revision, entry.version);
        let held = previous.map(|held| held.version);
        let origin = match origin {
            Origin::Remote if is_of_this_process(&self.core.editor.store, entry, held) => Origin::Process,
            origin => origin,
        };
        self.core.editor.remember(Some((entry.clone(), self.replica.incarnation())));
        let before = self.core.data();
        let is_same = previous.is_some_and(|previous| previous.value == entry.value);
        let decoded = match (&**before, is_same) {
            (Data::Present(held), true) => Ok(Snapshot { revision, version, ..held.clone() }),
            _ => decode_digested::<T>(&entry.value).map(|(document, value)| {
                let (document, value) = (Arc::new(document), Arc::new(value));
                Snapshot { value, document, revision, version }
            }),
        };
        match decoded {
            Ok(current) => {
                let event = change_set(&before, Some(current.clone()), revision, origin);
                self.core.publish(event.as_ref(), Data::Present(current));
                // What was proved of a payload that could not be used holds for the one that came after it.
                self.prove(self.asked);
                self.set_data(DataStatus::Present, revision);
            }
            Err(error) => {
                tracing::warn!(key = %entry.key, %revision, %error, "a payload is rejected");
                let rejected = Rejected { revision, error };
                let (good, is_recreated) = (before.good().cloned(), before.is_recreated());
                let event = SharedEvent::Rejected(rejected.clone());
                let data = Data::Rejected { good, is_recreated, rejected: rejected.clone(), version };
                self.core.publish(Some(&event), data);
                self.set_data(DataStatus::Rejected(rejected), revision);
            }
        }
    }

    fn on_deleted(&mut self, revision: Revision, origin: Origin) {
        self.core.editor.remember(None);
        let before = self.core.data();
        let event = change_set(&before, None, revision, origin);
        let last = before.good().cloned();
        self.core.publish(event.as_ref(), Data::Deleted { last, revision });
        self.set_data(DataStatus::Deleted, revision);
    }

    /// Asks for a proof, unless the store gives proofs by itself or one is under way.
    fn on_tick(&mut self, interval: Duration) {
        self.core.editor.metrics.on_age(self.core.proved().elapsed());
        if self.beat.is_some() || !self.replica.is_synced() || self.asked.elapsed() < interval / 2 {
            return;
        }
        let store = Arc::clone(&self.core.editor.store);
        let key = self.core.editor.layout.payload.clone();
        self.beat = Some(Box::pin(async move {
            let asked = Moment::now();
            (asked, store.get(&key, Want::Stat, Consistency::Synced).await)
        }));
    }

    fn on_beat(&mut self, asked: Moment, read: Result<Read>) {
        let key = &self.core.editor.layout.payload;
        match read {
            Ok(read) => {
                let seen = read.stat().map(|stat| stat.version);
                if seen == self.replica.get(key).map(|entry| entry.version) {
                    self.prove(asked);
                    self.set_link(Link::Live);
                } else {
                    // The watch may be about to tell; if it is not, this finds the difference.
                    self.watch.mark_dirty(key);
                }
            }
            Err(error) => self.on_lost(&error.to_string()),
        }
    }

    fn on_store_status(&mut self) {
        let link = self.store_status.borrow_and_update().link.clone();
        self.set_link(link);
    }

    fn on_lost(&mut self, reason: &str) {
        let link = self.store_status.borrow().link.clone();
        let reason = reason.into();
        self.set_link(if link == Link::Live { Link::Lost { reason } } else { link });
    }

    /// A payload that cannot be decoded does not renew the age of the copy.
    fn prove(&mut self, asked: Moment) {
        self.asked = self.asked.max(asked);
        if self.asked > Moment::ORIGIN && !matches!(&**self.core.data(), Data::Rejected { .. }) {
            self.core.prove(self.asked);
        }
    }

    fn set_data(&self, data: DataStatus, revision: Revision) {
        self.core.editor.metrics.on_revision(revision);
        self.core.status.send_modify(|status| {
            status.data = data;
            status.revision = revision;
        });
    }
}

impl<T> Owner<T> {
    fn set_link(&self, link: Link) {
        self.core.status.send_if_modified(|status| {
            let is_new = status.link != link;
            status.link = link;
            is_new
        });
    }
}

/// However the task ends, also by a panic of the user's type, nobody waits for it any more.
impl<T> Drop for Owner<T> {
    fn drop(&mut self) {
        self.set_link(Link::Closed);
        self.core.fence.close();
        self.core.subscribers.close();
    }
}

/// The event that tells of a change, if there is one to tell: the first content is no change, and neither is equal
/// content.
fn change_set<T>(
    before: &Data<T>,
    current: Option<Snapshot<T>>,
    revision: Revision,
    origin: Origin,
) -> Option<SharedEvent<T>> {
    // What was deleted before there ever was a good copy is new when it comes back, and so is the first content.
    before.good()?;
    let previous = before.compared().cloned();
    let changes = changes_between(previous.as_ref(), current.as_ref());
    if changes.is_empty() {
        return None;
    }
    let changes = changes.into();
    Some(SharedEvent::Changed(ChangeSet { revision, origin, coalesced: false, changes, previous, current }))
}

/// The time to the next multiple of `interval` on the clock: the copies of one process ask for their proofs
/// together, so that the store can answer them at one go. Processes start at different times, which spreads them.
fn interval_from_now(interval: Duration) -> Duration {
    let interval = interval.max(Duration::from_millis(1));
    let phase = *PHASE.get_or_init(|| fastrand::u64(..));
    let nanos = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
    let into = Moment::now().as_nanos().wrapping_add(phase % nanos) % nanos;
    Duration::from_nanos(nanos - into)
}

/// Where in an interval this process asks for its proofs.
static PHASE: std::sync::OnceLock<u64> = std::sync::OnceLock::new();

/// Waits for the answer to the proof that was asked for.
async fn next_beat(beat: &mut Option<BoxFuture<'static, (Moment, Result<Read>)>>) -> (Moment, Result<Read>) {
    let answer = match beat.as_mut() {
        Some(beat) => beat.await,
        None => std::future::pending().await,
    };
    *beat = None;
    answer
}

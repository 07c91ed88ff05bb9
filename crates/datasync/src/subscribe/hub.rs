//! The hub: where subscribers register.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::applied::{self, AppliedReport, Publish};
use super::board::Board;
use super::driver;
use super::options::{HubBuilder, Subscribe, SubscribeError};
use super::report::{Reports, ResyncReport};
use super::shared::Shared;
use super::subscriber::{Deadlines, SubscriberStatus};
use super::subscription::Subscription;
use crate::mutex::lock;
use crate::{Committed, Error, ErrorKind, KeyError, Prefix, Result, Store, Txn};

/// Tells named subscribers what is below their prefixes and what changes there, and takes their answers.
///
/// Each [`Subscription`] is one ordered stream of [`Delivery`](super::Delivery)s: a resync first and after every
/// gap, changes in between. Each delivery is answered, and what was refused is told again. Resyncs go to the
/// subscribers in the order of their registration, one after the other; changes go to each as fast as it takes
/// them. None waits for another: a subscriber that is behind is told the net change, and one that misses a deadline
/// is reported by name and passed over.
///
/// All changes of one commit are told in one delivery where the store watches atomically, also when they are below
/// different prefixes of the subscriber. For that the hub then watches the deepest prefix that contains all that
/// its subscribers want; hubs of parts that lie far apart watch less than one hub of both. On other stores each
/// prefix is watched by itself, once for all who want it.
///
/// A hub is a cheap handle. The task behind it runs while there are subscribers and ends with the last handle or
/// subscription. It needs a tokio runtime.
///
/// ```
/// use std::sync::Arc;
/// use futures_util::StreamExt;
/// use quorate_datasync::{Hub, Key, Memory, Store, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let mtu = Key::parse("/config/if/eth0")?;
/// store.put(&mtu, "1500").await?;
///
/// let hub = Hub::new(&store);
/// let mut interfaces = hub.subscribe("interfaces", ["/config/if/", "/config/bridge/"]).await?;
/// let first = interfaces.next().await.unwrap();
/// assert_eq!(first.content().unwrap().len(), 2, "both prefixes, whole");
/// first.ack();
///
/// store.put(&mtu, "9000").await?;
/// let delivery = interfaces.next().await.unwrap();
/// let change = &delivery.changes()[0];
/// assert_eq!(*change.previous.as_ref().unwrap().decode_json::<u32>()?, 1500);
/// assert_eq!(*change.value.as_ref().unwrap().decode_json::<u32>()?, 9000);
/// delivery.ack();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Hub {
    owner: Arc<Owner>,
}

/// Owns the task of a hub.
#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    deadlines: Deadlines,
    task: Mutex<Option<AbortHandle>>,
}

impl Hub {
    /// A hub of JSON values whose subscribers have 1 s to accept a delivery and 10 s to answer it.
    #[must_use]
    pub fn new(store: &Arc<dyn Store>) -> Self {
        Self::builder(store).build()
    }

    /// A hub with other deadlines, or of other values.
    pub fn builder(store: &Arc<dyn Store>) -> HubBuilder {
        HubBuilder::new(store)
    }

    pub(super) fn open(store: Arc<dyn Store>, deadlines: Deadlines, content_type: &'static str) -> Self {
        let board = Board::new(store.capabilities().atomic_watch, content_type);
        let shared = Arc::new(Shared::new(board));
        Self { owner: Arc::new(Owner { shared, store, deadlines, task: Mutex::new(None) }) }
    }

    /// Subscribes to all that is below some prefixes, under a name that no other subscriber of this hub has.
    ///
    /// It is done when awaited, and waits for nothing. Prefixes may overlap; each change is told once.
    ///
    /// Awaiting it fails with [`SubscribeError::NameTaken`] if there is a subscriber of this name,
    /// [`SubscribeError::Prefix`] if a text is no prefix, [`SubscribeError::Closed`] if the store was closed.
    pub fn subscribe<P>(&self, name: &str, prefixes: impl IntoIterator<Item = P>) -> Subscribe
    where
        P: TryInto<Prefix>,
        KeyError: From<P::Error>,
    {
        let prefixes = prefixes.into_iter().map(|prefix| prefix.try_into().map_err(KeyError::from)).collect();
        Subscribe::new(self.clone(), name.into(), prefixes, self.owner.deadlines)
    }

    pub(super) fn register(
        &self,
        name: Arc<str>,
        deadlines: Deadlines,
        prefixes: &[Prefix],
    ) -> Result<Subscription, SubscribeError> {
        // Where there is no runtime this panics, before anything is registered.
        let runtime = tokio::runtime::Handle::current();
        let shared = &self.owner.shared;
        let (id, needs_driver) = shared.with(|board, now| {
            let id = board.register(name, deadlines, prefixes, now)?;
            Ok::<_, SubscribeError>((id, board.needs_driver()))
        })?;
        if needs_driver {
            let driver = driver::run(Arc::clone(shared), Arc::clone(&self.owner.store));
            let task = runtime.spawn(driver).abort_handle();
            *lock(&self.owner.task) = Some(task);
        }
        Ok(Subscription::new(self.clone(), id))
    }

    /// Tells every subscriber everything anew, in the order of registration, and returns what came of it.
    ///
    /// The content is that of the hub's copy, which is as current as the watch of the store. While the store cannot
    /// be reached, subscribers that were not told anything yet are waited for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`] if the store was closed.
    ///
    /// # Cancel safety
    ///
    /// A dropped future changes nothing: the resync goes on.
    pub async fn resync(&self) -> Result<ResyncReport> {
        let (reply, report) = oneshot::channel();
        self.owner.shared.with(|board, now| board.resync(reply, now));
        report.await.map_err(|_| Error::new(ErrorKind::Closed, "resync"))
    }

    /// The reports of the resyncs that end from now on, whatever they were for.
    pub fn reports(&self) -> Reports {
        Reports::new(self.owner.shared.with(|board, _| board.reports()))
    }

    /// How the subscribers are doing, in the order of registration.
    #[must_use]
    pub fn subscribers(&self) -> Vec<SubscriberStatus> {
        self.owner.shared.with(|board, _| board.statuses())
    }

    /// A commit to the store of this hub that can wait for what the subscribers make of it.
    pub fn publish(&self, txn: Txn) -> Publish {
        Publish::new(Arc::clone(&self.owner.shared), Arc::clone(&self.owner.store), txn)
    }

    /// Whether this is a hub of that store.
    pub(crate) fn is_of(&self, store: &Arc<dyn Store>) -> bool {
        Arc::ptr_eq(&self.owner.store, store)
    }

    /// What the subscribers make of a commit that was acknowledged.
    pub(crate) async fn answers_to(&self, txn: &Txn, committed: &Committed) -> Result<AppliedReport> {
        applied::answers(&self.owner.shared, txn, committed).await
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
        // Publishers that wait for answers hear that none will come.
        self.shared.with(|board, _| board.close());
    }
}

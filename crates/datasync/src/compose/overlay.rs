//! Several stores as one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::mutex::lock;
use crate::{
    Capabilities, Committed, Consistency, Error, ErrorKind, Key, Lease, Link, List, Listing, Prefix,
    RawChanges, Read, Result, Selection, Store, StoreStatus, Txn, Want, WatchFrom,
};

use super::feed::Picture;
use super::layers::{LayerId, Layers};
use super::sources::{Source, twice};
use super::{Provenance, SourceStatus, Sources};

/// Several stores watched as one: a [`Store`] that can only be read, whose content is that of its sources.
///
/// Each source has a prefix, which stands for the one that all share here, and a priority. Where several have a key
/// the highest priority wins; when it is deleted there the next one shows, which is a change of the key and no
/// deletion. What one source tells, also after a lost connection, never deletes what comes from another. Everything
/// that works on a store works on this one: watches, followers, subscriptions, reads of shared structs.
///
/// **Order.** An overlay is a store of its own: it has an incarnation for each time it is opened, and revisions that
/// count its own changes. Where a value comes from, and its revision there, is its [`Provenance`]. If all sources
/// tell whole commits, so does the overlay. After a source was lost, the difference to what it told last is one commit.
///
/// **How current it is.** It shows what the sources have told. A source that was not reached yet shows nothing and
/// holds nobody up; one that is lost shows what it told last, [`sources`](Self::sources) says so, and so does the
/// status of the overlay. A listing answers all the same. A read of one key, from which copies learn how old they
/// are, then fails as [`Unreachable`](ErrorKind::Unreachable) unless it is asked for with [`Consistency::Local`].
/// [`Consistency::Linearizable`] is `Unsupported`: there is no quorum of different stores.
///
/// **What it does not do.** Transactions and leases are refused as [`ReadOnly`](ErrorKind::ReadOnly); whoever
/// writes does so in a source, or in several at once by [`Publishers`](crate::Publishers). A key that would be too
/// long where it is to be shown does not show.
///
/// Closing or dropping it ends its watches, and leaves the stores of its sources open.
///
/// ```
/// use std::sync::Arc;
/// use quorate_datasync::{Key, Memory, Prefix, Sources, Store, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let defaults: Arc<dyn Store> = Arc::new(Memory::new());
/// let site: Arc<dyn Store> = Arc::new(Memory::new());
/// defaults.put(&Key::parse("/defaults/mtu")?, "1500").await?;
/// site.put(&Key::parse("/sites/7/mtu")?, "9000").await?;
///
/// let overlay = Sources::new()
///     .add("defaults", &defaults, Prefix::parse("/defaults")?, 0)
///     .add("site", &site, Prefix::parse("/sites/7")?, 10)
///     .open()?;
/// overlay.synced().await;
/// let mtu = Key::parse("/mtu")?;
/// assert_eq!(overlay.entry(&mtu).await?.unwrap().value, "9000");
/// assert_eq!(&*overlay.provenance(&mtu).unwrap().source, "site");
///
/// overlay.remove("site");
/// assert_eq!(overlay.entry(&mtu).await?.unwrap().value, "1500");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Overlay {
    picture: Arc<Picture>,
    /// The tasks that feed the picture, by the name of their source.
    feeds: Mutex<HashMap<Arc<str>, Feed>>,
    is_atomic: bool,
}

/// The task that watches a source.
#[derive(Debug)]
struct Feed {
    id: LayerId,
    task: AbortHandle,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Overlay {
    pub(super) fn open(sources: Sources) -> Self {
        let Sources { sources, at, takes_any } = sources;
        let is_atomic = !takes_any && sources.iter().all(|source| source.store.capabilities().atomic_watch);
        let picture = Arc::new(Picture::new(Layers::new(at)));
        let overlay = Self { picture, feeds: Mutex::default(), is_atomic };
        let mut feeds = lock(&overlay.feeds);
        for source in sources {
            overlay.start(&mut feeds, source);
        }
        drop(feeds);
        overlay
    }

    /// Adds a source while the overlay is open, as [`Sources::add`] does before.
    ///
    /// # Errors
    ///
    /// - [`Invalid`](ErrorKind::Invalid) if there is a source of this name, or if the store is this overlay.
    /// - [`Unsupported`](ErrorKind::Unsupported) if the overlay promises to tell whole commits and this store does
    ///   not; [`Sources::taking_any`] promises less.
    /// - [`Closed`](ErrorKind::Closed).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn add(
        &self,
        name: impl Into<Arc<str>>,
        store: &Arc<dyn Store>,
        prefix: Prefix,
        priority: i32,
    ) -> Result<()> {
        let name = name.into();
        if std::ptr::addr_eq(Arc::as_ptr(store), self) {
            return Err(Error::new(ErrorKind::Invalid, "add").because("an overlay is no source of itself"));
        }
        if self.is_atomic && !store.capabilities().atomic_watch {
            let what = format!("whole commits of the source {name:?}, as the others tell them");
            return Err(Error::unsupported("add", what));
        }
        let mut feeds = lock(&self.feeds);
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Closed, "add"));
        }
        if feeds.contains_key(&name) {
            return Err(twice(&name));
        }
        self.start(&mut feeds, Source { name, store: Arc::clone(store), prefix, priority });
        Ok(())
    }

    /// Takes a source away: its keys are deleted, or show what the others have, in one commit that is readable when
    /// this returns. Its store stays open. A name that is not there changes nothing.
    pub fn remove(&self, name: &str) {
        let mut feeds = lock(&self.feeds);
        if let Some(feed) = feeds.remove(name) {
            self.picture.remove(feed.id);
        }
    }

    /// Where the value that shows at `key` comes from; `None` if nothing shows there.
    #[must_use]
    pub fn provenance(&self, key: &Key) -> Option<Provenance> {
        self.picture.provenance(key)
    }

    /// How the sources are doing, from now on, in the order in which they were added.
    #[must_use]
    pub fn sources(&self) -> watch::Receiver<Vec<SourceStatus>> {
        self.picture.sources.subscribe()
    }

    /// Waits until the content of every source was told completely at least once. One that cannot be reached is
    /// waited for without end, unless it is removed meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn synced(&self) {
        let mut sources = self.sources();
        // The sender lives as long as we do.
        let _ = sources.wait_for(|sources| sources.iter().all(|source| source.is_synced)).await;
    }

    fn start(&self, feeds: &mut HashMap<Arc<str>, Feed>, source: Source) {
        let id = self.picture.add(&source);
        let (name, picture) = (Arc::clone(&source.name), Arc::clone(&self.picture));
        let task = tokio::spawn(async move { picture.feed(source, id).await }).abort_handle();
        feeds.insert(name, Feed { id, task });
    }

    /// Ends what feeds the picture, and who watches it.
    fn end(&self) {
        let mut feeds = lock(&self.feeds);
        self.picture.close();
        feeds.clear();
    }

    fn is_closed(&self) -> bool {
        self.picture.status.borrow().link == Link::Closed
    }

    /// Fails if nothing, or nothing proved, can be read.
    fn check(&self, operation: &'static str, at: Consistency) -> Result<()> {
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Closed, operation));
        }
        if at == Consistency::Linearizable {
            let what = "a read of several stores that is proved current";
            return Err(Error::unsupported(operation, what));
        }
        Ok(())
    }

    /// Fails if what a source told last may be old.
    fn check_sources(&self) -> Result<()> {
        match &self.picture.status.borrow().link {
            Link::Lost { reason } => Err(Error::new(ErrorKind::Unreachable, "get").because(&**reason)),
            _ => Ok(()),
        }
    }

    fn read_only(&self, operation: &'static str) -> Error {
        if self.is_closed() {
            return Error::new(ErrorKind::Closed, operation);
        }
        Error::new(ErrorKind::ReadOnly, operation).because("an overlay is written to in its sources")
    }
}

#[async_trait]
impl Store for Overlay {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.picture.merged.capabilities();
        capabilities.txn_keys_max = 0;
        capabilities.ttl_granularity = None;
        capabilities.linearizable = false;
        capabilities.atomic_watch = self.is_atomic;
        capabilities
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.picture.status.subscribe()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.check("get", at).map_err(|error| error.on(key))?;
        if at == Consistency::Synced {
            self.check_sources().map_err(|error| error.on(key))?;
        }
        self.picture.merged.get(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        self.check("list", at)?;
        self.picture.merged.list(prefix, want, at).await
    }

    async fn commit(&self, _txn: Txn) -> Result<Committed> {
        Err(self.read_only("commit"))
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        self.picture.merged.watch(what, from).await
    }

    async fn grant(&self, _ttl: Duration) -> Result<Lease> {
        Err(self.read_only("grant"))
    }

    async fn close(&self) {
        self.end();
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        self.end();
    }
}

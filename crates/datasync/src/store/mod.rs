//! The boundary to a store: one small trait, and its contract.

mod capabilities;
mod ext;
mod raw;
mod read;
mod status;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Committed, Key, Lease, Prefix, Result, Txn};

pub use capabilities::Capabilities;
pub use ext::StoreExt;
pub use raw::{RawChange, RawChanges, Selection, WatchFrom};
pub use read::{Consistency, Found, Items, List, Listing, Read, Want};
pub use status::{Link, StoreStatus};

/// A place that keeps values under keys, tells of their changes, and commits several of them at once.
///
/// # Contract
///
/// Every store keeps these rules, and the conformance suite holds it to them.
///
/// **Keys and values.** A [`Key`] names one value. What lies between two keys (`/a` when only `/a/b` was put) is
/// no entry: it is absent, and appears only among the names of a listing. A value is not empty unless it is under
/// a lease. A value over [`Capabilities::value_bytes_max`] is refused before anything is sent.
///
/// **Order.** Every commit has a revision, greater than those before it. For one key and one observer revisions
/// never go backwards within one incarnation of the store. The versions of a key differ after every write, also
/// across its deletion and recreation. (A store whose server compares a counter alone cannot refuse a commit on a
/// key that was deleted, made again and written exactly as often in between; it tells the two apart on reading, and
/// its documents say so.)
///
/// **Commits.** All checks hold and all writes are applied, or none. The checks are tried in their order, then
/// the writes; the error names the key of the first that was refused, which for a unique name is its parent.
/// Deleting a key that has keys below it (whether or not it is an entry itself), putting a key below one that is
/// under a lease, putting a leased key where keys are below, and changing a key's lease by a put are conflicts.
/// Deleting what is absent succeeds. A commit that changes nothing has the revision that is current. A failed
/// commit says whether it may have been applied ([`Error::maybe_applied`](crate::Error::maybe_applied)); if it does
/// not, it was not and never will be. What a store cannot do is [`Unsupported`](crate::ErrorKind::Unsupported),
/// never ignored. Commits that one caller submits without waiting keep no order between each other; what must be
/// ordered is one transaction. But a linearizable read comes after every commit that the same handle submitted
/// before it, also one whose future was dropped.
///
/// **Watches.** A watch is armed when [`watch`](Self::watch) returns: a change committed afterwards is told, as
/// `Put`, `Delete` or `Dirty`. A read made after a `Dirty` was told sees at least the change that caused it.
/// Changes of one key come in order. `Progress` says that everything at or below its revision has been told; where
/// [`Capabilities::atomic_watch`] is set it follows every commit. When something may have been missed (a lost
/// connection, a consumer too slow) the watch tells `Gap` and goes on; no gap is silent. A watch outlives lost connections and ends only when the store is closed.
///
/// **Leases.** A lease that ends says so and is never renewed in silence. Keys under it vanish, and watches tell
/// so. Ending one lease leaves the keys of the others; only the end of a session ends all of them. A lost session
/// is the store's own business: it renews it, and the watches go on.
///
/// **Cancel safety.** A dropped future of [`get`](Self::get), [`list`](Self::list) or [`watch`](Self::watch)
/// leaves nothing behind. A dropped future of [`commit`](Self::commit) leaves it open whether it is applied.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// What this store can do. It does not change while the store is open.
    fn capabilities(&self) -> Capabilities;

    /// How the store is doing, from now on.
    fn status(&self) -> watch::Receiver<StoreStatus>;

    /// Reads one key.
    ///
    /// # Errors
    ///
    /// [`Unreachable`](crate::ErrorKind::Unreachable), [`Denied`](crate::ErrorKind::Denied),
    /// [`Closed`](crate::ErrorKind::Closed).
    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read>;

    /// Lists what is below a prefix.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing>;

    /// Commits a transaction.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict), [`TooLarge`](crate::ErrorKind::TooLarge),
    /// [`Unsupported`](crate::ErrorKind::Unsupported), [`Invalid`](crate::ErrorKind::Invalid),
    /// [`LeaseEnded`](crate::ErrorKind::LeaseEnded), [`ReadOnly`](crate::ErrorKind::ReadOnly), and those of
    /// [`get`](Self::get).
    async fn commit(&self, txn: Txn) -> Result<Committed>;

    /// Watches one key or the keys below a prefix.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges>;

    /// Grants a lease. The time to live is a wish: the store may grant another ([`Lease::ttl`]), and a store that
    /// sees the end of a process by other means ends the lease with the process.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`ReadOnly`](crate::ErrorKind::ReadOnly).
    async fn grant(&self, ttl: Duration) -> Result<Lease>;

    /// Ends sessions, leases and watches now, not at their timeout. Everything afterwards is
    /// [`Closed`](crate::ErrorKind::Closed). Closing twice is fine.
    async fn close(&self);
}

//! Leases: keys that vanish with whoever put them.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::watch;

use crate::{Error, ErrorKind, Result};

/// Tells one lease holder from another, as seen on entries.
///
/// Where a store ties all leases of one client to one session they share one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(u64);

impl LeaseId {
    /// The lease id with this number. For stores.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of this id.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// A lease that this process holds. Keys put under it vanish when it ends.
///
/// It ends when it is revoked or dropped, when the store is closed, and when the store lost sight of this
/// process for longer than the time to live that was granted. An ended lease is never renewed; whoever needs
/// one again asks the store for a new one.
///
/// Dropping it revokes it in the background; [`revoke`](Self::revoke) does so at once.
#[derive(Debug)]
pub struct Lease {
    reference: LeaseRef,
    ttl: Duration,
    control: Arc<dyn LeaseControl>,
    revoked: watch::Sender<bool>,
}

/// Names a [`Lease`] in a transaction. Cheap to clone, and does not keep the lease alive.
#[derive(Clone, Debug)]
pub struct LeaseRef {
    id: LeaseId,
    grant: u64,
    /// Told by the store; leases that end together may share it.
    ended: watch::Receiver<bool>,
    /// Told by the holder.
    revoked: watch::Receiver<bool>,
}

/// What a store does to end a lease. Implemented by stores.
#[async_trait]
pub trait LeaseControl: fmt::Debug + Send + Sync + 'static {
    /// Ends the lease and deletes the keys under it, now.
    async fn revoke(&self) -> Result<()>;

    /// Ends the lease soon, from a place that cannot wait.
    fn revoke_in_background(&self);
}

impl Lease {
    /// A lease that was just granted. For stores: `grant` tells apart the leases that share `id`, and `ended`
    /// turns to `true` (or is closed) when the lease has ended.
    #[must_use]
    pub fn new(
        id: LeaseId,
        grant: u64,
        ttl: Duration,
        ended: watch::Receiver<bool>,
        control: Arc<dyn LeaseControl>,
    ) -> Self {
        let (revoked, is_revoked) = watch::channel(false);
        Self { reference: LeaseRef { id, grant, ended, revoked: is_revoked }, ttl, control, revoked }
    }

    /// The id that entries under this lease carry.
    #[must_use]
    pub const fn id(&self) -> LeaseId {
        self.reference.id
    }

    /// How long the keys outlive this process if it is lost without a word, as the store granted it.
    #[must_use]
    pub const fn ttl(&self) -> Duration {
        self.ttl
    }

    /// The name of this lease for a transaction.
    #[must_use]
    pub fn reference(&self) -> LeaseRef {
        self.reference.clone()
    }

    /// Whether this lease has ended, as far as this process knows.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.reference.has_ended()
    }

    /// Waits until this lease has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn ended(&self) {
        self.reference.ended().await;
    }

    /// Ends the lease and deletes the keys under it.
    ///
    /// # Errors
    ///
    /// The store's error if it could not be told; the keys then vanish when the time to live has passed.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the revocation to the background.
    pub async fn revoke(self) -> Result<()> {
        let result = self.control.revoke().await;
        self.revoked.send_replace(result.is_ok());
        result
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.revoked.send_replace(true);
            self.control.revoke_in_background();
        }
    }
}

impl LeaseRef {
    /// The id that entries under this lease carry.
    #[must_use]
    pub const fn id(&self) -> LeaseId {
        self.id
    }

    /// What tells this lease from others with the same id. For stores.
    #[must_use]
    pub const fn grant(&self) -> u64 {
        self.grant
    }

    /// Whether the lease has ended, as far as this process knows.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        is_over(&self.ended) || is_over(&self.revoked)
    }

    /// Waits until the lease has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn ended(&self) {
        let (mut ended, mut revoked) = (self.ended.clone(), self.revoked.clone());
        // An error means that the store or the holder is gone, and the lease with it.
        tokio::select! {
            _ = ended.wait_for(|ended| *ended) => {}
            _ = revoked.wait_for(|revoked| *revoked) => {}
        }
    }

    /// Fails if the lease has ended.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LeaseEnded`].
    pub fn check(&self) -> Result<()> {
        if self.has_ended() { Err(Error::new(ErrorKind::LeaseEnded, "commit")) } else { Ok(()) }
    }
}

/// Whether the end was told, or can no longer be.
fn is_over(told: &watch::Receiver<bool>) -> bool {
    *told.borrow() || told.has_changed().is_err()
}

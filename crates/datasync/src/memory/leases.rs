//! The leases that are held, and how they end.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Error, ErrorKind, Lease, LeaseControl, LeaseId, LeaseRef, Result};

use super::client::{Client, ClientId};

/// Numbers leases across all stores of the process, so that one of another store is never mistaken for ours.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The leases that have not ended.
#[derive(Debug, Default)]
pub(super) struct Leases(HashMap<LeaseId, Held>);

#[derive(Debug)]
struct Held {
    client: ClientId,
    ended: watch::Sender<bool>,
}

/// Ends one lease on behalf of whoever holds it.
#[derive(Debug)]
struct Control {
    client: Arc<Client>,
    id: LeaseId,
}

impl Leases {
    pub(super) fn grant(&mut self, client: &Arc<Client>, ttl: Duration) -> Lease {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let id = LeaseId::new(number);
        let (ended, receiver) = watch::channel(false);
        self.0.insert(id, Held { client: client.id(), ended });
        Lease::new(id, number, ttl, receiver, Arc::new(Control { client: Arc::clone(client), id }))
    }

    /// Fails unless the lease is one that this client holds.
    pub(super) fn check(&self, lease: &LeaseRef, client: ClientId) -> Result<()> {
        let held = self.0.get(&lease.id()).filter(|held| held.client == client);
        held.map(|_| ()).ok_or_else(|| Error::new(ErrorKind::LeaseEnded, "commit"))
    }

    /// Ends a lease and says so. The keys under it are the caller's to delete, before.
    pub(super) fn end(&mut self, id: LeaseId) {
        if let Some(held) = self.0.remove(&id) {
            held.ended.send_replace(true);
        }
    }

    pub(super) fn of(&self, client: ClientId) -> Vec<LeaseId> {
        let is_of = |(id, held): (&LeaseId, &Held)| (held.client == client).then_some(*id);
        self.0.iter().filter_map(is_of).collect()
    }

    pub(super) fn end_all(&mut self) {
        for (_, held) in self.0.drain() {
            held.ended.send_replace(true);
        }
    }
}

#[async_trait]
impl LeaseControl for Control {
    async fn revoke(&self) -> Result<()> {
        self.revoke_in_background();
        Ok(())
    }

    fn revoke_in_background(&self) {
        self.client.shared().run(|state| state.end_leases(&[self.id]));
    }
}

//! A lease that is granted anew when it ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::{Lease, Result, Store};

/// The time to live that leases are asked for. A store with sessions uses its session timeout.
const LEASE_TTL: Duration = Duration::from_secs(15);

/// Holds the lease that one handle puts its keys under. An ended one is replaced at the next use.
#[derive(Debug)]
pub(crate) struct LeaseKeeper {
    store: Arc<dyn Store>,
    current: Mutex<Option<Arc<Lease>>>,
}

impl LeaseKeeper {
    pub(crate) fn new(store: &Arc<dyn Store>) -> Self {
        Self { store: Arc::clone(store), current: Mutex::new(None) }
    }

    /// A lease that has not ended as far as is known, granted now if there is none.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves no lease behind that is not kept here.
    pub(crate) async fn current(&self) -> Result<Arc<Lease>> {
        let mut current = self.current.lock().await;
        if let Some(lease) = current.as_ref().filter(|lease| !lease.has_ended()) {
            return Ok(Arc::clone(lease));
        }
        let lease = Arc::new(self.store.grant(LEASE_TTL).await?);
        *current = Some(Arc::clone(&lease));
        Ok(lease)
    }
}

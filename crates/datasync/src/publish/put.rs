//! One value to be put.

use std::future::IntoFuture;
use std::time::Duration;

use bytes::Bytes;
use futures_core::future::BoxFuture;

use super::batch::{PlannedPut, PublishBatch, Span};
use crate::{AppliedReport, Error, ErrorKind, Hub, Key, Result, Stat, Version, Written};

/// A value to be put under a key, from [`Publisher::put`](super::Publisher::put). It is put when awaited.
///
/// Awaited it gives the key's [`Stat`]. It fails as [`Store::commit`](crate::Store::commit) does, and with
/// [`ErrorKind::Invalid`] if the text is no key, the value has no encoding, or it is to have both a time to live and
/// the publisher's lifetime. A dropped future leaves it open whether the value is put.
#[derive(Debug)]
#[must_use = "nothing is put before this is awaited"]
pub struct Put {
    batch: PublishBatch,
    planned: Result<PlannedPut>,
}

impl Put {
    pub(super) fn new(batch: PublishBatch, planned: Result<(Key, Bytes)>) -> Self {
        Self { batch, planned: planned.map(|(key, value)| PlannedPut::new(key, value)) }
    }

    fn with(mut self, change: impl FnOnce(&mut PlannedPut)) -> Self {
        if let Ok(planned) = &mut self.planned {
            change(planned);
        }
        self
    }

    /// The key vanishes when it was not written for so long.
    ///
    /// A time that the store cannot keep to the step is refused as [`Unsupported`](ErrorKind::Unsupported): one
    /// that is shorter than [`Capabilities::ttl_granularity`](crate::Capabilities::ttl_granularity) or no multiple of
    /// it, and any where the store has none.
    pub fn ttl(self, ttl: Duration) -> Self {
        self.with(|planned| planned.ttl = Some(ttl))
    }

    /// The key vanishes with the publisher: when its last clone is dropped, when the process ends, and when the
    /// store lost sight of it for too long. In that last case it comes back when the store is reached again, with
    /// the value that was put last, unless this publisher deleted it.
    ///
    /// A key that somebody else put meanwhile is left to them, and taken again when it is gone. A put that failed
    /// but may have been applied counts as put and is put again until that is known; one under a condition is read
    /// first, and forgotten if it was not applied. It must be awaited within a tokio runtime.
    pub fn lifetime(self) -> Self {
        self.with(|planned| planned.span = Span::Publisher)
    }

    /// It is put only if the key is absent; otherwise awaiting it fails as
    /// [`Conflict::Present`](crate::Conflict::Present).
    pub fn if_absent(self) -> Self {
        self.with(PlannedPut::if_absent)
    }

    /// It is put only if the key is at this version (compare-and-set); otherwise awaiting it fails as
    /// [`Conflict::Version`](crate::Conflict::Version).
    pub fn if_version(self, version: Version) -> Self {
        self.with(|planned| planned.if_version(version))
    }

    /// Puts it, and returns when every subscriber of the hub that it concerns has answered or missed a deadline, as
    /// [`Publish::applied`](crate::Publish::applied) does. The hub must be one of the same store.
    ///
    /// # Errors
    ///
    /// As awaiting it, and those of [`Publish::applied`](crate::Publish::applied).
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves it open whether it is put; subscribers are told all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use futures_util::StreamExt;
    /// # use quorate_datasync::{Hub, Memory, Outcome, Publisher, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let hub = Hub::new(&store);
    /// let mut interfaces = hub.subscribe("interfaces", ["/config/if"]).await?;
    /// tokio::spawn(async move {
    ///     while let Some(delivery) = interfaces.next().await {
    ///         match delivery.changes().iter().any(|change| change.key.name() == "eth7") {
    ///             true => delivery.nack("no such interface"),
    ///             false => delivery.ack(),
    ///         }
    ///     }
    /// });
    /// let publisher = Publisher::new(&store);
    /// assert!(publisher.put("/config/if/eth0", &1500).applied(&hub).await?.is_applied());
    /// let report = publisher.put("/config/if/eth7", &1500).applied(&hub).await?;
    /// assert_eq!(report.outcome("interfaces"), Some(&Outcome::Failed("no such interface".into())));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn applied(self, hub: &Hub) -> Result<AppliedReport> {
        self.batch.push(self.planned).applied(hub).await
    }

    pub(super) fn into_planned(self) -> Result<PlannedPut> {
        self.planned
    }
}

impl IntoFuture for Put {
    type Output = Result<Stat>;
    type IntoFuture = BoxFuture<'static, Result<Stat>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let committed = self.batch.push(self.planned).commit().await?;
            match committed.written.into_iter().next() {
                Some(Written::Put(stat)) => Ok(stat),
                _ => {
                    Err(Error::new(ErrorKind::Backend, "put").because("the store did not say what it wrote"))
                }
            }
        })
    }
}

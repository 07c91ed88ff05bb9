//! Several writes of a publisher that are applied together.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::delete::Delete;
use super::lifetimes::Life;
use super::put::Put;
use crate::{
    AppliedReport, Capabilities, Committed, Error, ErrorKind, Hub, Key, LeaseRef, Result, Txn, Version, Write,
};

/// Several writes that are applied together or not at all, from [`Publisher::batch`](super::Publisher::batch).
///
/// ```
/// # use std::sync::Arc;
/// # use quorate_datasync::{Memory, Publisher, Store};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let publisher = Publisher::new(&store);
/// publisher
///     .batch()
///     .put(publisher.put("/config/if/eth0", &1500))
///     .put(publisher.put("/config/bridge/br0", &["eth0"]).if_absent())
///     .delete(publisher.delete("/config/if/eth1"))
///     .commit()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is written before `commit` or `applied` is awaited"]
pub struct PublishBatch {
    /// The publisher's, which lasts until this is done.
    life: Arc<Life>,
    planned: Result<Vec<Planned>>,
}

/// One write of a batch.
#[derive(Debug)]
pub(super) enum Planned {
    Put(PlannedPut),
    Delete(Key, Guard),
}

#[derive(Debug)]
pub(super) struct PlannedPut {
    pub(super) key: Key,
    pub(super) value: Bytes,
    pub(super) ttl: Option<Duration>,
    pub(super) span: Span,
    guard: Guard,
}

/// How long a key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Until somebody deletes it.
    Own,
    /// As long as the publisher.
    Publisher,
}

/// What must hold for a write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Guard {
    None,
    Absent,
    Version(Version),
}

impl PlannedPut {
    pub(super) const fn new(key: Key, value: Bytes) -> Self {
        Self { key, value, ttl: None, span: Span::Own, guard: Guard::None }
    }

    pub(super) const fn if_absent(&mut self) {
        self.guard = Guard::Absent;
    }

    pub(super) const fn if_version(&mut self, version: Version) {
        self.guard = Guard::Version(version);
    }

    fn check(&self, capabilities: &Capabilities) -> Result<()> {
        let Some(ttl) = self.ttl else { return Ok(()) };
        if self.span == Span::Publisher {
            let both = "a key cannot have both a time to live and the lifetime of its publisher";
            return Err(Error::new(ErrorKind::Invalid, "put").on(&self.key).because(both));
        }
        let Some(step) = capabilities.ttl_granularity else {
            return Err(Error::unsupported("put", "keys with a time to live").on(&self.key));
        };
        let is_multiple = ttl >= step && (step.is_zero() || ttl.as_nanos().is_multiple_of(step.as_nanos()));
        if is_multiple {
            return Ok(());
        }
        let what = format!("a time to live of {ttl:?}; it must be a multiple of {step:?}");
        Err(Error::unsupported("put", what).on(&self.key))
    }
}

impl PublishBatch {
    pub(super) fn new(life: &Arc<Life>) -> Self {
        Self { life: Arc::clone(life), planned: Ok(Vec::new()) }
    }

    /// Adds a value to be put, with all that was said of it.
    pub fn put(self, put: Put) -> Self {
        self.push(put.into_planned())
    }

    /// Adds a key to be deleted.
    pub fn delete(self, delete: Delete) -> Self {
        self.push_any(delete.into_planned())
    }

    pub(super) fn push(self, put: Result<PlannedPut>) -> Self {
        self.push_any(put.map(Planned::Put))
    }

    pub(super) fn push_any(mut self, planned: Result<Planned>) -> Self {
        match (&mut self.planned, planned) {
            (Ok(all), Ok(planned)) => all.push(planned),
            (Ok(_), Err(error)) => self.planned = Err(error),
            // The first error is the one that is told.
            (Err(_), _) => {}
        }
        self
    }

    /// Commits, and returns when the store has acknowledged it.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`](crate::Store::commit), and of each write as if it were awaited alone.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves it open whether the writes are applied.
    pub async fn commit(self) -> Result<Committed> {
        self.run().await.map(|(_, committed)| committed)
    }

    /// Commits, and returns when every subscriber of the hub that it concerns has answered or missed a deadline, as
    /// [`Publish::applied`](crate::Publish::applied) does. The hub must be one of the same store.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit) and [`Publish::applied`](crate::Publish::applied).
    /// [`Invalid`](ErrorKind::Invalid), before anything is written, if the hub is of another store.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves it open whether the writes are applied; subscribers are told all the same.
    pub async fn applied(self, hub: &Hub) -> Result<AppliedReport> {
        if !hub.is_of(self.life.keys().store()) {
            let other = "the hub is of another store than the publisher";
            return Err(Error::new(ErrorKind::Invalid, "publish").because(other));
        }
        let (txn, committed) = self.run().await?;
        hub.answers_to(&txn, &committed).await
    }

    async fn run(self) -> Result<(Txn, Committed)> {
        let planned = self.planned?;
        let capabilities = self.life.keys().store().capabilities();
        for planned in &planned {
            if let Planned::Put(put) = planned {
                put.check(&capabilities)?;
            }
        }
        self.life.keys().commit(&planned).await
    }
}

impl Planned {
    pub(super) const fn key(&self) -> &Key {
        match self {
            Self::Put(put) => &put.key,
            Self::Delete(key, _) => key,
        }
    }

    /// Whether anything must hold for it.
    pub(super) const fn is_guarded(&self) -> bool {
        let (Self::Put(PlannedPut { guard, .. }) | Self::Delete(_, guard)) = self;
        !matches!(guard, Guard::None)
    }

    /// The value of a key that lives as long as the publisher.
    pub(super) fn lifetime_value(&self) -> Option<&Bytes> {
        match self {
            Self::Put(put) if put.span == Span::Publisher => Some(&put.value),
            Self::Put(_) | Self::Delete(..) => None,
        }
    }

    /// The transaction that does all of it, keys that live as long as the publisher under this lease.
    pub(super) fn txn(all: &[Self], lease: Option<&LeaseRef>) -> Txn {
        let mut txn = Txn::new();
        for planned in all {
            let (key, guard) = match planned {
                Self::Put(put) => (&put.key, put.guard),
                Self::Delete(key, guard) => (key, *guard),
            };
            txn = match guard {
                Guard::None => txn,
                Guard::Absent => txn.check_absent(key),
                Guard::Version(version) => txn.check_version(key, version),
            };
        }
        for planned in all {
            txn = txn.write(match planned {
                Self::Put(put) => Write::Put {
                    key: put.key.clone(),
                    value: put.value.clone(),
                    lease: lease.filter(|_| put.span == Span::Publisher).cloned(),
                    ttl: put.ttl,
                },
                Self::Delete(key, _) => Write::Delete { key: key.clone() },
            });
        }
        txn
    }
}

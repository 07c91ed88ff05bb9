//! Keys to be deleted, one or all below a prefix.

use std::future::IntoFuture;
use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::batch::{Guard, Planned, PublishBatch};
use super::lifetimes::Lifetimes;
use crate::{AppliedReport, Conflict, Consistency, Error, Hub, Key, List, Prefix, Result, Revision, Version};

/// How often what is below a prefix is listed again because keys came to lie below one that was to be deleted.
const PASSES_MAX: usize = 8;

/// A key to be deleted, from [`Publisher::delete`](super::Publisher::delete). It is deleted when awaited.
///
/// Awaited it gives the revision of the deletion. It fails as [`Store::commit`](crate::Store::commit) does, and with
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the text is no key. A dropped future leaves it open whether
/// the key is deleted. A key that was put for the publisher's lifetime does not come back, even if deleting it
/// failed, unless the store refused it as a conflict.
#[derive(Debug)]
#[must_use = "nothing is deleted before this is awaited"]
pub struct Delete {
    batch: PublishBatch,
    key: Result<Key>,
    guard: Guard,
}

impl Delete {
    pub(super) const fn new(batch: PublishBatch, key: Result<Key>) -> Self {
        Self { batch, key, guard: Guard::None }
    }

    /// It is deleted only if it is at this version; otherwise awaiting it fails as
    /// [`Conflict::Version`], also if the key is absent.
    pub const fn if_version(mut self, version: Version) -> Self {
        self.guard = Guard::Version(version);
        self
    }

    /// Deletes it, and returns when every subscriber of the hub that it concerns has answered or missed a deadline,
    /// as [`Publish::applied`](crate::Publish::applied) does. The hub must be one of the same store.
    ///
    /// # Errors
    ///
    /// As awaiting it, and those of [`Publish::applied`](crate::Publish::applied).
    pub async fn applied(self, hub: &Hub) -> Result<AppliedReport> {
        let Self { batch, key, guard } = self;
        batch.push_any(key.map(|key| Planned::Delete(key, guard))).applied(hub).await
    }

    pub(super) fn into_planned(self) -> Result<Planned> {
        self.key.map(|key| Planned::Delete(key, self.guard))
    }
}

impl IntoFuture for Delete {
    type Output = Result<Revision>;
    type IntoFuture = BoxFuture<'static, Result<Revision>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { batch, key, guard } = self;
            let deleting = batch.push_any(key.map(|key| Planned::Delete(key, guard)));
            deleting.commit().await.map(|committed| committed.revision)
        })
    }
}

/// Deletes all that is below a prefix, in transactions that the store can take, and says how many keys those were.
pub(super) async fn all_below(lifetimes: &Arc<Lifetimes>, prefix: &Prefix) -> Result<usize> {
    let keys_max = lifetimes.store().capabilities().txn_keys_max.max(1);
    let mut deleted = 0;
    // Before the listing: a key that is absent just now, for its lease ended, is not to come back after it.
    lifetimes.forget_below(prefix).await;
    for pass in 1..=PASSES_MAX {
        let listing = lifetimes.store().list(prefix, List::Keys, Consistency::Synced).await?;
        let mut keys = listing.into_keys();
        // What is below a key sorts after it, and goes first.
        keys.reverse();
        match in_chunks(lifetimes, &keys, keys_max, &mut deleted).await {
            Err(error) if error.as_conflict() == Some(Conflict::HasChildren) && pass < PASSES_MAX => {}
            result => return result.map(|()| deleted),
        }
    }
    Ok(deleted)
}

async fn in_chunks(
    lifetimes: &Arc<Lifetimes>,
    keys: &[Key],
    keys_max: usize,
    deleted: &mut usize,
) -> Result<(), Error> {
    for chunk in keys.chunks(keys_max) {
        let planned: Vec<Planned> =
            chunk.iter().map(|key| Planned::Delete(key.clone(), Guard::None)).collect();
        lifetimes.commit(&planned).await.map(drop)?;
        *deleted += chunk.len();
    }
    Ok(())
}

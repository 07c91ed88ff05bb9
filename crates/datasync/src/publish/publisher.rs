//! The publisher: where values are put.

use std::sync::Arc;

use super::batch::PublishBatch;
use super::delete::{self, Delete};
use super::lifetimes::Life;
use super::put::Put;
use crate::{Encode, Error, ErrorKind, Json, Key, KeyError, Prefix, Result, Store};

/// Puts values into a store: plainly, for a time, under a condition, or for as long as the publisher lives.
///
/// Values are JSON unless the publisher was made [`with_codec`](Self::with_codec). What the store cannot do is an
/// error, never ignored.
///
/// Nothing is repeated by itself: if the connection is lost the error says whether the write may have been applied.
/// The exception are keys put for the [`lifetime`](Put::lifetime) of the publisher, which come back by themselves.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use quorate_datasync::{Key, Memory, Publisher, Store, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store: Arc<dyn Store> = Arc::new(Memory::new());
/// let publisher = Publisher::new(&store);
/// let stat = publisher.put("/config/if/eth0", &1500).if_absent().await?;
/// publisher.put("/config/if/eth0", &9000).if_version(stat.version).await?;
/// publisher.put("/status/agent", &"up").lifetime().await?;
/// publisher.put("/leases/10.0.0.7", &"eth0").ttl(Duration::from_secs(60)).await?;
/// assert_eq!(publisher.delete_prefix("/config/").await?, 1);
/// drop(publisher);
/// assert!(store.entry(&Key::parse("/status/agent")?).await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Publisher<C = Json> {
    life: Arc<Life>,
    codec: Arc<C>,
}

impl Publisher {
    /// A publisher of JSON.
    #[must_use]
    pub fn new(store: &Arc<dyn Store>) -> Self {
        Self::with_codec(store, Json)
    }
}

impl<C> Publisher<C> {
    /// A publisher of values in another form.
    #[must_use]
    pub fn with_codec(store: &Arc<dyn Store>, codec: C) -> Self {
        Self { life: Life::new(store), codec: Arc::new(codec) }
    }

    /// A value to be put under a key. It is put when awaited.
    pub fn put<T: ?Sized>(&self, key: impl TryInto<Key, Error: Into<KeyError>>, value: &T) -> Put
    where
        C: Encode<T>,
    {
        let key = key.try_into().map_err(|error| Error::from(error.into()));
        let planned = key.and_then(|key| {
            let encoded = self.codec.encode(value);
            let bytes = encoded.map_err(|error| {
                Error::new(ErrorKind::Invalid, "put").on(&key).because("no encoding").caused_by(error)
            })?;
            Ok((key, bytes))
        });
        Put::new(self.batch(), planned)
    }

    /// A key to be deleted. It is deleted when awaited; what is absent is deleted already.
    pub fn delete(&self, key: impl TryInto<Key, Error: Into<KeyError>>) -> Delete {
        Delete::new(self.batch(), key.try_into().map_err(|error| Error::from(error.into())))
    }

    /// Deletes all that is below a prefix, what lies deepest first, and says how many keys those were.
    ///
    /// It is atomic only if they fit into one transaction of the store
    /// ([`Capabilities::txn_keys_max`](crate::Capabilities::txn_keys_max)); more are deleted in several. Keys that are
    /// put below the prefix meanwhile may stay. Keys that were put for the lifetime of this publisher do not come
    /// back, also those that are absent when they are to be deleted.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`] and [`Store::commit`]. What was deleted until then stays deleted.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the rest, and leaves it open whether the transaction under way is applied.
    pub async fn delete_prefix(&self, prefix: impl TryInto<Prefix, Error: Into<KeyError>>) -> Result<usize> {
        let prefix = prefix.try_into().map_err(|error| Error::from(error.into()))?;
        delete::all_below(self.life.keys(), &prefix).await
    }

    /// Several writes that are applied together or not at all, each as [`put`](Self::put) or [`delete`](Self::delete)
    /// gives it: see [`PublishBatch`] for an example.
    pub fn batch(&self) -> PublishBatch {
        PublishBatch::new(&self.life)
    }
}

impl<C> Clone for Publisher<C> {
    /// Another handle to the same publisher.
    fn clone(&self) -> Self {
        Self { life: Arc::clone(&self.life), codec: Arc::clone(&self.codec) }
    }
}

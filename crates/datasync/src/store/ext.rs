//! Conveniences that every store has.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Consistency, Entry, Key, Prefix, Result, Revision, Txn, Version, Want};

use super::{List, Store};

/// Shorter forms of what a [`Store`] does. Every store has them.
///
/// ```
/// use quorate_datasync::{Key, Memory, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Memory::new();
/// let key = Key::parse("/motd")?;
/// store.put(&key, "hello").await?;
/// assert_eq!(store.entry(&key).await?.unwrap().value, "hello");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait StoreExt: Store {
    /// Reads the entry under a key from wherever is nearest.
    ///
    /// # Errors
    ///
    /// Those of [`Store::get`].
    async fn entry(&self, key: &Key) -> Result<Option<Entry>> {
        Ok(self.get(key, Want::Value, Consistency::Local).await?.into_entry())
    }

    /// Sets a value, creating the key if it is absent.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`].
    async fn put<V: Into<Bytes> + Send>(&self, key: &Key, value: V) -> Result<Revision> {
        Ok(self.commit(Txn::new().put(key, value)).await?.revision)
    }

    /// Sets a value if the key is at this version.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`].
    async fn put_at<V: Into<Bytes> + Send>(&self, key: &Key, value: V, at: Version) -> Result<Revision> {
        Ok(self.commit(Txn::new().check_version(key, at).put(key, value)).await?.revision)
    }

    /// Creates a key that must not exist.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`].
    async fn create<V: Into<Bytes> + Send>(&self, key: &Key, value: V) -> Result<Revision> {
        Ok(self.commit(Txn::new().check_absent(key).put(key, value)).await?.revision)
    }

    /// Deletes a key. Deleting what is absent succeeds.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`].
    async fn delete(&self, key: &Key) -> Result<Revision> {
        Ok(self.commit(Txn::new().delete(key)).await?.revision)
    }

    /// Lists the names one level below a prefix, from wherever is nearest.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    async fn names(&self, prefix: &Prefix) -> Result<Vec<String>> {
        Ok(self.list(prefix, List::Names, Consistency::Local).await?.into_names())
    }

    /// Lists the entries below a prefix, from wherever is nearest.
    ///
    /// # Errors
    ///
    /// Those of [`Store::list`].
    async fn entries(&self, prefix: &Prefix) -> Result<Vec<Entry>> {
        Ok(self.list(prefix, List::Entries, Consistency::Local).await?.into_entries())
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

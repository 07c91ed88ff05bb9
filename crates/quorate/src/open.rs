//! Opening the store that a URL names: the only place that lists the backends.

use std::sync::Arc;

use quorate_datasync::{Error, Memory, Store};
use thiserror::Error;

use crate::{StoreUrl, UrlError};

/// Why a store was not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// The URL is not valid.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The store is known, but this program was built without it.
    #[error("{url} needs the feature {feature:?}, which this program was built without")]
    NotBuiltIn {
        /// The URL.
        url: StoreUrl,
        /// The feature of this crate.
        feature: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Opens the store that a URL names.
///
/// A store on servers is reached in the background: this returns when the client is ready, and requests wait for
/// the connection. [`Store::status`] says how it is doing. [`Store::close`] ends sessions and leases at once;
/// dropping the store ends them too, in the background.
///
/// # Errors
///
/// [`OpenStoreError::Url`] names what is known, [`OpenStoreError::Store`] says why a file cannot be used.
///
/// # Cancel safety
///
/// A dropped future leaves nothing behind but, for a file that did not exist, an empty store.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, OpenStoreError> {
    match url.parse()? {
        StoreUrl::Memory { name: None } => Ok(Arc::new(Memory::new())),
        StoreUrl::Memory { name: Some(name) } => Ok(Arc::new(Memory::named(&name))),
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite { path } => Ok(Arc::new(quorate_sqlite::Sqlite::open(path).await?)),
        #[cfg(not(feature = "sqlite"))]
        url @ StoreUrl::Sqlite { .. } => Err(OpenStoreError::NotBuiltIn { url, feature: "sqlite" }),
        #[cfg(feature = "zookeeper")]
        StoreUrl::ZooKeeper { hosts, chroot, session_timeout } => {
            let mut options = quorate_zookeeper::ZooKeeper::options(hosts).chroot(chroot);
            if let Some(timeout) = session_timeout {
                options = options.session_timeout(timeout);
            }
            Ok(Arc::new(options.open().await?))
        }
        #[cfg(not(feature = "zookeeper"))]
        url @ StoreUrl::ZooKeeper { .. } => Err(OpenStoreError::NotBuiltIn { url, feature: "zookeeper" }),
    }
}

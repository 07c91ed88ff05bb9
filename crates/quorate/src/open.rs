//! Opening the store that a URL names: the only place that lists the backends.

use std::sync::Arc;

use quorate_datasync::{Error, Memory, Store};
use thiserror::Error;

use crate::zookeeper::Opening;
use crate::{OpenStore, StoreUrl, UrlError};

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
    /// There is no value for an environment variable that the URL names.
    #[error("there is no environment variable {name}, which the URL of the store names")]
    MissingVariable {
        /// The variable.
        name: String,
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
/// The environment is not read. For a URL with secrets in environment variables there is [`open_with`].
///
/// # Errors
///
/// [`OpenStoreError::Url`] names what is known, [`OpenStoreError::Store`] says why a file cannot be used.
///
/// # Cancel safety
///
/// A dropped future leaves nothing behind but, for a file that did not exist, an empty store.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, OpenStoreError> {
    let opened = open_with(&url.parse()?, |_| None).await?;
    Ok(Arc::clone(opened.store()))
}

/// Opens the store that a URL names like [`open`], and asks `variable` for the environment variables that the URL
/// names.
///
/// # Errors
///
/// As for [`open`], and [`OpenStoreError::MissingVariable`].
///
/// # Cancel safety
///
/// As for [`open`].
///
/// # Examples
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "zks://h1,h2,h3/prod?ca=ca.pem&auth=digest:$ZK_LOGIN&acl=creator".parse()?;
/// let opened = quorate::open_with(&url, |name| std::env::var(name).ok()).await?;
/// # drop(opened.store());
/// # Ok(())
/// # }
/// ```
pub async fn open_with(
    url: &StoreUrl,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<OpenStore, OpenStoreError> {
    let store: Arc<dyn Store> = match url {
        StoreUrl::Memory { name: None } => Arc::new(Memory::new()),
        StoreUrl::Memory { name: Some(name) } => Arc::new(Memory::named(name)),
        #[cfg(feature = "sqlite")]
        StoreUrl::Sqlite { path } => Arc::new(quorate_sqlite::Sqlite::open(path).await?),
        #[cfg(not(feature = "sqlite"))]
        StoreUrl::Sqlite { .. } => {
            return Err(OpenStoreError::NotBuiltIn { url: url.clone(), feature: "sqlite" });
        }
        StoreUrl::ZooKeeper(url) => return Ok(Opening::new(url, &variable)?.open().await?),
    };
    Ok(OpenStore::new(store, None))
}

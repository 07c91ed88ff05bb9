//! Opening the store that a URL names.

use std::sync::Arc;

use quorate_datasync::{Error, Store};
use thiserror::Error;

use crate::{OpenOptions, StoreUrl, UrlError};

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
/// The environment is not read. For a URL with secrets in environment variables there is [`OpenOptions`].
///
/// # Errors
///
/// [`OpenStoreError::Url`] names what is known, [`OpenStoreError::Store`] says why a file cannot be used.
///
/// # Cancel safety
///
/// A dropped future leaves nothing behind but, for a file that did not exist, an empty store.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, OpenStoreError> {
    let opened = OpenOptions::new().open(&url.parse()?).await?;
    Ok(Arc::clone(opened.store()))
}

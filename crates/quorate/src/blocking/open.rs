//! Opening a store.

use quorate_datasync::{Error, ErrorKind};

use super::background::Background;
use super::store::Store;
use crate::{OpenOptions, OpenStoreError};

/// Opens the store that a URL names, and starts the background thread that serves it: see [`open`](crate::open).
///
/// # Errors
///
/// Those of [`open`](crate::open), and [`Backend`](ErrorKind::Backend) if no thread can be started.
///
/// # Panics
///
/// Where waiting is not allowed, as [everything here](crate::blocking#panics).
pub fn open(url: &str) -> Result<Store, OpenStoreError> {
    OpenOptions::new().open_blocking(&url.parse()?)
}

impl OpenOptions {
    /// Opens the store that a URL names for a program without a runtime, as [`blocking::open`](open) does.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and [`Backend`](ErrorKind::Backend) if no thread can be started.
    ///
    /// # Panics
    ///
    /// Where waiting is not allowed, as [everything there](crate::blocking#panics).
    pub fn open_blocking(self, url: &crate::StoreUrl) -> Result<Store, OpenStoreError> {
        let background =
            Background::start().map_err(|error| Error::new(ErrorKind::Backend, "open").caused_by(error))?;
        let opened = background.block_on(self.open(url))?;
        background.own(opened.store());
        Ok(Store::new(background, opened))
    }
}

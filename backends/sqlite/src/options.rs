//! How a store is opened.

use std::path::Path;
use std::time::Duration;

use quorate_datasync::Result;

use crate::Sqlite;

/// How often a watching process looks at the file though no bell rang.
pub(crate) const POLL: Duration = Duration::from_secs(1);

/// How often it looks where no bell can be heard.
pub(crate) const POLL_ALONE: Duration = Duration::from_millis(50);

/// How a store in a file is opened.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("state.db");
/// use quorate_datasync::Store;
/// use quorate_sqlite::Sqlite;
///
/// Sqlite::open(&path).await?.close().await;
/// let store = Sqlite::options().read_only().open(&path).await?;
/// # store.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a store is opened"]
pub struct SqliteOptions {
    pub(crate) read_only: bool,
    pub(crate) listen: bool,
}

impl SqliteOptions {
    pub(crate) const fn new() -> Self {
        Self { read_only: false, listen: true }
    }

    /// Opens the file for reading only: every write is answered with
    /// [`ReadOnly`](quorate_datasync::ErrorKind::ReadOnly), and a file that does not exist is an error.
    pub const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Does without inotify, of which a user has only so many: watches look at the file twenty times a second
    /// instead. A store that finds none left does so by itself.
    pub const fn without_inotify(mut self) -> Self {
        self.listen = false;
        self
    }

    /// Opens the store in the file at `path`. See [`Sqlite::open`].
    ///
    /// # Errors
    ///
    /// Those of [`Sqlite::open`].
    ///
    /// # Cancel safety
    ///
    /// A dropped future closes what was opened.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<Sqlite> {
        Sqlite::open_with(self, path.as_ref()).await
    }
}

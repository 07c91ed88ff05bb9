//! What is to be known for opening a store, beside its URL. The only place that lists the backends.

use std::fmt;
use std::sync::Arc;

use quorate_datasync::{Memory, Store};

use crate::zookeeper::Opening;
use crate::{OpenStore, OpenStoreError, StoreUrl};

/// Gives the value of an environment variable, if there is one.
type Variables = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What is to be known for opening a store, beside its URL.
///
/// # Examples
///
/// ```no_run
/// use quorate::OpenOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "zks://h1,h2,h3/prod?ca=ca.pem&auth=digest:$ZK_LOGIN&acl=creator".parse()?;
/// let opened = OpenOptions::new().variables(|name| std::env::var(name).ok()).open(&url).await?;
/// opened.store().close().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is opened before open"]
pub struct OpenOptions {
    variables: Variables,
    pub(crate) read_only_allowed: bool,
}

impl OpenOptions {
    /// Starts from the defaults: no environment, and servers that write.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets who is asked for the environment variables that a URL names. There are none unless set: a library does
    /// not read the environment of its program by itself.
    pub fn variables(mut self, variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.variables = Box::new(variables);
        self
    }

    /// Accepts servers that only read while they have lost their quorum, where a store has such. Writes are then
    /// [`ReadOnly`](crate::ErrorKind::ReadOnly), and so are reads that must be current. Not accepted unless set.
    pub const fn read_only_allowed(mut self) -> Self {
        self.read_only_allowed = true;
        self
    }

    /// Opens the store that a URL names, as [`open`](crate::open) does.
    ///
    /// # Errors
    ///
    /// As for [`open`](crate::open), and [`OpenStoreError::MissingVariable`].
    ///
    /// # Cancel safety
    ///
    /// As for [`open`](crate::open).
    pub async fn open(self, url: &StoreUrl) -> Result<OpenStore, OpenStoreError> {
        let store: Arc<dyn Store> = match url {
            StoreUrl::Memory { name: None } => Arc::new(Memory::new()),
            StoreUrl::Memory { name: Some(name) } => Arc::new(Memory::named(name)),
            #[cfg(feature = "sqlite")]
            StoreUrl::Sqlite { path } => Arc::new(quorate_sqlite::Sqlite::open(path).await?),
            #[cfg(not(feature = "sqlite"))]
            StoreUrl::Sqlite { .. } => {
                return Err(OpenStoreError::NotBuiltIn { url: url.clone(), feature: "sqlite" });
            }
            StoreUrl::ZooKeeper(url) => return Ok(Opening::new(url, &self)?.open().await?),
        };
        Ok(OpenStore::new(store, None))
    }

    /// The value of an environment variable.
    #[cfg_attr(not(feature = "zookeeper"), expect(dead_code, reason = "no other store has secrets"))]
    pub(crate) fn variable(&self, name: &str) -> Result<String, OpenStoreError> {
        let missing = || OpenStoreError::MissingVariable { name: name.to_owned() };
        (self.variables)(name).ok_or_else(missing)
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { variables: Box::new(|_| None), read_only_allowed: false }
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("read_only_allowed", &self.read_only_allowed)
            .finish_non_exhaustive()
    }
}

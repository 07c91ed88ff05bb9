//! How to reach an ensemble.

use std::time::Duration;

use quorate_datasync::{Error, ErrorKind, Key, Result};
use quorate_zk::ClientOptions;

use crate::ZooKeeper;

/// Where the servers are, and how the session is to be.
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before open"]
pub struct ZooKeeperOptions {
    hosts: Vec<String>,
    chroot: String,
    session_timeout: Option<Duration>,
}

impl ZooKeeperOptions {
    pub(crate) fn new(hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let hosts = hosts.into_iter().map(Into::into).collect();
        Self { hosts, chroot: String::new(), session_timeout: None }
    }

    /// Puts everything below a path, which is made when something is put. None unless set.
    pub fn chroot(mut self, path: impl Into<String>) -> Self {
        self.chroot = path.into();
        self
    }

    /// Sets the session timeout to ask for: how long leases outlive a client that is silent. 15 s unless set; the
    /// server may grant another.
    pub const fn session_timeout(mut self, timeout: Duration) -> Self {
        self.session_timeout = Some(timeout);
        self
    }

    /// Opens the store. It is reached in the background: requests wait for the connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a bad host or chroot. A server that does not answer is no error: the
    /// [status](quorate_datasync::Store::status) tells.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind.
    #[expect(clippy::unused_async, reason = "it needs a runtime, as every other opening does")]
    pub async fn open(self) -> Result<ZooKeeper> {
        let chroot = match self.chroot.trim_end_matches('/') {
            "" => None,
            path => Some(Key::parse(path)?),
        };
        let mut options = ClientOptions::new(self.hosts);
        if let Some(timeout) = self.session_timeout {
            options = options.session_timeout(timeout);
        }
        let client = options
            .connect()
            .map_err(|error| Error::new(ErrorKind::Invalid, "open").because(error.to_string()))?;
        Ok(ZooKeeper::new(client, chroot))
    }
}

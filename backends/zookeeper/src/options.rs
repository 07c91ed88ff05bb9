//! How to reach an ensemble.

use std::time::Duration;

use quorate_datasync::{Error, ErrorKind, Key, Result};
use quorate_zk::{Acl, Client, ClientOptions, TlsOptions};

use crate::error::invalid;
use crate::{Credentials, ZooKeeper};

/// Where the servers are, who this client is to them, and how the session is to be.
///
/// # Examples
///
/// A store that only its user may touch:
///
/// ```
/// use quorate_datasync::{Key, StoreExt};
/// # use quorate_zk_fake::FakeZooKeeper;
/// use quorate_zookeeper::{Acl, Credentials, Secret, ZooKeeper};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = FakeZooKeeper::start().await?;
/// # let hosts = [server.connect_string()];
/// let bob = Credentials::new("bob", Secret::new("a password"));
/// let store = ZooKeeper::options(hosts).digest_auth(bob).acl([Acl::creator_all()]).open().await?;
/// store.put(&Key::parse("/motd")?, "hello").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is opened before open"]
pub struct ZooKeeperOptions {
    client: ClientOptions,
    chroot: String,
    digests: Vec<Credentials>,
    sasl: Option<Credentials>,
    is_secure: bool,
    acl: Vec<Acl>,
}

impl ZooKeeperOptions {
    pub(crate) fn new(hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            client: ClientOptions::new(hosts),
            chroot: String::new(),
            digests: Vec::new(),
            sasl: None,
            is_secure: false,
            acl: vec![Acl::open()],
        }
    }

    /// Puts everything below a path, which is made when something is put. None unless set.
    pub fn chroot(mut self, path: impl Into<String>) -> Self {
        self.chroot = path.into();
        self
    }

    /// Sets the session timeout to ask for: how long leases outlive a client that is silent. 15 s unless set; the
    /// server may grant another.
    pub fn session_timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.session_timeout(timeout);
        self
    }

    /// Secures all connections with TLS; nothing falls back to plain ones. Not secured unless set.
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.client = self.client.tls(options);
        self.is_secure = true;
        self
    }

    /// Adds the identity of a user of scheme `digest`, presented on every connection. Without [TLS](Self::tls) the
    /// password crosses the network in the clear.
    pub fn digest_auth(mut self, credentials: Credentials) -> Self {
        self.digests.push(credentials);
        self
    }

    /// Proves to every server by SASL with the mechanism DIGEST-MD5 that a password is known, and has the server
    /// prove the same. The identity is of scheme `sasl`.
    pub fn sasl_digest_md5(mut self, credentials: Credentials) -> Self {
        self.sasl = Some(credentials);
        self
    }

    /// Sets the access list of every znode that the store makes: values, the directories above them, locks and
    /// listeners. What is there already keeps its own. Open to everybody unless set.
    ///
    /// [`Acl::creator_all`] stands for all identities that this client has proved; without one nothing can be made.
    /// Every client that shares a struct needs all permissions but `ADMIN`.
    pub fn acl(mut self, acl: impl IntoIterator<Item = Acl>) -> Self {
        self.acl = acl.into_iter().collect();
        self
    }

    /// Accepts servers that only read while they have no quorum: writes, and reads that must be current, are then
    /// [`ErrorKind::ReadOnly`]. Not accepted unless set.
    pub fn read_only_allowed(mut self) -> Self {
        self.client = self.client.read_only_allowed();
        self
    }

    /// Looks for a reply again and again for as long as this before sleeping for it: faster answers for all of a core,
    /// as [`ClientOptions::busy_poll`] tells. Not at all unless set.
    pub fn busy_poll(mut self, time_max: Duration) -> Self {
        self.client = self.client.busy_poll(time_max);
        self
    }

    /// Opens the store. It is reached in the background: requests wait for the connection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a bad host or chroot, an empty access list, and for files of TLS and credentials
    /// that cannot be used; it names the file and shows nothing of what is in it. A server that does not answer is
    /// no error: the [status](quorate_datasync::Store::status) tells.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind.
    pub async fn open(self) -> Result<ZooKeeper> {
        let chroot = match self.chroot.trim_end_matches('/') {
            "" => None,
            path => Some(Key::parse(path)?),
        };
        if self.acl.is_empty() {
            return Err(invalid("an empty access list lets nobody do anything"));
        }
        let (acl, is_secure) = (self.acl.clone(), self.is_secure);
        // Files are read, which may take as long as somebody else likes.
        let client = tokio::task::spawn_blocking(|| self.connect()).await;
        let client = client.map_err(|error| Error::new(ErrorKind::Backend, "open").caused_by(error))??;
        Ok(ZooKeeper::new(client, chroot, acl, is_secure))
    }

    fn connect(self) -> Result<Client> {
        let mut options = self.client;
        for credentials in &self.digests {
            let login = credentials.resolve()?;
            options = options.digest_auth(login.user, login.password);
        }
        if let Some(credentials) = &self.sasl {
            let login = credentials.resolve()?;
            options = options.sasl_digest_md5(login.user, login.password);
        }
        options.connect().map_err(|error| invalid(error.to_string()))
    }
}

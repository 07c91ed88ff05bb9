//! What a client is told once.

use std::time::Duration;

use quorate_zk_proto::{FRAME_BYTES_MAX, REQUEST_BYTES_MAX, SessionOptions, ZnodePath};

use crate::{
    client::Client, error::ConfigError, hosts::Host, session_events::SessionEvents,
    session_token::SessionHandover,
};

/// Bounds of the time for one attempt to connect, which is else a third of the session timeout.
const CONNECT_MIN: Duration = Duration::from_secs(1);
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// The settings of a [`Client`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use quorate_zk::ClientOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), quorate_zk::ConfigError> {
/// let client = ClientOptions::new(["127.0.0.1:2181"]).session_timeout(Duration::from_secs(10)).connect()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientOptions {
    hosts: Vec<String>,
    session_timeout: Duration,
    chroot: Option<ZnodePath>,
    in_flight_max: usize,
    watched_max: usize,
    frame_bytes_max: usize,
    request_bytes_max: usize,
    read_only_allowed: bool,
    resumed: Option<SessionHandover>,
    metrics: Option<String>,
}

/// The settings after they were checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) hosts: Vec<Host>,
    pub(crate) session: SessionOptions,
    pub(crate) session_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) chroot: Option<ZnodePath>,
    pub(crate) watched_max: usize,
    pub(crate) metrics: Option<String>,
}

impl ClientOptions {
    /// Starts from the hosts of the ensemble: `name:port` each, port 2181 if there is none.
    pub fn new(hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            hosts: hosts.into_iter().map(Into::into).collect(),
            session_timeout: Duration::from_secs(15),
            chroot: None,
            in_flight_max: 1024,
            watched_max: 1024,
            frame_bytes_max: FRAME_BYTES_MAX,
            request_bytes_max: REQUEST_BYTES_MAX,
            read_only_allowed: false,
            resumed: None,
            metrics: None,
        }
    }

    /// Sets the session timeout to ask for; the server may grant another. 15 s by default.
    pub const fn session_timeout(mut self, timeout: Duration) -> Self {
        self.session_timeout = timeout;
        self
    }

    /// Sets the znode that stands for the root: all paths are below it, in both directions. It is not created.
    pub fn chroot(mut self, path: ZnodePath) -> Self {
        self.chroot = Some(path).filter(|path| !path.is_root());
        self
    }

    /// Sets how many requests may wait for replies; the others wait in order. At least one, 1,024 by default.
    pub const fn in_flight_max(mut self, count_max: usize) -> Self {
        self.in_flight_max = count_max;
        self
    }

    /// Sets how many items a watcher's queue holds before it is told [`Watched::Lagged`](crate::Watched::Lagged)
    /// instead. At least one, 1,024 by default.
    pub const fn watched_max(mut self, count_max: usize) -> Self {
        self.watched_max = count_max;
        self
    }

    /// Sets the largest frame accepted from a server. 64 MiB by default.
    pub const fn frame_bytes_max(mut self, bytes_max: usize) -> Self {
        self.frame_bytes_max = bytes_max;
        self
    }

    /// Sets the largest request to send. 1,048,575 bytes by default, as on the server, which closes the
    /// connection on a larger one.
    pub const fn request_bytes_max(mut self, bytes_max: usize) -> Self {
        self.request_bytes_max = bytes_max;
        self
    }

    /// Accepts servers that only read while they have no quorum. Not accepted by default.
    pub const fn read_only_allowed(mut self) -> Self {
        self.read_only_allowed = true;
        self
    }

    /// Reports metrics through the `metrics` crate, under a name for this client (label `client`).
    ///
    /// Install the recorder first. Nothing is counted unless asked for. Times are measured from the sending of a
    /// request to the reading of its reply; the time in the queue shows in its length.
    ///
    /// | metric | kind | labels |
    /// |---|---|---|
    /// | `quorate_zk_request_seconds` | histogram | `client`, `op` |
    /// | `quorate_zk_request_failures_total` | counter | `client`, `op`, `reason` |
    /// | `quorate_zk_requests_in_flight`, `quorate_zk_requests_queued` | gauge | `client` |
    /// | `quorate_zk_connections_total`, `quorate_zk_sessions_expired_total` | counter | `client` |
    /// | `quorate_zk_watched_paths` | gauge | `client` |
    /// | `quorate_zk_sent_bytes_total`, `quorate_zk_received_bytes_total` | counter | `client` |
    pub fn metrics(mut self, client: impl Into<String>) -> Self {
        self.metrics = Some(client.into());
        self
    }

    /// Goes on with a session that another client has left ([`Client::detach`]) instead of starting one. Its
    /// ephemeral znodes are this client's then. If it has expired meanwhile, the client says so
    /// ([`ClientState::Expired`](crate::ClientState::Expired)) and starts a new one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use quorate_zk_fake::FakeZooKeeper;
    /// use quorate_zk::ClientOptions;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// let first = ClientOptions::new([server.connect_string()]).connect()?;
    /// let id = first.session().await?.id();
    /// let left = first.detach().await.expect("there is a session");
    /// let second = ClientOptions::new([server.connect_string()]).resume(left).connect()?;
    /// assert_eq!(second.session().await?.id(), id);
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume(mut self, session: SessionHandover) -> Self {
        self.resumed = Some(session);
        self
    }

    /// Makes the client and starts its session in the background. Returns at once, reachable ensemble or not.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a host is malformed, there is none, or there is no tokio runtime.
    pub fn connect(self) -> Result<Client, ConfigError> {
        Client::start(self.check()?)
    }

    /// Makes the client like [`connect`](Self::connect), with the session-wide stream of one-shot watches and
    /// states.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect).
    pub fn connect_with_events(self) -> Result<(Client, SessionEvents), ConfigError> {
        Client::start_with_events(self.check()?)
    }

    pub(crate) fn check(self) -> Result<Settings, ConfigError> {
        let hosts = self.hosts.iter().map(|host| Host::parse(host)).collect::<Result<Vec<_>, _>>()?;
        if hosts.is_empty() {
            return Err(ConfigError::NoHosts);
        }
        // Requests wait with the driver, where they can be withdrawn, and not in the session.
        let mut session = SessionOptions::default()
            .timeout(self.session_timeout)
            .read_only_allowed(self.read_only_allowed)
            .frame_bytes_max(self.frame_bytes_max)
            .request_bytes_max(self.request_bytes_max)
            .in_flight_max(self.in_flight_max)
            .queued_max(0);
        if let Some(SessionHandover { id, password, last_zxid }) = self.resumed {
            session = session.resume(id, password, last_zxid);
        }
        Ok(Settings {
            hosts,
            session,
            session_timeout: self.session_timeout,
            connect_timeout: (self.session_timeout / 3).clamp(CONNECT_MIN, CONNECT_MAX),
            chroot: self.chroot,
            watched_max: self.watched_max,
            metrics: self.metrics,
        })
    }
}

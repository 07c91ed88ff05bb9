//! What a client is told once.

use std::{sync::Arc, time::Duration};

use quorate_zk_proto::{
    Auth, FRAME_BYTES_MAX, REQUEST_BYTES_MAX, Secret, ServerVersion, SessionOptions, ZnodePath,
};

use crate::{
    auth::{Credentials, SaslUser},
    client::Client,
    error::ConfigError,
    hosts::{Host, HostOrder, Hosts},
    session_events::SessionEvents,
    session_token::SessionHandover,
    tls::{Tls, TlsOptions},
    transport::{Connector, Dial, Tuning},
};

/// Bounds of the time for one attempt to connect, which is else a third of the session timeout.
const CONNECT_MIN: Duration = Duration::from_secs(1);
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Most identities of one session, whose protocol keeps no more.
const IDENTITIES_MAX: usize = 64;

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
    host_order: HostOrder,
    session_timeout: Duration,
    connect_timeout: Option<Duration>,
    tls: Option<TlsOptions>,
    credentials: Vec<Credentials>,
    sasl: Option<SaslUser>,
    chroot: Option<ZnodePath>,
    in_flight_max: usize,
    watched_max: usize,
    frame_bytes_max: usize,
    request_bytes_max: usize,
    read_only_allowed: bool,
    resumed: Option<SessionHandover>,
    metrics: Option<String>,
    server_version: Option<ServerVersion>,
    follows_ensemble: bool,
    dialer: Option<Arc<dyn Dial>>,
    tuning: Tuning,
}

/// The settings after they were checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) hosts: Hosts,
    pub(crate) connector: Arc<Connector>,
    /// Identities to present on every connection.
    pub(crate) auths: Vec<Auth>,
    pub(crate) sasl: Option<SaslUser>,
    pub(crate) session: SessionOptions,
    pub(crate) session_timeout: Duration,
    pub(crate) chroot: Option<ZnodePath>,
    pub(crate) watched_max: usize,
    pub(crate) metrics: Option<String>,
    pub(crate) server_version: Option<ServerVersion>,
    pub(crate) follows_ensemble: bool,
    /// The port of all hosts that the ensemble names, where its own ports are not for us.
    pub(crate) followed_port: Option<u16>,
}

impl ClientOptions {
    /// Starts from the hosts of the ensemble: `name`, `name:port`, `address`, `[address]` or `[address]:port` each,
    /// port 2181 if there is none. Names are looked up at every attempt to connect, and every address is tried.
    pub fn new(hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            hosts: hosts.into_iter().map(Into::into).collect(),
            host_order: HostOrder::default(),
            session_timeout: Duration::from_secs(15),
            connect_timeout: None,
            tls: None,
            credentials: Vec::new(),
            sasl: None,
            chroot: None,
            in_flight_max: 1024,
            watched_max: 1024,
            frame_bytes_max: FRAME_BYTES_MAX,
            request_bytes_max: REQUEST_BYTES_MAX,
            read_only_allowed: false,
            resumed: None,
            metrics: None,
            server_version: None,
            follows_ensemble: false,
            dialer: None,
            tuning: Tuning::default(),
        }
    }

    /// Starts from a connect string: hosts, perhaps with a chroot behind them.
    pub(crate) fn of(connect_string: &str) -> Result<Self, ConfigError> {
        let (hosts, chroot) = match connect_string.find('/') {
            Some(slash) => connect_string.split_at(slash),
            None => (connect_string, "/"),
        };
        let invalid = |error| ConfigError::InvalidChroot { chroot: chroot.to_owned(), error };
        Ok(Self::new(hosts.split(',')).chroot(ZnodePath::new(chroot).map_err(invalid)?))
    }

    /// Sets the session timeout to ask for; the server may grant another. 15 s by default.
    pub const fn session_timeout(mut self, timeout: Duration) -> Self {
        self.session_timeout = timeout;
        self
    }

    /// Tries the hosts in the order given, always from the first. By default each attempt has another order, so that
    /// clients spread over the servers.
    pub const fn in_order(mut self) -> Self {
        self.host_order = HostOrder::Given;
        self
    }

    /// Sets how long one address may take to connect to, the handshake of TLS included. A third of the session
    /// timeout by default, between one and ten seconds.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Secures all connections with TLS. They are not secured by default; nothing falls back to that.
    ///
    /// A server that cannot be connected to in this way is passed over. If there is no other, the state says why:
    /// [`DisconnectReason::TlsFailed`](crate::DisconnectReason::TlsFailed).
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = Some(options);
        self
    }

    /// Adds the identity of a user of scheme `digest`, presented on every connection. It serves access lists with
    /// [`Id`](crate::Id)s of that scheme; the password crosses the network in the clear unless there is
    /// [TLS](Self::tls).
    ///
    /// A server that refuses an identity ends the client:
    /// [`ClientState::AuthFailed`](crate::ClientState::AuthFailed). With scheme `digest` any password is accepted,
    /// since it only makes an identity.
    pub fn digest_auth(mut self, user: impl Into<String>, password: Secret) -> Self {
        self.credentials.push(Credentials::Digest { user: user.into(), password });
        self
    }

    /// Adds an identity of another scheme that the servers have been taught, presented on every connection.
    pub fn auth(mut self, scheme: impl Into<String>, secret: Secret) -> Self {
        self.credentials.push(Credentials::Other { scheme: scheme.into(), secret });
        self
    }

    /// Proves to every server that a user's password is known, by SASL with the mechanism DIGEST-MD5, and has the
    /// server prove the same, before anything else is said. The identity is of scheme `sasl`.
    ///
    /// Only who listens to the connection can try passwords, but can do so at leisure: the mechanism is an old one,
    /// and belongs inside [TLS](Self::tls). A refusal, and a server that does not know the password, end the client:
    /// [`ClientState::AuthFailed`](crate::ClientState::AuthFailed).
    pub fn sasl_digest_md5(mut self, user: impl Into<String>, password: Secret) -> Self {
        self.sasl = Some(SaslUser { name: user.into(), password });
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
    ///
    /// While connected to one, the others are asked now and then, and the first that has a quorum is moved to; the
    /// session there is another one. Servers from 3.7 on only do this with `localSessionsEnabled=true` beside
    /// `readonlymode.enabled`; otherwise they answer nobody.
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

    /// Says of which version the servers are at least, so that no operation is sent that one of them would not know.
    ///
    /// The protocol does not tell it. Otherwise a client learns it from refusals: a server closes the connection on an
    /// operation that it does not know, and what was under way fails. With servers of 3.5 or later that happens only with
    /// operations that say so.
    pub const fn server_version(mut self, version: ServerVersion) -> Self {
        self.server_version = Some(version);
        self
    }

    /// Opens connections by other means than TCP. The dialer is all there is between client and server: together
    /// with [`tls`](Self::tls) it is refused.
    pub fn dialer(mut self, dialer: impl Dial) -> Self {
        self.dialer = Some(Arc::new(dialer));
        self
    }

    /// Looks for a reply again and again for as long as this before sleeping for it. Not at all by default.
    ///
    /// Waking up a task that sleeps can take as long as the server needs: with one request after the other to a server on
    /// the same machine that has its data in memory, 1 ms here makes a third to a half more of them, for all of a core.
    /// Other tasks of the runtime run in between. Only replies are looked for, not notifications of watches; and while
    /// replies take longer than this nothing is looked for either, so it costs little where it does not help.
    pub const fn busy_poll(mut self, time_max: Duration) -> Self {
        self.tuning.busy_poll = time_max;
        self
    }

    /// Sends small requests together, by Nagle's algorithm ([RFC 896](https://www.rfc-editor.org/rfc/rfc896)): while
    /// something that was sent is not acknowledged, what is shorter than a packet waits. By default everything is sent at
    /// once.
    ///
    /// It takes fewer packets where many requests are in flight, but a request can wait for the reply to the one before
    /// it, and where that is late for an acknowledgement that is delayed too, on Linux up to 40 ms. A
    /// [`dialer`](Self::dialer) sees to that by itself.
    pub const fn nagle(mut self) -> Self {
        self.tuning.is_nagle = true;
        self
    }

    /// Follows the ensemble's own configuration (`/zookeeper/config`, servers from 3.5 on): when it is reconfigured,
    /// the next connections go to the servers that it names. The hosts given at first are kept in reserve, for when
    /// none of those is reached.
    ///
    /// The configuration names only the ports without TLS; over TLS the port of the first host given is used for all.
    /// Servers that tell no address for clients are passed over.
    pub const fn follow_ensemble(mut self) -> Self {
        self.follows_ensemble = true;
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
    /// [`ConfigError`] if a host is malformed or there is none, if a user or TLS cannot be set up as asked, or if
    /// there is no tokio runtime.
    ///
    /// # Blocking
    ///
    /// The files that [`tls`](Self::tls) names are read before this returns.
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
        let auths = self.credentials.iter().map(Credentials::packet).collect::<Result<Vec<_>, _>>()?;
        if auths.len() > IDENTITIES_MAX {
            return Err(ConfigError::TooManyIdentities { count_max: IDENTITIES_MAX });
        }
        if self.tls.is_some() && self.dialer.is_some() {
            return Err(ConfigError::TlsWithDialer);
        }
        let tls = self.tls.map(Tls::load).transpose()?;
        let followed_port = tls.as_ref().and(hosts.first()).map(Host::port);
        let connect_timeout = self
            .connect_timeout
            .unwrap_or_else(|| (self.session_timeout / 3).clamp(CONNECT_MIN, CONNECT_MAX));
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
        if self.sasl.is_some() {
            session = session.sasl();
        }
        Ok(Settings {
            hosts: Hosts::new(hosts, self.host_order),
            connector: Arc::new(Connector::new(tls, self.dialer, connect_timeout, self.tuning)),
            auths,
            sasl: self.sasl,
            session,
            session_timeout: self.session_timeout,
            chroot: self.chroot,
            watched_max: self.watched_max,
            metrics: self.metrics,
            server_version: self.server_version,
            follows_ensemble: self.follows_ensemble,
            followed_port,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let options = ClientOptions::new(["h1"])
            .digest_auth("bob", Secret::new("hush1"))
            .auth("token", Secret::new("hush2"))
            .sasl_digest_md5("alice", Secret::new("hush5"))
            .tls(TlsOptions::new().client_cert_pem("hush3", Secret::new("hush4")));
        let shown = format!("{options:?} {options:#?}");
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("bob"), "{shown}");
    }

    #[test]
    fn settings_do_not_show_secrets_either() {
        let options = ClientOptions::new(["h1"]).digest_auth("bob", Secret::new("hush"));
        let ca = quorate_testkit::TestCa::new();
        let options = options.tls(TlsOptions::new().ca_pem(ca.cert_pem()));
        let settings = options.check().unwrap();
        assert!(!format!("{settings:?}").contains("hush"));
    }

    #[test]
    fn a_connect_string_may_end_in_a_chroot() {
        let chroot =
            |text| ClientOptions::of(text).and_then(ClientOptions::check).map(|settings| settings.chroot);
        assert_eq!(chroot("h1,h2:2181"), Ok(None));
        assert_eq!(chroot("h1,h2:2181/"), Ok(None));
        assert_eq!(chroot("h1,h2:2181/a/b"), Ok(Some(ZnodePath::new("/a/b").unwrap())));
        let error = chroot("h1/a/").unwrap_err();
        assert_eq!(error.to_string(), "\"/a/\" is not a chroot");
        assert!(matches!(chroot("/a"), Err(ConfigError::InvalidHost { .. })));
    }

    #[test]
    fn a_session_has_a_limit_of_identities() {
        let options = (0..=IDENTITIES_MAX).fold(ClientOptions::new(["h1"]), |options, user| {
            options.digest_auth(user.to_string(), Secret::new("word"))
        });
        assert_eq!(options.check().unwrap_err(), ConfigError::TooManyIdentities { count_max: 64 });
    }
}

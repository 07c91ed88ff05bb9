//! What a fake is told before it starts.

use std::{io, time::Duration};

use quorate_zk_proto::{Id, Secret, ServerVersion};

use crate::{
    clock::millis,
    ensemble::{Config, Membership},
    fake::FakeZooKeeper,
    tls::Acceptor,
};

/// The settings of a [`FakeZooKeeper`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let server = FakeZooKeeper::builder()
///     .version(ServerVersion::V3_9)
///     .tick(Duration::from_millis(50))
///     .start()
///     .await?;
/// assert!(server.addr().ip().is_loopback());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    pub(crate) config: Config,
    pub(crate) tls: Option<Acceptor>,
    /// Lines of the configuration, if they are not made up.
    members: Vec<String>,
}

impl Builder {
    /// Sets the version to imitate. 3.8 by default.
    pub const fn version(mut self, version: ServerVersion) -> Self {
        self.config.version = version;
        self
    }

    /// Sets the tick; session timeouts are held within 2 and 20 of them. 2 s by default, as on a server.
    pub fn tick(mut self, tick: Duration) -> Self {
        self.config.tick = millis(tick).clamp(1, i64::from(i32::MAX) / 20);
        self
    }

    /// Sets the largest request; the connection of a larger one is closed. 1,048,575 bytes by default.
    pub const fn jute_maxbuffer(mut self, bytes_max: usize) -> Self {
        self.config.request_bytes_max = bytes_max;
        self
    }

    /// Allows znodes with a time to live, which servers refuse unless `extendedTypesEnabled` is set.
    pub const fn ttl_nodes_enabled(mut self) -> Self {
        self.config.ttl_nodes = true;
        self
    }

    /// Treats every connection as one to another server. When a session connects again its
    /// older connection then stays: it can still read, and is closed on its first write. Otherwise the older
    /// connection is closed at once, as by a server on which the session connects again.
    pub const fn sessions_move(mut self) -> Self {
        self.config.sessions_move = true;
        self
    }

    /// Starts so many servers that share one tree. One by default; none is taken for one.
    pub const fn servers(mut self, count: usize) -> Self {
        self.config.servers = if count == 0 { 1 } else { count };
        self
    }

    /// Gives a new session to clients that want to go on with theirs, as ClickHouse Keeper does: the old one
    /// stays until it expires, and no client is told.
    pub const fn never_resume_sessions(mut self) -> Self {
        self.config.sessions_resume = false;
        self
    }

    /// Answers all words of four letters that are known here: `ruok`, `envi` and `mntr` beside `srvr` and `isro`.
    /// Servers before 3.5 always do.
    pub const fn four_letter_words(mut self) -> Self {
        self.config.all_words = true;
        self
    }

    /// Allows the members of the ensemble to be changed. Refused by default, as by a real server.
    pub const fn reconfig_enabled(mut self) -> Self {
        self.config.reconfig = true;
        self
    }

    /// Refuses writes that would exceed a hard limit under `/zookeeper/quota`: `enforceQuota`. Servers before 3.7
    /// never do. The statistics that a real server keeps there are not imitated.
    pub const fn quotas_enforced(mut self) -> Self {
        self.config.quotas = true;
        self
    }

    /// Sets what `/zookeeper/config` names as members, as in `server.1=host:2888:3888:participant;host:2181`.
    /// By default several servers name their real addresses for clients; one alone has no configuration.
    pub fn members(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.members = lines.into_iter().map(Into::into).collect();
        self
    }

    /// Lets whoever authenticates by `digest` with this user and password do everything.
    pub fn super_user(mut self, user: &str, password: &str) -> Self {
        self.config.super_user = Some(Id::digest(user, password));
        self
    }

    /// Adds somebody who can authenticate by SASL DIGEST-MD5, and switches the scheme `sasl` on.
    pub fn sasl_user(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.config.sasl_users.push((user.into(), Secret::new(password.into())));
        self
    }

    /// Answers requests of a client that has not authenticated by SASL with
    /// [`SessionClosedRequireSaslAuth`](quorate_zk_proto::ErrorCode::SessionClosedRequireSaslAuth) and closes
    /// its connection: `sessionRequireClientSASLAuth`.
    pub fn sasl_required(self) -> Self {
        self.auth_required(["sasl"])
    }

    /// Does the same to a client that has not authenticated in any of these schemes: `enforce.auth.enabled` and
    /// `enforce.auth.schemes`.
    pub fn auth_required(mut self, schemes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.config.auth_schemes = schemes.into_iter().map(Into::into).collect();
        self
    }

    /// Starts listening on free ports of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](io::ErrorKind::InvalidInput) if a line of [`members`](Self::members) cannot be read.
    /// - Whatever the operating system has against listening there.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left behind if the future is dropped.
    pub async fn start(mut self) -> io::Result<FakeZooKeeper> {
        if !self.members.is_empty() {
            let membership = Membership::parse(self.members.iter().map(String::as_str));
            let unreadable = || io::Error::new(io::ErrorKind::InvalidInput, "a member cannot be read");
            self.config.membership = Some(membership.ok_or_else(unreadable)?);
        }
        FakeZooKeeper::start_with(self.config, self.tls).await
    }
}

//! What can be chosen about a real server.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest as _, Sha1};

use super::tls::TlsFiles;

/// The options of a real server.
///
/// The defaults are those of a test: a tick of two seconds, so sessions of 4 to 40 seconds, every four-letter word
/// allowed, no limit on connections, containers and TTL nodes enabled, and no fsync. Data survives a killed server
/// all the same, since the kernel still holds what was written. Nothing of security is switched on.
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerOptions {
    pub(super) tick: Duration,
    pub(super) fsync: bool,
    pub(super) netty: bool,
    pub(super) reconfig: bool,
    pub(super) read_only: bool,
    pub(super) tls: Option<TlsFiles>,
    pub(super) client_cert: bool,
    pub(super) sasl_users: Vec<(String, String)>,
    pub(super) sasl_required: bool,
    /// The name and the hash of the password, as the server wants to be told them.
    pub(super) superuser: Option<String>,
    pub(super) config: Vec<String>,
    pub(super) java: Vec<String>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            tick: Duration::from_millis(2_000),
            fsync: false,
            netty: false,
            reconfig: false,
            read_only: false,
            tls: None,
            client_cert: false,
            sasl_users: Vec::new(),
            sasl_required: false,
            superuser: None,
            config: Vec::new(),
            java: Vec::new(),
        }
    }
}

impl ServerOptions {
    /// Sets the tick. The server grants sessions between 2 and 20 ticks, so a tick of 500 ms gives 1 to 10 seconds,
    /// and it expires them once per tick.
    pub fn tick(mut self, tick: Duration) -> Self {
        self.tick = tick;
        self
    }

    /// Makes the server wait for the disk on every write, as it does in production.
    pub fn fsync(mut self) -> Self {
        self.fsync = true;
        self
    }

    /// Serves clients through Netty, as servers with TLS do, rather than through the simpler default.
    pub fn netty(mut self) -> Self {
        self.netty = true;
        self
    }

    /// Opens a second port for clients that speak TLS, at [`ZooKeeper::secure_addr`](super::ZooKeeper::secure_addr).
    /// Clients need no certificate there. This means [`netty`](Self::netty).
    pub fn tls(mut self, files: TlsFiles) -> Self {
        self.tls = Some(files);
        self
    }

    /// Turns away whoever has no certificate of the trusted authority at the port of [`tls`](Self::tls). The
    /// subject of the certificate becomes an identity of the scheme `x509`.
    pub fn client_cert_required(mut self) -> Self {
        self.client_cert = true;
        self
    }

    /// Lets these users authenticate by SASL (DIGEST-MD5), each with a name and a password. Names must be made of
    /// letters, digits and underscores, and neither may contain a quotation mark.
    pub fn sasl_users(
        mut self,
        users: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        self.sasl_users.extend(users.into_iter().map(|(name, password)| (name.into(), password.into())));
        self
    }

    /// Closes the session of whoever asks for anything before authenticating by SASL.
    pub fn require_sasl(mut self) -> Self {
        self.sasl_required = true;
        self
    }

    /// Names the user of the scheme `digest` to whom no access list applies.
    pub fn superuser(mut self, user: &str, password: &str) -> Self {
        let hash = BASE64.encode(Sha1::digest(format!("{user}:{password}")));
        self.superuser = Some(format!("{user}:{hash}"));
        self
    }

    /// Allows the members of the ensemble to be changed while it runs. Only a superuser may do it, unless the
    /// access list of `/zookeeper/config` is changed.
    ///
    /// A server on its own becomes an ensemble of one.
    pub fn reconfig_enabled(mut self) -> Self {
        self.reconfig = true;
        self
    }

    /// Lets a member that has lost its quorum serve reads to those who accept that.
    pub fn read_only_mode(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Adds a line to the server's configuration file, for example `globalOutstandingLimit=10`. A later line wins
    /// over an earlier one and over the defaults.
    pub fn config_line(mut self, line: impl Into<String>) -> Self {
        self.config.push(line.into());
        self
    }

    /// Adds a flag for the Java machine, for example `-Djute.maxbuffer=8388608`.
    pub fn java_flag(mut self, flag: impl Into<String>) -> Self {
        self.java.push(flag.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_superuser_is_told_by_the_hash_of_the_password() {
        let options = ServerOptions::default().superuser("super", "secret");
        assert_eq!(options.superuser.as_deref(), Some("super:lK75jTNcA+U9vtVEw5vB51mj/w4="));
    }
}

//! The URL of a store on ZooKeeper.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::UrlError;
use super::percent::encode;

/// A store on ZooKeeper: `zk://h1:p,h2:p/chroot?option=value&..`, or `zks://` for TLS.
///
/// Its text and its debug output name where secrets are kept, and never show one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ZooKeeperUrl {
    /// The servers, each `host:port`. The port is 2181 where none was given, with TLS too: ZooKeeper has no other
    /// that would be its own.
    pub hosts: Vec<String>,
    /// The path below which everything is, without a trailing slash; empty for none.
    pub chroot: String,
    /// `session_timeout`: how long the session outlives a silent client; the default is the client's.
    pub session_timeout: Option<Duration>,
    /// `busy_poll`: for how long an answer is looked for before it is slept for; not at all by default.
    pub busy_poll: Option<Duration>,
    /// `zks://`: how connections are secured. `None` for plain ones.
    pub tls: Option<TlsFiles>,
    /// `auth`, which may be given several times: who this client is.
    pub auth: Vec<AuthSource>,
    /// `acl`: who may touch what the store makes.
    pub acl: ZnodeAccess,
}

/// The PEM files of TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsFiles {
    /// `ca`: the authorities that the servers' certificates are of, one or several. Those that the operating system
    /// trusts if there is none.
    pub ca: Option<PathBuf>,
    /// `cert` and `key`: the certificate of this client with those that link it to an authority, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A way to say who this client is, and where the user and password for it are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthSource {
    /// Scheme `digest`.
    Digest(SecretSource),
    /// SASL with the mechanism DIGEST-MD5.
    Sasl(SecretSource),
}

/// Where `user:password` is kept, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretSource {
    /// `@FILE`.
    File(PathBuf),
    /// `$NAME`: the environment variable of this name.
    Variable(String),
}

/// Who may touch what the store makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZnodeAccess {
    /// `open`: everybody may do everything.
    #[default]
    Open,
    /// `creator`: whoever has an identity of the client that made it may do everything, nobody else anything.
    Creator,
    /// `read`: as `creator`, and everybody may read.
    Read,
}

impl ZooKeeperUrl {
    /// The files that hold a password or a private key.
    pub fn secret_files(&self) -> impl Iterator<Item = &Path> {
        let passwords = self.auth.iter().filter_map(|auth| match auth.source() {
            SecretSource::File(path) => Some(path.as_path()),
            SecretSource::Variable(_) => None,
        });
        let identity = self.tls.as_ref().and_then(|tls| tls.identity.as_ref());
        passwords.chain(identity.map(|(_, key)| key.as_path()))
    }

    /// All files that are named.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let passwords = self.auth.iter_mut().filter_map(|auth| match auth.source_mut() {
            SecretSource::File(path) => Some(path),
            SecretSource::Variable(_) => None,
        });
        let tls = self.tls.as_mut().into_iter();
        let tls = tls.flat_map(|tls| {
            let identity = tls.identity.as_mut().map(|(cert, key)| [cert, key]);
            tls.ca.iter_mut().chain(identity.into_iter().flatten())
        });
        passwords.chain(tls)
    }

    /// Whether the client will be somebody to the servers: by `auth`, or by `cert` and `key`.
    #[must_use]
    pub fn has_identity(&self) -> bool {
        !self.auth.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.identity.is_some())
    }
}

impl AuthSource {
    /// Where the user and password are kept.
    #[must_use]
    pub const fn source(&self) -> &SecretSource {
        match self {
            Self::Digest(source) | Self::Sasl(source) => source,
        }
    }

    const fn source_mut(&mut self) -> &mut SecretSource {
        match self {
            Self::Digest(source) | Self::Sasl(source) => source,
        }
    }

    /// Reads the value of `auth`.
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        let (make, place): (fn(SecretSource) -> Self, _) = match text.split_once(':') {
            Some(("digest", place)) => (Self::Digest, place),
            Some(("sasl", place)) => (Self::Sasl, place),
            _ => return Err(UrlError::BadAuth),
        };
        match (place.strip_prefix('@'), place.strip_prefix('$')) {
            (Some(file), _) if !file.is_empty() => Ok(make(SecretSource::File(file.into()))),
            (_, Some(name)) if is_variable(name) => Ok(make(SecretSource::Variable(name.to_owned()))),
            (None, None) if !place.is_empty() => Err(UrlError::LiteralSecret),
            _ => Err(UrlError::BadAuth),
        }
    }
}

/// Whether this can be the name of an environment variable as shells have them.
fn is_variable(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "@{}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
        }
    }
}

impl fmt::Display for ZooKeeperUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls.is_some() { "zks" } else { "zk" };
        write!(f, "{scheme}://{}{}", self.hosts.join(","), self.chroot)?;
        let mut options = Vec::new();
        let mut add = |name: &str, value: &str| options.push(format!("{name}={}", encode(value)));
        if let Some(time) = self.session_timeout {
            add("session_timeout", &format!("{}ms", time.as_millis()));
        }
        if let Some(time) = self.busy_poll {
            add("busy_poll", &format!("{}ms", time.as_millis()));
        }
        if let Some(tls) = &self.tls {
            let identity = tls.identity.as_ref();
            let files = [
                ("ca", tls.ca.as_ref()),
                ("cert", identity.map(|(cert, _)| cert)),
                ("key", identity.map(|(_, key)| key)),
            ];
            for (name, file) in files {
                if let Some(file) = file {
                    add(name, &file.display().to_string());
                }
            }
        }
        for auth in &self.auth {
            let scheme = if matches!(auth, AuthSource::Digest(_)) { "digest" } else { "sasl" };
            add("auth", &format!("{scheme}:{}", auth.source()));
        }
        match self.acl {
            ZnodeAccess::Open => {}
            ZnodeAccess::Creator => add("acl", "creator"),
            ZnodeAccess::Read => add("acl", "read"),
        }
        if options.is_empty() { Ok(()) } else { write!(f, "?{}", options.join("&")) }
    }
}

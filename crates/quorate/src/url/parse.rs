//! Reading the URL of a store on ZooKeeper.

use std::time::Duration;

use super::error::UrlError;
use super::percent::decode;
use super::zookeeper::{AuthSource, TlsFiles, ZnodeAccess, ZooKeeperUrl};

/// The options that are known.
const OPTIONS: &str = "session_timeout, busy_poll, auth, acl";
/// The options that are known with TLS.
const TLS_OPTIONS: &str = "session_timeout, busy_poll, auth, acl, ca, cert, key";
/// The port of a server whose host was given without one.
const PORT: u16 = 2181;

const NEEDS_TLS: &str = "zks://, since connections with zk:// are not secured by TLS";

/// The options as they are collected.
#[derive(Default)]
struct Options {
    session_timeout: Option<Duration>,
    busy_poll: Option<Duration>,
    ca: Option<String>,
    cert: Option<String>,
    key: Option<String>,
    auth: Vec<AuthSource>,
    acl: Option<ZnodeAccess>,
}

/// Reads what follows `zk:` or `zks:`.
pub(super) fn zookeeper(url: &str, rest: &str, is_secure: bool) -> Result<ZooKeeperUrl, UrlError> {
    let rest =
        rest.strip_prefix("//").ok_or_else(|| invalid(url, "after the scheme come // and the hosts"))?;
    let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, chroot) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let hosts: Result<Vec<_>, _> = hosts.split(',').map(|host| with_port(url, host)).collect();
    // With `user:password@host` the password would be repeated, as what is wrong with the host.
    let hosts = hosts.map_err(|error| if rest.contains('@') { UrlError::LiteralSecret } else { error })?;
    if hosts.iter().any(|host| host.contains('@')) {
        return Err(UrlError::LiteralSecret);
    }
    let chroot = chroot.trim_end_matches('/');
    if !chroot.is_empty() {
        quorate_datasync::Key::parse(chroot).map_err(|error| invalid(url, error.to_string()))?;
    }
    let options = Options::parse(options, is_secure)?;
    let url = ZooKeeperUrl {
        hosts,
        chroot: chroot.to_owned(),
        session_timeout: options.session_timeout,
        busy_poll: options.busy_poll,
        tls: options.tls(is_secure)?,
        acl: options.acl.unwrap_or_default(),
        auth: options.auth,
    };
    if url.acl != ZnodeAccess::Open && !url.has_identity() {
        let needs = "an identity that what is made belongs to: give auth, or cert and key with zks://";
        return Err(UrlError::Needs { option: "acl", needs });
    }
    Ok(url)
}

impl Options {
    fn parse(text: &str, is_secure: bool) -> Result<Self, UrlError> {
        let mut options = Self::default();
        for option in text.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match name {
                "session_timeout" => {
                    once("session_timeout", &mut options.session_timeout, time("session_timeout", value)?)?;
                }
                "busy_poll" => once("busy_poll", &mut options.busy_poll, time("busy_poll", value)?)?,
                "acl" => once("acl", &mut options.acl, access(value)?)?,
                "auth" => options.add_auth(&decode(value).ok_or(UrlError::BadAuth)?)?,
                "ca" => once("ca", &mut options.ca, file("ca", value)?)?,
                "cert" => once("cert", &mut options.cert, file("cert", value)?)?,
                "key" => once("key", &mut options.key, file("key", value)?)?,
                _ => {
                    let (scheme, known) = if is_secure { ("zks:", TLS_OPTIONS) } else { ("zk:", OPTIONS) };
                    return Err(UrlError::UnknownOption { scheme, option: only_name(name), known });
                }
            }
        }
        Ok(options)
    }

    fn add_auth(&mut self, value: &str) -> Result<(), UrlError> {
        let auth = AuthSource::parse(value)?;
        let is_sasl = |auth: &AuthSource| matches!(auth, AuthSource::Sasl(_));
        if is_sasl(&auth) && self.auth.iter().any(is_sasl) {
            return Err(UrlError::Repeated { option: "auth=sasl" });
        }
        self.auth.push(auth);
        Ok(())
    }

    fn tls(&self, is_secure: bool) -> Result<Option<TlsFiles>, UrlError> {
        let given = [("ca", &self.ca), ("cert", &self.cert), ("key", &self.key)];
        if !is_secure {
            return match given.into_iter().find(|(_, file)| file.is_some()) {
                Some((option, _)) => Err(UrlError::Needs { option, needs: NEEDS_TLS }),
                None => Ok(None),
            };
        }
        let identity = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some((cert.into(), key.into())),
            (None, None) => None,
            (Some(_), None) => {
                return Err(UrlError::Needs { option: "cert", needs: "key, the private key to it" });
            }
            (None, Some(_)) => {
                return Err(UrlError::Needs { option: "key", needs: "cert, the certificate to it" });
            }
        };
        Ok(Some(TlsFiles { ca: self.ca.as_ref().map(Into::into), identity }))
    }
}

fn once<T>(option: &'static str, place: &mut Option<T>, value: T) -> Result<(), UrlError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(UrlError::Repeated { option }),
    }
}

fn time(option: &'static str, value: &str) -> Result<Duration, UrlError> {
    duration(value).ok_or_else(|| UrlError::BadOption {
        option,
        value: value.to_owned(),
        expected: "it is a time such as 15s or 500ms",
    })
}

fn access(value: &str) -> Result<ZnodeAccess, UrlError> {
    match value {
        "open" => Ok(ZnodeAccess::Open),
        "creator" => Ok(ZnodeAccess::Creator),
        "read" => Ok(ZnodeAccess::Read),
        _ => Err(UrlError::BadOption {
            option: "acl",
            value: value.to_owned(),
            expected: "it is open, creator or read",
        }),
    }
}

fn file(option: &'static str, value: &str) -> Result<String, UrlError> {
    decode(value).filter(|file| !file.is_empty()).ok_or_else(|| UrlError::BadOption {
        option,
        value: value.to_owned(),
        expected: "it names a file, in which % & ? # stand as %25 %26 %3F %23",
    })
}

/// What can be repeated of an option that is not known: behind its name there might be a secret.
fn only_name(option: &str) -> String {
    option.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect()
}

/// Checks a host and adds the port if it has none. IPv6 addresses stand in brackets.
fn with_port(url: &str, host: &str) -> Result<String, UrlError> {
    let (name, port) = match host.rfind(':') {
        Some(at) if !host.ends_with(']') => (&host[..at], Some(&host[at + 1..])),
        _ => (host, None),
    };
    if name.is_empty() || (name.contains(':') && !name.starts_with('[')) {
        return Err(invalid(url, format!("{host:?} is no host:port")));
    }
    match port {
        None => Ok(format!("{host}:{PORT}")),
        Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(host.to_owned()),
        Some(port) => Err(invalid(url, format!("{port:?} is no port"))),
    }
}

/// A whole number of `ms`, `s` or `m`, greater than zero.
fn duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..at].parse().ok().filter(|&number| number > 0)?;
    match &text[at..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}

/// The error of a URL, of which the options are not repeated.
pub(super) fn invalid(url: &str, problem: impl Into<String>) -> UrlError {
    let url = url.split('?').next().unwrap_or_default();
    UrlError::Invalid { url: url.to_owned(), problem: problem.into() }
}

//! Store URLs: parsed once, refused with the names of what is known.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// The schemes that are known, for error messages.
const SCHEMES: &str = "mem:, mem:NAME, sqlite:PATH, zk://HOST:PORT,../CHROOT";
/// The options of `zk:` that are known.
const ZK_OPTIONS: &str = "session_timeout";
/// The port of a ZooKeeper server whose host was given without one.
const ZK_PORT: u16 = 2181;

/// The URL of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreUrl {
    /// In this process; shared under a name, or new at each open.
    Memory {
        /// The name under which it is shared.
        name: Option<String>,
    },
    /// One file for all processes of one machine.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// ZooKeeper.
    ZooKeeper {
        /// The servers, each `host:port`.
        hosts: Vec<String>,
        /// The path below which everything is, without a trailing slash; empty for none.
        chroot: String,
        /// How long the session outlives a silent client; the default is the client's.
        session_timeout: Option<Duration>,
    },
}

/// Why a text is no store URL.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// The text has no scheme.
    #[error("{0:?} is no store URL: known are {SCHEMES}")]
    NoScheme(String),
    /// The scheme is not known.
    #[error("unknown store {0:?}: known are {SCHEMES}")]
    UnknownScheme(String),
    /// An option is not known to the store.
    #[error("unknown option {option:?} of {scheme} known are {known}")]
    UnknownOption {
        /// The scheme.
        scheme: &'static str,
        /// The option.
        option: String,
        /// The options that are known.
        known: &'static str,
    },
    /// An option has a value that it cannot have.
    #[error("option {option} cannot be {value:?}: {expected}")]
    BadOption {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What it can be.
        expected: &'static str,
    },
    /// The part after the scheme is missing or wrong.
    #[error("{url:?} is not valid: {problem}")]
    Invalid {
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl FromStr for StoreUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once(':').ok_or_else(|| UrlError::NoScheme(text.to_owned()))?;
        match scheme {
            "mem" => {
                let name = without_options("mem:", rest)?;
                Ok(Self::Memory { name: Some(name.to_owned()).filter(|name| !name.is_empty()) })
            }
            "sqlite" => {
                let path = without_options("sqlite:", rest)?;
                let path = path.strip_prefix("//").unwrap_or(path);
                if path.is_empty() {
                    return Err(invalid(text, "it names no file"));
                }
                Ok(Self::Sqlite { path: path.into() })
            }
            "zk" => zookeeper(text, rest),
            _ => Err(UrlError::UnknownScheme(scheme.to_owned())),
        }
    }
}

fn zookeeper(url: &str, rest: &str) -> Result<StoreUrl, UrlError> {
    let rest = rest.strip_prefix("//").ok_or_else(|| invalid(url, "after zk: come // and the hosts"))?;
    let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, chroot) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let hosts = hosts.split(',').map(|host| with_port(url, host)).collect::<Result<Vec<_>, _>>()?;
    let chroot = chroot.trim_end_matches('/');
    if !chroot.is_empty() {
        quorate_datasync::Key::parse(chroot).map_err(|error| invalid(url, error.to_string()))?;
    }
    let mut session_timeout = None;
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        if name != "session_timeout" {
            let (scheme, option, known) = ("zk:", name.to_owned(), ZK_OPTIONS);
            return Err(UrlError::UnknownOption { scheme, option, known });
        }
        session_timeout = Some(parse_duration(value).ok_or_else(|| UrlError::BadOption {
            option: "session_timeout",
            value: value.to_owned(),
            expected: "it is a time such as 15s or 500ms",
        })?);
    }
    Ok(StoreUrl::ZooKeeper { hosts, chroot: chroot.to_owned(), session_timeout })
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
        None => Ok(format!("{host}:{ZK_PORT}")),
        Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(host.to_owned()),
        Some(port) => Err(invalid(url, format!("{port:?} is no port"))),
    }
}

fn without_options<'t>(scheme: &'static str, rest: &'t str) -> Result<&'t str, UrlError> {
    match rest.split_once('?') {
        None => Ok(rest),
        Some((rest, "")) => Ok(rest),
        Some((_, options)) => {
            let option = options.split(['=', '&']).next().unwrap_or_default().to_owned();
            Err(UrlError::UnknownOption { scheme, option, known: "none" })
        }
    }
}

/// A whole number of `ms`, `s` or `m`, greater than zero.
fn parse_duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..at].parse().ok().filter(|&number| number > 0)?;
    match &text[at..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}

fn invalid(url: &str, problem: impl Into<String>) -> UrlError {
    UrlError::Invalid { url: url.to_owned(), problem: problem.into() }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { name } => write!(f, "mem:{}", name.as_deref().unwrap_or_default()),
            Self::Sqlite { path } => write!(f, "sqlite:{}", path.display()),
            Self::ZooKeeper { hosts, chroot, session_timeout } => {
                write!(f, "zk://{}{chroot}", hosts.join(","))?;
                session_timeout.map_or(Ok(()), |time| write!(f, "?session_timeout={}ms", time.as_millis()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StoreUrl, UrlError> {
        text.parse()
    }

    #[test]
    fn the_known_urls_are_parsed() {
        assert_eq!(parse("mem:"), Ok(StoreUrl::Memory { name: None }));
        assert_eq!(parse("mem:a"), Ok(StoreUrl::Memory { name: Some("a".into()) }));
        assert_eq!(parse("sqlite:state.db"), Ok(StoreUrl::Sqlite { path: "state.db".into() }));
        assert_eq!(parse("sqlite:///var/s.db"), Ok(StoreUrl::Sqlite { path: "/var/s.db".into() }));
        let zk = StoreUrl::ZooKeeper {
            hosts: vec!["h1:2181".into(), "[::1]:2182".into()],
            chroot: "/prod".into(),
            session_timeout: Some(Duration::from_secs(9)),
        };
        assert_eq!(parse("zk://h1,[::1]:2182/prod/?session_timeout=9s"), Ok(zk));
    }

    #[test]
    fn an_unknown_scheme_is_told_what_is_known() {
        let error = parse("redis://h").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown store \"redis\": known are mem:, mem:NAME, sqlite:PATH, zk://HOST:PORT,../CHROOT"
        );
        assert!(matches!(parse("state.db"), Err(UrlError::NoScheme(_))));
    }

    #[test]
    fn an_unknown_option_is_told_what_is_known() {
        let error = parse("zk://h?timeout=3s").unwrap_err();
        assert_eq!(error.to_string(), "unknown option \"timeout\" of zk: known are session_timeout");
        assert!(matches!(parse("sqlite:a?mode=ro"), Err(UrlError::UnknownOption { .. })));
        assert!(matches!(parse("zk://h?session_timeout=3"), Err(UrlError::BadOption { .. })));
    }

    #[test]
    fn broken_hosts_and_paths_are_refused() {
        for url in
            ["zk:h", "zk://", "zk://h:0", "zk://h:x", "zk://h,,g", "zk://h/a//b", "sqlite:", "zk://::1"]
        {
            assert!(matches!(parse(url), Err(UrlError::Invalid { .. })), "{url}");
        }
    }
}

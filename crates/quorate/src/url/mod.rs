//! Store URLs: parsed once, refused with the names of what is known.

mod error;
mod parse;
mod percent;
mod zookeeper;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

pub use error::UrlError;
use parse::invalid;
pub use zookeeper::{AuthSource, SecretSource, TlsFiles, ZnodeAccess, ZooKeeperUrl};

/// The URL of a store. It can be shown to everybody: it names where secrets are kept, and contains none.
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
    ZooKeeper(Box<ZooKeeperUrl>),
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
            "zk" | "zks" => {
                let url = parse::zookeeper(text, rest, scheme == "zks")?;
                Ok(Self::ZooKeeper(Box::new(url)))
            }
            _ => Err(UrlError::UnknownScheme(scheme.to_owned())),
        }
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

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { name } => write!(f, "mem:{}", name.as_deref().unwrap_or_default()),
            Self::Sqlite { path } => write!(f, "sqlite:{}", path.display()),
            Self::ZooKeeper(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn parse(text: &str) -> Result<StoreUrl, UrlError> {
        text.parse()
    }

    fn zookeeper(text: &str) -> ZooKeeperUrl {
        match parse(text) {
            Ok(StoreUrl::ZooKeeper(url)) => *url,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_known_urls_are_parsed() {
        assert_eq!(parse("mem:"), Ok(StoreUrl::Memory { name: None }));
        assert_eq!(parse("mem:a"), Ok(StoreUrl::Memory { name: Some("a".into()) }));
        assert_eq!(parse("sqlite:state.db"), Ok(StoreUrl::Sqlite { path: "state.db".into() }));
        assert_eq!(parse("sqlite:///var/s.db"), Ok(StoreUrl::Sqlite { path: "/var/s.db".into() }));
        let url = zookeeper("zk://h1,[::1]:2182/prod/?session_timeout=9s&busy_poll=1ms");
        assert_eq!(url.hosts, ["h1:2181", "[::1]:2182"]);
        assert_eq!((url.chroot.as_str(), url.session_timeout), ("/prod", Some(Duration::from_secs(9))));
        assert_eq!(url.busy_poll, Some(Duration::from_millis(1)));
        assert_eq!((url.tls, url.auth, url.acl), (None, Vec::new(), ZnodeAccess::Open));
    }

    #[test]
    fn security_is_part_of_the_url() {
        let url = zookeeper(
            "zks://h?ca=ca%26.pem&cert=c.pem&key=c.key&auth=digest:@zk.auth&auth=sasl:$ZK&acl=read",
        );
        let tls = url.tls.clone().unwrap();
        assert_eq!(tls.ca, Some("ca&.pem".into()));
        assert_eq!(tls.identity, Some(("c.pem".into(), "c.key".into())));
        let digest = AuthSource::Digest(SecretSource::File("zk.auth".into()));
        assert_eq!(url.auth, [digest, AuthSource::Sasl(SecretSource::Variable("ZK".into()))]);
        assert_eq!((&url.hosts[..], url.acl), (&["h:2181".to_owned()][..], ZnodeAccess::Read));
        let secret: Vec<_> = url.secret_files().map(|file| file.display().to_string()).collect();
        assert_eq!(secret, ["zk.auth", "c.key"]);
        assert_eq!(url.clone().files_mut().count(), 4);
        assert_eq!(zookeeper("zks://h").tls, Some(TlsFiles::default()));
    }

    #[test]
    fn the_text_of_a_url_is_the_same_url() {
        for text in [
            "zk://h:2181",
            "zks://h:2181,g:1/a?session_timeout=9000ms&busy_poll=2ms&ca=a%20b%26.pem&cert=c&key=k&auth=digest:@f%25&acl=creator",
            "zks://h:2181?auth=sasl:$VAR&auth=digest:$OTHER&acl=read",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_secret_in_a_url_is_refused_and_not_repeated() {
        for url in [
            "zk://h?auth=digest:bob:hush",
            "zk://h?auth=sasl:bob:hush",
            "zk://h?auth=bob:hush",
            "zk://h?auth=digest:$hush!",
            "zk://h?auth=digest:%hush",
            "zk://bob:hush@h",
            "zk://bob:hush/hush@h",
            "zk://hush@h",
            "zk://h,?auth=digest:bob:hush",
            "zk://h?auth:hush",
            "zk://h?acl=open&auth=digest:$&hush",
        ] {
            let error = parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
        assert_eq!(parse("zk://h?auth=digest:bob:word"), Err(UrlError::LiteralSecret));
        assert_eq!(parse("zk://h?auth=digest:@"), Err(UrlError::BadAuth));
    }

    #[test]
    fn an_option_that_lacks_another_says_which() {
        for (url, option, needs) in [
            ("zk://h?ca=ca.pem", "ca", "zks://"),
            ("zk://h?cert=c&key=k", "cert", "zks://"),
            ("zks://h?cert=c", "cert", "key"),
            ("zks://h?key=k", "key", "cert"),
            ("zk://h?acl=creator", "acl", "identity"),
            ("zks://h?ca=ca.pem&acl=read", "acl", "identity"),
        ] {
            let error = parse(url).unwrap_err();
            assert!(matches!(error, UrlError::Needs { option: named, .. } if named == option), "{error}");
            assert!(error.to_string().contains(needs), "{error}");
        }
    }

    #[test]
    fn an_option_that_is_given_twice_is_refused() {
        for url in ["zk://h?acl=open&acl=open", "zks://h?ca=a&ca=b", "zk://h?auth=sasl:@a&auth=sasl:@b"] {
            assert!(matches!(parse(url), Err(UrlError::Repeated { .. })), "{url}");
        }
    }

    #[test]
    fn an_unknown_scheme_is_told_what_is_known() {
        let error = parse("redis://h").unwrap_err().to_string();
        assert!(error.starts_with("unknown store \"redis\": known are mem:, mem:NAME, sqlite:PATH, zk://"));
        assert!(error.contains("zks://"));
        assert!(matches!(parse("state.db"), Err(UrlError::NoScheme(_))));
    }

    #[test]
    fn an_unknown_option_is_told_what_is_known() {
        let error = parse("zk://h?timeout=3s").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown option \"timeout\" of zk: known are session_timeout, busy_poll, auth, acl"
        );
        assert!(parse("zks://h?x=1").unwrap_err().to_string().contains("acl, ca, cert, key"));
        assert!(matches!(parse("sqlite:a?mode=ro"), Err(UrlError::UnknownOption { .. })));
        for url in [
            "zk://h?session_timeout=3",
            "zk://h?busy_poll=0ms",
            "zk://h?acl=all",
            "zks://h?ca=",
            "zks://h?ca=%zz",
        ] {
            assert!(matches!(parse(url), Err(UrlError::BadOption { .. })), "{url}");
        }
    }

    #[test]
    fn broken_hosts_and_paths_are_refused() {
        for url in [
            "zk:h",
            "zk://",
            "zk://h:0",
            "zk://h:x",
            "zk://h,,g",
            "zk://h/a//b",
            "sqlite:",
            "zk://::1",
            "zks:",
        ] {
            assert!(matches!(parse(url), Err(UrlError::Invalid { .. })), "{url}");
        }
    }
}

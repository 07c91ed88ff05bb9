//! What an ensemble says about itself.

use std::{collections::BTreeMap, net::IpAddr};

use thiserror::Error;

use crate::hosts::{Host, parse_port};

/// Where an ensemble keeps its configuration, whatever the chroot.
pub(crate) const CONFIG_PATH: &str = "/zookeeper/config";

/// Most members that are believed in; real ensembles have fewer than a hundred.
const MEMBERS_MAX: usize = 1024;

/// The configuration of an ensemble, as in the znode `/zookeeper/config`.
///
/// # Examples
///
/// ```
/// use quorate_zk::EnsembleConfig;
///
/// let data = b"server.1=zk1.example:2888:3888:participant;0.0.0.0:2181\n\
///              server.2=10.0.0.2:2888:3888:observer;10.1.0.2:2182\n\
///              version=100000000";
/// let config = EnsembleConfig::parse(data)?;
/// assert_eq!(config.version, 0x1_0000_0000);
/// let hosts: Vec<_> = config.connect_hosts().collect();
/// assert_eq!(hosts, ["zk1.example:2181", "10.1.0.2:2182"]);
/// # Ok::<(), quorate_zk::EnsembleConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnsembleConfig {
    /// The transaction that made it; later ones are greater.
    pub version: u64,
    /// The members, by ascending id. None on a server that was not told of any, such as a standalone one.
    pub members: Vec<Member>,
}

/// A server of an ensemble.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// Its number.
    pub id: i64,
    /// Its name or address among the servers, without brackets; the first if there are several.
    pub host: String,
    /// Whether it votes.
    pub role: MemberRole,
    /// Where clients connect to, without TLS: the address it listens on, as it tells, and a port. `None` if it keeps
    /// that to itself, as servers do that are not reconfigured at run time.
    pub client: Option<(String, u16)>,
}

/// Whether a member votes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemberRole {
    /// It votes.
    #[default]
    Participant,
    /// It follows without a vote.
    Observer,
}

/// Why a text is not the configuration of an ensemble.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnsembleConfigError {
    /// It is not UTF-8.
    #[error("the configuration is not text")]
    NotText,
    /// A line about a member is not understood.
    #[error("member {member:?} of the configuration is malformed")]
    InvalidMember {
        /// The member, `server.` and its number.
        member: String,
    },
    /// The version is no hexadecimal number.
    #[error("the version of the configuration is malformed")]
    InvalidVersion,
    /// There are more members than any ensemble has.
    #[error("the configuration has more than {count_max} members")]
    TooManyMembers {
        /// The most there may be.
        count_max: usize,
    },
}

impl EnsembleConfig {
    /// Reads the data of `/zookeeper/config`. Keys that are not known are passed over; of a key that is there twice
    /// the last counts, as on a server. No data is a configuration without members.
    ///
    /// # Errors
    ///
    /// [`EnsembleConfigError`] if anything about members or the version is not understood: half an ensemble is worse
    /// than the one known so far.
    pub fn parse(data: &[u8]) -> Result<Self, EnsembleConfigError> {
        let text = std::str::from_utf8(data).map_err(|_| EnsembleConfigError::NotText)?;
        let (mut version, mut members) = (0, BTreeMap::new());
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            let (key, value) = (key.trim(), value.trim());
            if key == "version" {
                version = u64::from_str_radix(value, 16).map_err(|_| EnsembleConfigError::InvalidVersion)?;
            } else if let Some(id) = key.strip_prefix("server.") {
                let member = Member::parse(id, value).ok_or_else(|| {
                    let member = key.chars().take(32).collect();
                    EnsembleConfigError::InvalidMember { member }
                })?;
                members.insert(member.id, member);
            }
            if members.len() > MEMBERS_MAX {
                return Err(EnsembleConfigError::TooManyMembers { count_max: MEMBERS_MAX });
            }
        }
        Ok(Self { version, members: members.into_values().collect() })
    }

    /// Returns where clients connect to, as [`ClientOptions::new`](crate::ClientOptions::new) wants it.
    ///
    /// Members that keep it to themselves are left out. One that listens on all its addresses is connected to by the
    /// name that the other servers use. These ports are those without TLS.
    pub fn connect_hosts(&self) -> impl Iterator<Item = String> {
        self.hosts().map(|host| host.to_string())
    }

    /// The same, to replace the hosts of a client with.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = Host> {
        self.members.iter().filter_map(Member::connect_host)
    }
}

impl Member {
    /// Reads `host:port:port[:role][;[host:]port]`, where several addresses have a `|` between them.
    fn parse(id: &str, text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let (addresses, client) = (parts.next()?, parts.next());
        let mut addresses = addresses.split('|').map(Address::parse);
        let first = addresses.next()??;
        let role = match addresses.next_back() {
            Some(last) => last?.role,
            None => first.role,
        };
        let client = match client.map(str::trim) {
            Some(client) => Some(parse_client(client)?),
            None => None,
        };
        Some(Self { id: id.parse().ok()?, host: first.host, role, client })
    }

    fn connect_host(&self) -> Option<Host> {
        let (listening, port) = self.client.as_ref()?;
        let is_everywhere = listening.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified());
        Host::new(if is_everywhere { &self.host } else { listening }, *port)
    }
}

/// How the other servers reach one.
struct Address {
    host: String,
    role: MemberRole,
}

impl Address {
    fn parse(text: &str) -> Option<Self> {
        let (host, rest) = split_host(text.trim())?;
        let mut parts = rest.split(':');
        parse_port(parts.next()?)?;
        parse_port(parts.next()?)?;
        let role = match parts.next() {
            None => MemberRole::default(),
            Some(role) if role.eq_ignore_ascii_case("participant") => MemberRole::Participant,
            Some(role) if role.eq_ignore_ascii_case("observer") => MemberRole::Observer,
            Some(_) => return None,
        };
        parts.next().is_none().then_some(Self { host, role })
    }
}

/// Splits `host:rest`, where an IPv6 address is in brackets.
fn split_host(text: &str) -> Option<(String, &str)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(text) => text.split_once("]:")?,
        None => text.split_once(':')?,
    };
    // Any port will do here; it is the name that is looked at.
    Host::new(host, 1).map(|_| (host.to_owned(), rest))
}

/// Reads `[host:]port`. Without a host a server listens on all its addresses.
fn parse_client(text: &str) -> Option<(String, u16)> {
    if let Some(port) = parse_port(text) {
        return Some(("0.0.0.0".to_owned(), port));
    }
    let (host, port) = split_host(text)?;
    Some((host, parse_port(port)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> EnsembleConfig {
        EnsembleConfig::parse(text.as_bytes()).expect("a configuration")
    }

    fn member(line: &str) -> Option<Member> {
        Member::parse("1", line)
    }

    #[test]
    fn members_are_read_in_every_form_that_servers_write() {
        let plain = member("h1:2888:3888").unwrap();
        assert_eq!((plain.host.as_str(), plain.role, plain.client), ("h1", MemberRole::Participant, None));
        let observer = member("h1:2888:3888:observer;h2:2181").unwrap();
        assert_eq!(observer.role, MemberRole::Observer);
        assert_eq!(observer.client, Some(("h2".to_owned(), 2181)));
        let v6 = member("[fd00::1]:2888:3888:participant;[::]:2181").unwrap();
        assert_eq!((v6.host.as_str(), v6.client), ("fd00::1", Some(("::".to_owned(), 2181))));
        let several = member("h1:2888:3888|h2:2889:3889:OBSERVER;2182").unwrap();
        assert_eq!((several.host.as_str(), several.role), ("h1", MemberRole::Observer));
        assert_eq!(several.client, Some(("0.0.0.0".to_owned(), 2182)));
    }

    #[test]
    fn what_is_no_member_is_an_error() {
        let long = format!("{}:1:2", "h".repeat(300));
        for line in [
            "",
            ":",
            "h1",
            "h1:1",
            "h1:1:x",
            "h1:1:2:king",
            "h1:1:2:observer:3",
            "h1:1:99999",
            ":1:2",
            "h 1:1:2",
            "h1:1:2;",
            "h1:1:2;x",
            "h1:1:2;h1:x",
            "h1:1:2;0",
            "[::1:1:2",
            "[h1]:1",
            "[::1]1:2",
            "|",
            &long,
        ] {
            assert_eq!(member(line), None, "{line:?}");
        }
        let error = EnsembleConfig::parse(b"server.x=h1:1:2").unwrap_err();
        assert_eq!(error, EnsembleConfigError::InvalidMember { member: "server.x".to_owned() });
    }

    #[test]
    fn the_version_is_hexadecimal() {
        assert_eq!(config("version=1f").version, 0x1f);
        for text in ["version=", "version=xyz", "version=-1", "version=11112222333344445"] {
            let error = EnsembleConfig::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error, EnsembleConfigError::InvalidVersion, "{text}");
        }
    }

    #[test]
    fn whatever_else_is_said_is_passed_over() {
        assert_eq!(config(""), EnsembleConfig::default());
        let config =
            config("\ngroup.1=1:2:3\nweight.1=5\nnonsense\n server.2 = h2:1:2 \r\nserver.2=h3:1:2\n");
        let hosts: Vec<_> = config.members.iter().map(|member| (member.id, member.host.as_str())).collect();
        assert_eq!(hosts, [(2, "h3")]);
        assert_eq!(EnsembleConfig::parse(b"\xff"), Err(EnsembleConfigError::NotText));
    }

    #[test]
    fn clients_go_where_members_say_or_to_their_name() {
        let config = config(
            "server.1=h1:1:2;0.0.0.0:2181\nserver.2=[fd::2]:1:2;[::]:2\nserver.3=h3:1:2\nserver.4=h4:1:2;h5:3",
        );
        assert_eq!(config.connect_hosts().collect::<Vec<_>>(), ["h1:2181", "[fd::2]:2", "h5:3"]);
    }

    #[test]
    fn no_text_is_too_odd_to_be_read_or_refused() {
        let good = b"server.1=h1:1:2|[::1]:3:4:observer;0.0.0.0:2181\nversion=100000000\n";
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let mut text = good.to_vec();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(0..text.len());
                match random.u8(0..3) {
                    0 => text[at] = *random.choice(b"[]:;|=.\n%\xff09").unwrap(),
                    1 => text.truncate(at.max(1)),
                    _ => text.extend_from_within(at..),
                }
            }
            if let Ok(config) = EnsembleConfig::parse(&text) {
                assert!(config.connect_hosts().all(|host| Host::parse(&host).is_ok()), "{text:?}");
            }
        }
    }

    #[test]
    fn an_ensemble_without_end_is_not_believed_in() {
        let line = |id: usize| format!("server.{id}=h{id}:1:2;2181\n");
        let text: String = (0..=MEMBERS_MAX).map(line).collect();
        let error = EnsembleConfig::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error, EnsembleConfigError::TooManyMembers { count_max: MEMBERS_MAX });
    }
}

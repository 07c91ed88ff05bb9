//! The configuration that an ensemble keeps about itself.

use bytes::Bytes;
use quorate_zk_proto::Stat;

/// Which servers form an ensemble, as they agreed on it themselves.
///
/// A server on its own has no members, and version 0. Lines that are not understood are left out of the members; they
/// are all in [`raw`](Self::raw).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnsembleConfig {
    /// Which configuration this is. A later one has a higher number.
    pub version: i64,
    /// The servers, in the order of the text.
    pub members: Vec<EnsembleMember>,
    /// The text as the server gave it.
    pub raw: Bytes,
    /// The stat of the znode that keeps it.
    pub stat: Stat,
}

/// One server of an ensemble.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnsembleMember {
    /// Its number.
    pub id: i64,
    /// Where the other servers reach it, as `host:port:port`. Several where it has several networks.
    pub peer_addresses: Vec<String>,
    /// What it does.
    pub role: MemberRole,
    /// Where clients reach it, as `host:port`; an address that stands for any, such as `0.0.0.0`, means the host of the
    /// peer address. `None` if the configuration does not tell.
    pub client_address: Option<String>,
}

/// What a server does in its ensemble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemberRole {
    /// It votes.
    Participant,
    /// It only follows.
    Observer,
}

impl EnsembleConfig {
    /// Reads the text of a configuration.
    pub(crate) fn parse(raw: Bytes, stat: Stat) -> Self {
        let text = String::from_utf8_lossy(&raw);
        let mut config = Self { version: 0, members: Vec::new(), raw: Bytes::new(), stat };
        for line in text.lines() {
            let Some((name, value)) = line.trim().split_once('=') else { continue };
            if name == "version" {
                config.version = i64::from_str_radix(value, 16).unwrap_or_default();
            } else if let Some(id) = name.strip_prefix("server.") {
                config.members.extend(EnsembleMember::parse(id, value));
            }
        }
        drop(text);
        Self { raw, ..config }
    }
}

impl EnsembleMember {
    /// Reads `host:port:port[:role][|..][;[host:]port]`, where a host may be an address in brackets.
    fn parse(id: &str, value: &str) -> Option<Self> {
        let (peers, client) = match value.split_once(';') {
            Some((peers, client)) => (peers, Some(client)),
            None => (value, None),
        };
        let mut role = MemberRole::Participant;
        let mut peer_addresses = Vec::new();
        for peer in peers.split('|') {
            let address = match peer.rsplit_once(':') {
                Some((address, "observer")) => {
                    role = MemberRole::Observer;
                    address
                }
                Some((address, "participant")) => address,
                _ => peer,
            };
            peer_addresses.push(address.to_owned());
        }
        let id = id.parse().ok()?;
        Some(Self {
            id,
            client_address: client.and_then(|client| with_host(client, peers)),
            peer_addresses,
            role,
        })
    }
}

/// Completes the address for clients: a port alone, or an address that stands for any, is at the peer's host.
fn with_host(client: &str, peers: &str) -> Option<String> {
    let (host, port) = client.rsplit_once(':').unwrap_or(("", client));
    let port: u16 = port.parse().ok()?;
    let is_any = matches!(host, "" | "0.0.0.0" | "[::]" | "[0:0:0:0:0:0:0:0]");
    let host = if is_any { host_of(peers)? } else { host };
    Some(format!("{host}:{port}"))
}

fn host_of(peer: &str) -> Option<&str> {
    if peer.starts_with('[') {
        return peer.find(']').map(|end| &peer[..=end]);
    }
    peer.split(':').next().filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> EnsembleConfig {
        EnsembleConfig::parse(Bytes::from_static(text.as_bytes()), Stat::default())
    }

    fn clients(config: &EnsembleConfig) -> Vec<Option<&str>> {
        config.members.iter().map(|member| member.client_address.as_deref()).collect()
    }

    #[test]
    fn the_members_of_an_ensemble_are_read() {
        let config = parse(
            "server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181\n\
             server.2=h2:2888:3888:observer;h2.public:2182\nversion=100000000",
        );
        assert_eq!(config.version, 0x1_0000_0000);
        assert_eq!(clients(&config), [Some("10.0.0.1:2181"), Some("h2.public:2182")]);
        assert_eq!(config.members[0].peer_addresses, ["10.0.0.1:2888:3888"]);
        assert_eq!(config.members[1].role, MemberRole::Observer);
    }

    #[test]
    fn addresses_of_the_sixth_version_and_of_several_networks_are_read() {
        let config = parse("server.1=[fe80::1]:2888:3888|h:2889:3889;2181\nserver.2=[::1]:1:2;[::]:2181");
        assert_eq!(clients(&config), [Some("[fe80::1]:2181"), Some("[::1]:2181")]);
        assert_eq!(config.members[0].peer_addresses, ["[fe80::1]:2888:3888", "h:2889:3889"]);
    }

    #[test]
    fn a_member_without_an_address_for_clients_has_none() {
        assert_eq!(clients(&parse("server.1=h:2888:3888")), [None]);
        assert_eq!(clients(&parse("server.1=h:2888:3888;here")), [None]);
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        let config = parse("group.1=1:2\nserver.x=h:1:2\nnonsense\nversion=zz\n=\n");
        assert_eq!((config.version, config.members.len()), (0, 0));
        assert!(config.raw.starts_with(b"group.1"));
        assert_eq!(parse("").members, []);
    }
}

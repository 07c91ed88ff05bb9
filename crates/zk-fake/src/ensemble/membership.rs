//! The members of the ensemble, as `/zookeeper/config` tells them.

use std::{collections::BTreeMap, net::SocketAddr};

use quorate_zk_proto::{ErrorCode, Reconfig, Zxid};

/// Ports of a server that nobody listens on: for its leader, and for elections.
const QUORUM_PORT: usize = 2888;
const ELECTION_PORT: usize = 3888;

/// Where the history of an ensemble begins, and its configuration: the first leader has an epoch already.
pub(super) const FIRST_ZXID: Zxid = Zxid::new(1 << 32);

/// Every address of a server.
const ANY_HOST: &str = "0.0.0.0";

/// A version of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    servers: BTreeMap<i64, Spec>,
    version: i64,
}

/// How one server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spec {
    /// Host and two ports.
    quorum: String,
    votes: bool,
    /// Host and port for clients.
    client: Option<String>,
}

impl Spec {
    /// Returns whether the port for clients is one of every address.
    fn is_reached_anywhere(&self) -> bool {
        self.client.as_ref().is_none_or(|client| client.starts_with(ANY_HOST))
    }
}

impl Membership {
    /// Reads lines like `server.1=host:2888:3888:participant;host:2181`.
    pub(crate) fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let lines = lines.into_iter().map(str::trim).filter(|line| !line.is_empty());
        let servers = lines.filter(|line| !line.starts_with("version=")).map(parse_line);
        Some(Self { servers: servers.collect::<Option<_>>()?, version: FIRST_ZXID.get() })
    }

    /// Names servers by where their clients reach them.
    pub(crate) fn of(addrs: &[SocketAddr]) -> Self {
        let spec = |(index, addr): (usize, &SocketAddr)| {
            let ports = (QUORUM_PORT + index, ELECTION_PORT + index);
            let quorum = format!("127.0.0.1:{}:{}", ports.0, ports.1);
            (1 + index as i64, Spec { quorum, votes: true, client: Some(addr.to_string()) })
        };
        Self { servers: addrs.iter().enumerate().map(spec).collect(), version: FIRST_ZXID.get() }
    }

    /// Returns it as it stands in the znode.
    pub(super) fn text(&self) -> String {
        let line = |(id, spec): (&i64, &Spec)| {
            let role = if spec.votes { "participant" } else { "observer" };
            let client = spec.client.as_ref().map(|client| format!(";{client}")).unwrap_or_default();
            format!("server.{id}={}:{role}{client}\n", spec.quorum)
        };
        self.servers.iter().map(line).collect::<String>() + &format!("version={:x}", self.version)
    }

    /// Returns the next version.
    pub(super) fn changed(&self, change: &Reconfig, zxid: Zxid) -> Result<Self, ErrorCode> {
        if change.from_config != -1 && change.from_config != self.version {
            return Err(ErrorCode::BadVersion);
        }
        let next = match &change.new_members {
            Some(members) => Self::parse(members.split([',', '\n'])).ok_or(ErrorCode::BadArguments),
            None => self.joined(change),
        };
        let mut next = next?;
        let voters = next.voters();
        if voters < 2 {
            return Err(ErrorCode::BadArguments);
        }
        // Nobody can join who is not there: only those that were members already are in touch.
        let in_touch = next.servers.iter().filter(|(id, spec)| spec.votes && self.servers.contains_key(id));
        if in_touch.count() * 2 <= voters {
            return Err(ErrorCode::NewConfigNoQuorum);
        }
        next.version = zxid.get();
        Ok(next)
    }

    /// Ids that are no numbers take the server by surprise.
    fn joined(&self, change: &Reconfig) -> Result<Self, ErrorCode> {
        let mut servers = self.servers.clone();
        for leaving in items(change.leaving.as_deref()) {
            servers.remove(&leaving.parse().map_err(|_| ErrorCode::MarshallingError)?);
        }
        for joining in items(change.joining.as_deref()) {
            let joining = parse_line(joining).filter(|(_, spec)| spec.client.is_some());
            let (id, spec) = joining.ok_or(ErrorCode::BadArguments)?;
            let taken = servers.iter().any(|(&other, taken)| {
                let same_client = taken.client == spec.client && !spec.is_reached_anywhere();
                other != id && (taken.quorum == spec.quorum || same_client)
            });
            if taken {
                return Err(ErrorCode::BadArguments);
            }
            servers.insert(id, spec);
        }
        Ok(Self { servers, version: 0 })
    }

    fn voters(&self) -> usize {
        self.servers.values().filter(|spec| spec.votes).count()
    }
}

fn items(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn parse_line(line: &str) -> Option<(i64, Spec)> {
    let (name, spec) = line.split_once('=')?;
    let id = name.trim().strip_prefix("server.")?.parse().ok()?;
    let (quorum, client) = match spec.trim().split_once(';') {
        Some((quorum, client)) => (quorum, Some(client)),
        None => (spec.trim(), None),
    };
    let parts: Vec<_> = quorum.split(':').collect();
    let (address, votes) = match parts[..] {
        [_, _, _] | [_, _, _, "participant"] => (&parts[..3], true),
        [_, _, _, "observer"] => (&parts[..3], false),
        _ => return None,
    };
    let ports_valid = address[1..].iter().all(|port| port.parse::<u16>().is_ok());
    if !ports_valid || address[0].is_empty() {
        return None;
    }
    let client = client.map(parse_client);
    if client == Some(None) {
        return None;
    }
    Some((id, Spec { quorum: address.join(":"), votes, client: client.flatten() }))
}

/// A port alone stands for every address of the server.
fn parse_client(client: &str) -> Option<String> {
    let (host, port) = client.rsplit_once(':').unwrap_or((ANY_HOST, client));
    port.parse::<u16>().ok().map(|port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(joining: &str, leaving: &str) -> Reconfig {
        let (joining, leaving) = (Some(joining.to_owned()), Some(leaving.to_owned()));
        Reconfig { joining, leaving, new_members: None, from_config: -1 }
    }

    #[test]
    fn servers_join_and_leave() {
        let three =
            Membership::parse(["server.1=a:1:2;3", "server.2=b:1:2;b:3", "server.3=c:1:2:observer;3"]);
        let three = three.unwrap();
        let joined = change("server.4=d:1:2;3", "3");
        let next = three.changed(&joined, Zxid::new(0x1_0000_0001)).unwrap();
        let text = "server.1=a:1:2:participant;0.0.0.0:3\nserver.2=b:1:2:participant;b:3\n\
                    server.4=d:1:2:participant;0.0.0.0:3\nversion=100000001";
        assert_eq!(next.text(), text);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let two = Membership::parse(["server.1=a:1:2;3", "server.2=b:1:2;3"]).unwrap();
        let refused = |joining, leaving| two.changed(&change(joining, leaving), Zxid::new(1)).err();
        assert_eq!(refused("", "2"), Some(ErrorCode::BadArguments), "one voter is left");
        assert_eq!(refused("server.3=c:1:2", ""), Some(ErrorCode::BadArguments), "no port for clients");
        assert_eq!(refused("server.3=a:1:2;9", ""), Some(ErrorCode::BadArguments), "ports of another");
        assert_eq!(refused("third", ""), Some(ErrorCode::BadArguments));
        assert_eq!(refused("", "third"), Some(ErrorCode::MarshallingError));
        let strangers = "server.3=c:1:2;1,server.4=d:1:2;1";
        assert_eq!(refused(strangers, ""), Some(ErrorCode::NewConfigNoQuorum), "two of four are not there");
        let late = Reconfig { from_config: 7, ..change("", "") };
        assert_eq!(two.changed(&late, Zxid::new(1)).err(), Some(ErrorCode::BadVersion));
    }
}

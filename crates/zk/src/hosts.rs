//! The hosts of an ensemble, and one round of attempts over all of their addresses.

use std::{collections::VecDeque, fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::lookup_host, time::timeout};

use crate::error::ConfigError;

/// ZooKeeper's port for clients.
const PORT: u16 = 2181;

/// A name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    name: Arc<str>,
    port: u16,
}

impl Host {
    /// Parses `name`, `name:port`, `address`, `[address]` or `[address]:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::InvalidHost { host: text.to_owned() };
        let trimmed = text.trim();
        let (name, port) = if let Some(rest) = trimmed.strip_prefix('[') {
            let (address, after) = rest.split_once(']').ok_or_else(invalid)?;
            (
                address,
                if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or_else(invalid)?) },
            )
        } else if trimmed.matches(':').count() > 1 {
            (trimmed, None)
        } else {
            match trimmed.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (trimmed, None),
            }
        };
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(invalid());
        }
        let port = port.map_or(Ok(PORT), str::parse).ok().filter(|&port| port != 0).ok_or_else(invalid)?;
        Ok(Self { name: name.into(), port })
    }

    async fn resolve(&self, limit: Duration) -> io::Result<Vec<SocketAddr>> {
        let mut addrs: Vec<_> = timeout(limit, lookup_host((&*self.name, self.port))).await??.collect();
        if addrs.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "name has no address"));
        }
        fastrand::shuffle(&mut addrs);
        Ok(addrs)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

/// One attempt at every address of every host, in random order. Names are looked up when their turn comes.
#[derive(Debug)]
pub(crate) struct Round {
    hosts: VecDeque<Host>,
    addrs: VecDeque<SocketAddr>,
    refusals: usize,
    /// The last thing that went wrong, refusals apart.
    failure: Option<String>,
}

impl Round {
    /// Starts a round.
    pub(crate) fn new(hosts: &[Host]) -> Self {
        let mut hosts = hosts.to_vec();
        fastrand::shuffle(&mut hosts);
        Self { hosts: hosts.into(), addrs: VecDeque::new(), refusals: 0, failure: None }
    }

    /// Returns the next address to try; `None` if the round is over.
    pub(crate) async fn next_addr(&mut self, limit: Duration) -> Option<SocketAddr> {
        loop {
            if let Some(addr) = self.addrs.pop_front() {
                return Some(addr);
            }
            let host = self.hosts.pop_front()?;
            match host.resolve(limit).await {
                Ok(addrs) => self.addrs.extend(addrs),
                Err(error) => self.note_failure(&host, &error),
            }
        }
    }

    /// Takes note of a server that was not reached, or did not answer as it should.
    pub(crate) fn note_failure(&mut self, place: &impl fmt::Display, error: &impl fmt::Display) {
        tracing::debug!(%place, %error, "server not reached");
        self.failure = Some(format!("{place}: {error}"));
    }

    /// Takes note that a server closed the connection during the handshake.
    pub(crate) const fn note_refusal(&mut self) {
        self.refusals += 1;
    }

    /// Returns whether there was nothing but refusals.
    pub(crate) const fn is_refused_by_all(&self) -> bool {
        self.refusals > 0 && self.failure.is_none()
    }

    /// Returns the last failure, unless some server refused.
    pub(crate) fn into_failure(self) -> Option<String> {
        self.failure.filter(|_| self.refusals == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_parsed_in_every_usual_form() {
        let good = [
            ("h1", "h1:2181"),
            ("h1:2182", "h1:2182"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("::1", "[::1]:2181"),
            ("[::1]", "[::1]:2181"),
            ("[::1]:5", "[::1]:5"),
            (" h1:3 ", "h1:3"),
        ];
        for (text, shown) in good {
            assert_eq!(Host::parse(text).unwrap().to_string(), shown);
        }
        for bad in ["", ":2181", "h1:", "h1:0", "h1:99999", "h1:x", "[::1", "[::1]5", "a b", "h1:2181/app"] {
            assert!(Host::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_round_tries_every_host_once() {
        let hosts = [Host::parse("127.0.0.1:1").unwrap(), Host::parse("127.0.0.2:2").unwrap()];
        let mut round = Round::new(&hosts);
        let mut addrs = Vec::new();
        while let Some(addr) = round.next_addr(Duration::from_secs(5)).await {
            addrs.push(addr.to_string());
        }
        addrs.sort();
        assert_eq!(addrs, ["127.0.0.1:1", "127.0.0.2:2"]);
    }
}

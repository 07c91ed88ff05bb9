//! One host, and one address of it.

use std::{
    fmt, io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{net::lookup_host, time::timeout};

use crate::error::ConfigError;

/// ZooKeeper's port for clients.
const PORT: u16 = 2181;

/// The longest name that DNS knows.
const NAME_BYTES_MAX: usize = 253;

/// A name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    name: Arc<str>,
    port: u16,
}

impl Host {
    /// Makes a host of its parts; `None` if no host can have them.
    pub(crate) fn new(name: &str, port: u16) -> Option<Self> {
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '[' | ']' | ',');
        let is_sound = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(is_odd);
        let is_name = is_sound && (!name.contains(':') || is_ipv6(name));
        (is_name && port != 0).then(|| Self { name: name.into(), port })
    }

    /// Parses `name`, `name:port`, `address`, `[address]` or `[address]:port`.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_parts(text.trim()).ok_or_else(|| ConfigError::InvalidHost { host: text.to_owned() })
    }

    fn parse_parts(text: &str) -> Option<Self> {
        let (name, port) = if let Some(rest) = text.strip_prefix('[') {
            let (address, after) = rest.split_once(']').filter(|(address, _)| is_ipv6(address))?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
            (address, port)
        } else if is_ipv6(text) {
            (text, None)
        } else {
            text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)))
        };
        Self::new(name, port.map_or(Some(PORT), parse_port)?)
    }

    /// Returns the same host with another port.
    pub(crate) fn at(self, port: u16) -> Self {
        Self { port, ..self }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Looks the name up. The order is the resolver's.
    pub(crate) async fn resolve(&self, limit: Duration) -> io::Result<Vec<SocketAddr>> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "name not resolved in time");
        let addrs: Vec<_> =
            timeout(limit, lookup_host((&*self.name, self.port))).await.map_err(late)??.collect();
        if addrs.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "name has no address"));
        }
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

/// One address of a host. The host's name is what a certificate is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    name: Arc<str>,
    addr: SocketAddr,
}

impl Target {
    pub(crate) fn new(host: &Host, addr: SocketAddr) -> Self {
        Self { name: Arc::clone(&host.name), addr }
    }

    /// The target of an address that no name led to.
    pub(crate) fn unnamed(addr: SocketAddr) -> Self {
        Self { name: addr.ip().to_string().into(), addr }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.addr)?;
        if self.name.parse::<IpAddr>().is_ok() { Ok(()) } else { write!(f, " ({})", self.name) }
    }
}

/// Parses a port; digits alone, since `str::parse` would take a sign too.
pub(crate) fn parse_port(text: &str) -> Option<u16> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten().filter(|&port| port != 0)
}

/// Returns whether it is an IPv6 address, with or without the zone that link-local ones need.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && !zone.contains(':')
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
            ("fe80::1%eth0", "[fe80::1%eth0]:2181"),
            ("[fe80::1%2]:5", "[fe80::1%2]:5"),
            (" h1:3 ", "h1:3"),
        ];
        for (text, shown) in good {
            assert_eq!(Host::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "h".repeat(NAME_BYTES_MAX + 1);
        let bad = [
            "",
            ":2181",
            "h1:",
            "h1:0",
            "h1:99999",
            "h1:+1",
            "h1:x",
            "[::1",
            "[::1]5",
            "[h1]:1",
            "[]:1",
            "a b",
            "h1:2181/app",
            "h1:1,h2:1",
            "a:b:c",
            "fe80::1%",
            "h\u{0}",
            &long,
        ];
        for text in bad {
            assert!(Host::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_target_shows_its_name_unless_that_is_its_address() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 1));
        assert_eq!(Target::unnamed(addr).to_string(), "127.0.0.1:1");
        assert_eq!(Target::new(&Host::parse("h1:1").unwrap(), addr).to_string(), "127.0.0.1:1 (h1)");
    }
}

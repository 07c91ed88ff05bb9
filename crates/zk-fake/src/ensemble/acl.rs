//! Who may do what.

use std::{net::IpAddr, sync::Arc};

use quorate_zk_proto::{Acl, ErrorCode, Id, Perms};

/// The schemes that not every server knows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Schemes {
    pub(crate) sasl: bool,
    pub(crate) x509: bool,
    /// Addresses of 128 bits in the scheme `ip`.
    pub(crate) ipv6: bool,
}

/// Checks that one of the identities has one of the permissions.
pub(crate) fn require(perms: Perms, acl: &[Acl], identities: &[Id]) -> Result<(), ErrorCode> {
    let allows = |entry: &Acl| {
        entry.perms.bits() & perms.bits() != 0
            && (entry.id == Id::anyone() || identities.iter().any(|id| matches(&entry.id, id)))
    };
    match identities.iter().any(is_super) || acl.iter().any(allows) {
        true => Ok(()),
        false => Err(ErrorCode::NoAuth),
    }
}

/// Returns the list to store for one that was asked for: `auth` stands for the identities proved.
pub(crate) fn resolve(acl: &[Acl], identities: &[Id], schemes: Schemes) -> Result<Arc<[Acl]>, ErrorCode> {
    let mut resolved: Vec<Acl> = Vec::new();
    for entry in acl {
        let id = &entry.id.id;
        let valid = match entry.id.scheme.as_str() {
            "world" => id == "anyone",
            "ip" => Network::parse(id).is_some_and(|network| network.address.is_ipv4() || schemes.ipv6),
            "digest" => id.split(':').count() == 2,
            "sasl" => schemes.sasl && !id.is_empty(),
            "x509" => schemes.x509 && id.contains('='),
            "auth" => {
                let before = resolved.len();
                for id in identities.iter().filter(|id| is_proved(id)) {
                    push(&mut resolved, Acl::new(entry.perms, id.clone()));
                }
                if resolved.len() == before {
                    return Err(ErrorCode::InvalidAcl);
                }
                continue;
            }
            _ => false,
        };
        if !valid {
            return Err(ErrorCode::InvalidAcl);
        }
        push(&mut resolved, entry.clone());
    }
    if resolved.is_empty() { Err(ErrorCode::InvalidAcl) } else { Ok(resolved.into()) }
}

/// Returns the list as it is shown: digests in full only to who may administrate the znode.
pub(crate) fn shown(acl: &[Acl], identities: &[Id]) -> Vec<Acl> {
    let in_full = require(Perms::ADMIN, acl, identities).is_ok();
    let mask = |entry: &Acl| match entry.id.id.split_once(':') {
        Some((user, _)) if !in_full && entry.id.scheme == "digest" => {
            Acl::new(entry.perms, Id::new("digest", format!("{user}:x")))
        }
        _ => entry.clone(),
    };
    acl.iter().map(mask).collect()
}

/// The identity of writes that no client makes, and of who knows the super user's password.
pub(crate) fn superuser() -> Id {
    Id::new("super", "")
}

fn is_super(id: &Id) -> bool {
    id.scheme == "super"
}

/// An address is not proof of who somebody is.
fn is_proved(id: &Id) -> bool {
    matches!(id.scheme.as_str(), "digest" | "sasl" | "x509")
}

fn matches(wanted: &Id, proved: &Id) -> bool {
    if wanted.scheme != "ip" || proved.scheme != "ip" {
        return wanted == proved;
    }
    let address = proved.id.parse().ok();
    Network::parse(&wanted.id).zip(address).is_some_and(|(network, address)| network.contains(address))
}

/// An address, or all that share its first bits.
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(all), |bits| bits.parse().ok()).filter(|&bits| bits <= all)?;
        Some(Self { address, bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let differs = match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => u128::from(ours.to_bits() ^ other.to_bits()) << 96,
            (IpAddr::V6(ours), IpAddr::V6(other)) => ours.to_bits() ^ other.to_bits(),
            _ => return false,
        };
        differs.leading_zeros() >= self.bits
    }
}

fn push(acl: &mut Vec<Acl>, entry: Acl) {
    if !acl.contains(&entry) {
        acl.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_the_addresses_that_share_their_first_bits() {
        let holds = |network: &str, address: &str| matches(&Id::ip(network), &Id::ip(address));
        assert!(holds("127.0.0.1", "127.0.0.1") && !holds("127.0.0.1", "127.0.0.2"));
        assert!(holds("127.9.9.9/8", "127.0.0.1") && !holds("128.0.0.0/8", "127.0.0.1"));
        assert!(holds("1.2.3.4/0", "127.0.0.1") && !holds("127.0.0.1/33", "127.0.0.1"));
        assert!(
            holds("fe80::/10", "fe80::1") && !holds("fe80::/10", "ff80::1") && !holds("::/0", "127.0.0.1")
        );
    }

    #[test]
    fn schemes_that_are_not_switched_on_are_no_access() {
        let sasl = [Acl::new(Perms::ALL, Id::sasl("bob"))];
        assert_eq!(resolve(&sasl, &[], Schemes::default()), Err(ErrorCode::InvalidAcl));
        assert!(resolve(&sasl, &[], Schemes { sasl: true, ..Schemes::default() }).is_ok());
    }
}

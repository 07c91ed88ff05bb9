//! How a store is reached, and who may touch it: what an operator should know.

use std::net::IpAddr;
use std::time::Duration;

use quorate_datasync::{Key, Result, Store, Txn};
use quorate_zk::{Acl, ClientState, ErrorCode, GetAcl, Id, Perms, ReplyBody, Request, ZnodePath};

use crate::ZooKeeper;
use crate::error::classify;
use crate::inner::Inner;

/// The first server that says who a client is to it.
const TELLS_IDENTITIES: (u32, u32) = (3, 7);

/// The time to live that is asked for the znode of an examination; the server grants that of the session.
const LEASE_TTL: Duration = Duration::from_secs(15);

/// What may be done by whoever may do it, in the letters of ZooKeeper's own tools.
const LETTERS: [(Perms, char); 5] = [
    (Perms::CREATE, 'c'),
    (Perms::DELETE, 'd'),
    (Perms::READ, 'r'),
    (Perms::WRITE, 'w'),
    (Perms::ADMIN, 'a'),
];

/// How a store is reached and who may touch it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Examination {
    /// Whether the connection is secured by TLS.
    pub is_secure: bool,
    /// Whether the server only reads.
    pub is_read_only: bool,
    /// The session timeout that the server granted.
    pub session_timeout: Duration,
    /// Who this client is to the server, each as `scheme:user`; `None` where it does not say, as before 3.7.
    pub identities: Option<Vec<String>>,
    /// What is wrong, in sentences.
    pub warnings: Vec<String>,
}

impl ZooKeeper {
    /// Looks at how the store is reached and who may touch it, and says what is wrong with that. A znode is made at
    /// `key` to see who may touch it, and deleted again.
    ///
    /// # Errors
    ///
    /// Those of [`commit`](Store::commit), but a refusal of the znode is none.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves nothing behind but perhaps the znode, until the session ends.
    pub async fn examine(&self, key: &Key) -> Result<Examination> {
        let inner = self.inner();
        inner.client.session().await.map_err(|error| classify("examine", None, error))?;
        let state = inner.client.state().borrow().clone();
        let mut found = Examination {
            is_secure: inner.is_secure,
            is_read_only: false,
            session_timeout: Duration::ZERO,
            identities: inner.identities().await,
            warnings: Vec::new(),
        };
        if let ClientState::Connected { timeout, read_only, server, .. } = state {
            found.session_timeout = timeout;
            found.is_read_only = read_only;
            found.warnings.extend(warning_of_link(server.ip(), inner.is_secure));
            if read_only {
                found.warnings.push(format!("{server} only reads: it has lost its quorum"));
            }
        }
        let top = inner.paths.top();
        let acl = inner.acl_of(&top).await?;
        found.warnings.extend(acl.and_then(|acl| warning_of_acl(top.as_str(), &acl)));
        let acl = self.acl_of_new(key).await?;
        found.warnings.extend(acl.and_then(|acl| warning_of_acl("what is put", &acl)));
        Ok(found)
    }

    /// The access list of a znode that is made for this.
    async fn acl_of_new(&self, key: &Key) -> Result<Option<Vec<Acl>>> {
        let lease = self.grant(LEASE_TTL).await?;
        let put = self.commit(Txn::new().put_under(key, "examined", &lease.reference())).await;
        let inner = self.inner();
        let acl = if put.is_ok() { inner.acl_of(&inner.paths.of(key)).await } else { Ok(None) };
        lease.revoke().await?;
        acl
    }
}

impl Inner {
    /// Who this client is to the server.
    async fn identities(&self) -> Option<Vec<String>> {
        // An older one may hang up on a question that it does not know.
        let version = self.client.server_version().await?;
        if version_of(&version)? < TELLS_IDENTITIES {
            return None;
        }
        match self.client.request(Request::WhoAmI).await.ok()?.body {
            ReplyBody::Identities(identities) => {
                Some(identities.iter().map(|id| format!("{}:{}", id.scheme, id.user)).collect())
            }
            _ => None,
        }
    }

    /// The access list of a znode; `None` if there is none, or if it is not for us to see.
    async fn acl_of(&self, path: &ZnodePath) -> Result<Option<Vec<Acl>>> {
        match self.client.request(Request::GetAcl(GetAcl { path: path.clone() })).await {
            Ok(reply) => Ok(match reply.body {
                ReplyBody::Acl { acl, .. } => Some(acl),
                _ => None,
            }),
            Err(error) if matches!(error.code(), Some(ErrorCode::NoNode | ErrorCode::NoAuth)) => Ok(None),
            Err(error) => Err(classify("examine", None, error)),
        }
    }
}

fn warning_of_link(server: IpAddr, is_secure: bool) -> Option<String> {
    let is_exposed = !is_secure && !server.to_canonical().is_loopback();
    is_exposed.then(|| {
        format!(
            "the connection to {server} is not secured by TLS: all that crosses the network can be read there"
        )
    })
}

fn warning_of_acl(what: &str, acl: &[Acl]) -> Option<String> {
    let everybody = acl.iter().filter(|entry| entry.id == Id::anyone());
    let perms = everybody.fold(Perms::from_bits(0), |perms, entry| perms | entry.perms);
    let letters: String =
        LETTERS.iter().filter(|(perm, _)| perms.contains(*perm)).map(|(_, letter)| letter).collect();
    let may = match letters.as_str() {
        "" | "r" => return None,
        _ => letters,
    };
    Some(format!("{what} is open to everybody who reaches the servers (world:anyone:{may})"))
}

/// The first two numbers of a version.
fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_connection_is_fine_within_the_machine_only() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for within in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(warning_of_link(ip(within), false), None, "{within}");
        }
        assert!(warning_of_link(ip("192.0.2.1"), false).unwrap().contains("not secured by TLS"));
        assert_eq!(warning_of_link(ip("192.0.2.1"), true), None);
    }

    #[test]
    fn what_everybody_may_change_is_told_and_what_they_may_read_is_not() {
        let told = warning_of_acl("/", &[Acl::open()]).unwrap();
        assert_eq!(told, "/ is open to everybody who reaches the servers (world:anyone:cdrwa)");
        let both = [Acl::read(), Acl::new(Perms::WRITE, Id::anyone())];
        assert!(warning_of_acl("/", &both).unwrap().contains("anyone:rw)"));
        assert_eq!(warning_of_acl("/", &[Acl::creator_all(), Acl::read()]), None);
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(version_of("3.10.0").unwrap() >= TELLS_IDENTITIES);
        assert!(version_of("3.6.3").unwrap() < TELLS_IDENTITIES);
        assert_eq!(version_of("keeper"), None);
    }
}

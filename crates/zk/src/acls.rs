//! Access lists as they are passed.

use quorate_zk_proto::Acl;

/// An access list: what a znode is created with. Made of one entry, or of several.
///
/// # Examples
///
/// ```
/// use quorate_zk::{Acl, Acls, Id, Perms};
///
/// let one: Acls = Acl::open().into();
/// assert_eq!(one, Acls::open());
/// let two: Acls = [Acl::creator_all(), Acl::read()].into();
/// assert_eq!(two.as_slice().len(), 2);
/// let subnet = Acls::from(Acl::new(Perms::READ | Perms::WRITE, Id::new("ip", "10.0.0.0/8")));
/// assert_eq!(subnet.as_slice()[0].id.scheme, "ip");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Acls(Vec<Acl>);

impl Acls {
    /// Everybody may do everything.
    #[must_use]
    pub fn open() -> Self {
        Acl::open().into()
    }

    /// Whoever creates the znode may do everything, nobody else anything. Needs an authenticated session.
    #[must_use]
    pub fn creator_all() -> Self {
        Acl::creator_all().into()
    }

    /// Everybody may read, nobody do anything else.
    #[must_use]
    pub fn read() -> Self {
        Acl::read().into()
    }

    /// Adds an entry.
    #[must_use]
    pub fn and(mut self, acl: Acl) -> Self {
        self.0.push(acl);
        self
    }

    /// Returns the entries.
    #[must_use]
    pub fn as_slice(&self) -> &[Acl] {
        &self.0
    }

    /// Returns the entries.
    #[must_use]
    pub fn into_vec(self) -> Vec<Acl> {
        self.0
    }
}

impl From<Acl> for Acls {
    fn from(acl: Acl) -> Self {
        Self(vec![acl])
    }
}

impl From<Vec<Acl>> for Acls {
    fn from(acls: Vec<Acl>) -> Self {
        Self(acls)
    }
}

impl From<&[Acl]> for Acls {
    fn from(acls: &[Acl]) -> Self {
        Self(acls.to_vec())
    }
}

impl<const N: usize> From<[Acl; N]> for Acls {
    fn from(acls: [Acl; N]) -> Self {
        Self(acls.into())
    }
}

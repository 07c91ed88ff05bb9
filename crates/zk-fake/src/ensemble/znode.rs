//! One znode.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use quorate_zk_proto::{Acl, CreateMode, SessionId, Stat, Ttl, Zxid};

use super::Millis;

/// How long a znode lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    Persistent,
    Ephemeral(SessionId),
    Container,
    Ttl(Ttl),
}

/// All of a znode but its children; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) data: Option<Bytes>,
    pub(crate) acl: Arc<[Acl]>,
    pub(crate) lifetime: Lifetime,
    pub(crate) czxid: Zxid,
    pub(crate) mzxid: Zxid,
    pub(crate) pzxid: Zxid,
    pub(crate) ctime: Millis,
    pub(crate) mtime: Millis,
    pub(crate) version: i32,
    pub(crate) aversion: i32,
    /// How many children were ever created: the server's internal `cversion`, and the next suffix.
    pub(crate) creations: i32,
}

/// A znode with the names of its children.
#[derive(Clone, Debug)]
pub(crate) struct Znode {
    pub(crate) head: Head,
    pub(crate) children: BTreeSet<String>,
}

impl Lifetime {
    pub(crate) const fn of(mode: CreateMode, session: SessionId) -> Self {
        match mode {
            CreateMode::Ephemeral | CreateMode::EphemeralSequential => Self::Ephemeral(session),
            CreateMode::Container => Self::Container,
            CreateMode::PersistentWithTtl(ttl) | CreateMode::PersistentSequentialWithTtl(ttl) => {
                Self::Ttl(ttl)
            }
            _ => Self::Persistent,
        }
    }
}

impl Znode {
    pub(crate) fn new(
        zxid: Zxid,
        now: Millis,
        data: Option<Bytes>,
        acl: Arc<[Acl]>,
        lifetime: Lifetime,
    ) -> Self {
        let head = Head {
            data: data.map(|data| kept(&data)),
            acl,
            lifetime,
            czxid: zxid,
            mzxid: zxid,
            pzxid: zxid,
            ctime: now,
            mtime: now,
            version: 0,
            aversion: 0,
            creations: 0,
        };
        Self { head, children: BTreeSet::new() }
    }

    /// Returns the stat as clients see it: containers and times to live do not show as owners.
    pub(crate) fn stat(&self) -> Stat {
        let head = &self.head;
        let num_children = wire_length(self.children.len());
        Stat {
            czxid: head.czxid,
            mzxid: head.mzxid,
            ctime: head.ctime,
            mtime: head.mtime,
            version: head.version,
            cversion: head.creations.wrapping_mul(2).wrapping_sub(num_children),
            aversion: head.aversion,
            ephemeral_owner: match head.lifetime {
                Lifetime::Ephemeral(session) => session,
                _ => SessionId::NONE,
            },
            data_length: head.data.as_ref().map_or(0, |data| wire_length(data.len())),
            num_children,
            pzxid: head.pzxid,
        }
    }
}

fn wire_length(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Data as it is kept. What came in a request shares the memory of all that was read with it.
pub(crate) fn kept(data: &Bytes) -> Bytes {
    Bytes::copy_from_slice(data)
}

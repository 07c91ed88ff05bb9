//! Looking at the server from outside, and writing to it as somebody else.

use std::time::Duration;

use bytes::Bytes;
use quorate_zk_proto::{Acl, ErrorCode, SessionId, Stat, Ttl, ZnodePath, Zxid};

use crate::{
    ensemble::{Counters, Lifetime, LoggedRequest, Znode},
    fake::FakeZooKeeper,
};

/// A znode as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// Its data; null and empty stay apart.
    pub data: Option<Bytes>,
    /// Its stat, as clients see it.
    pub stat: Stat,
    /// Its access list.
    pub acl: Vec<Acl>,
    /// How long it lives, which clients do not see.
    pub kind: NodeKind,
}

/// How long a znode lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeKind {
    /// Until it is deleted.
    Persistent,
    /// As long as the session.
    Ephemeral(SessionId),
    /// Until it is reaped after its last child is gone.
    Container,
    /// Until it is reaped after that time without a change.
    Ttl(Ttl),
}

/// A live session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its id.
    pub id: SessionId,
    /// The timeout granted.
    pub timeout: Duration,
    /// Whether it has a connection.
    pub connected: bool,
    /// The server that this connection is to, counted from 0.
    pub server: Option<usize>,
}

impl FakeZooKeeper {
    /// Returns the znode at a path, or `None` if there is none.
    #[must_use]
    pub fn node(&self, path: &str) -> Option<Node> {
        self.znode(path, Node::of)
    }

    /// Returns the names of a znode's children, sorted; none if there is no such znode.
    #[must_use]
    pub fn children(&self, path: &str) -> Vec<String> {
        self.znode(path, |znode| znode.children.iter().cloned().collect()).unwrap_or_default()
    }

    /// Sets data as an outsider does, and creates the znode and its parents if they are missing. Returns the
    /// new stat.
    ///
    /// # Errors
    ///
    /// - [`ErrorCode::BadArguments`] if the path is not valid.
    /// - [`ErrorCode::NoChildrenForEphemerals`] if its parent is ephemeral.
    /// - [`ErrorCode::NotReadOnly`] while there is no quorum.
    pub fn set_raw(&self, path: &str, data: impl Into<Bytes>) -> Result<Stat, ErrorCode> {
        let path = ZnodePath::new(path).map_err(|_| ErrorCode::BadArguments)?;
        self.shared.with(|state, now| state.ensemble.set_raw(now, &path, data.into()))
    }

    /// Deletes a znode and all below it, as an outsider does.
    ///
    /// # Errors
    ///
    /// - [`ErrorCode::NoNode`] if there is no such znode.
    /// - [`ErrorCode::BadArguments`] if the path is not valid, or the server's own.
    /// - [`ErrorCode::NotReadOnly`] while there is no quorum.
    pub fn delete_raw(&self, path: &str) -> Result<(), ErrorCode> {
        let path = ZnodePath::new(path).map_err(|_| ErrorCode::BadArguments)?;
        self.shared.with(|state, now| state.ensemble.delete_raw(now, &path))
    }

    /// Returns the live sessions, oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.shared.look(|state| {
            let info = |(id, session): (SessionId, &crate::ensemble::Session)| SessionInfo {
                id,
                timeout: Duration::from_millis(u64::try_from(session.timeout).unwrap_or(0)),
                connected: session.connection.is_some(),
                server: session.connection.map(|connection| state.ensemble.server_of(connection)),
            };
            state.ensemble.sessions().map(info).collect()
        })
    }

    /// Returns the paths that a session watches through its connection, sorted; each once, however many kinds
    /// of watches there are on it.
    #[must_use]
    pub fn watched_paths(&self, session: SessionId) -> Vec<String> {
        self.shared.look(|state| state.ensemble.watched_paths(session))
    }

    /// Returns how many links are up, with a session or without.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.look(|state| state.links())
    }

    /// Returns the last transaction applied.
    #[must_use]
    pub fn zxid(&self) -> Zxid {
        self.shared.look(|state| state.ensemble.zxid())
    }

    /// Returns the requests that arrived, pings apart, oldest first: the latest 100,000.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.look(|state| state.ensemble.journal().requests())
    }

    /// Forgets the requests that arrived so far. The counters go on.
    pub fn forget_requests(&self) {
        self.shared.look(|state| state.ensemble.journal().forget_requests());
    }

    /// Returns how much went over all links since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.look(|state| state.ensemble.journal().counters)
    }

    /// Waits until something is true of the server, looking again after everything that happens in it.
    ///
    /// # Cancel safety
    ///
    /// Nothing is changed, so that the future can be dropped at any time.
    pub async fn wait_until(&self, mut holds: impl FnMut(&Self) -> bool) {
        let mut changes = self.shared.changes();
        loop {
            changes.mark_unchanged();
            // The sender lives as long as `self`.
            if holds(self) || changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn znode<T>(&self, path: &str, read: impl FnOnce(&Znode) -> T) -> Option<T> {
        let path = ZnodePath::new(path).ok()?;
        self.shared.look(|state| state.ensemble.znode(&path).map(read))
    }
}

impl Node {
    fn of(znode: &Znode) -> Self {
        Self {
            data: znode.head.data.clone(),
            stat: znode.stat(),
            acl: znode.head.acl.to_vec(),
            kind: match znode.head.lifetime {
                Lifetime::Persistent => NodeKind::Persistent,
                Lifetime::Ephemeral(session) => NodeKind::Ephemeral(session),
                Lifetime::Container => NodeKind::Container,
                Lifetime::Ttl(ttl) => NodeKind::Ttl(ttl),
            },
        }
    }
}

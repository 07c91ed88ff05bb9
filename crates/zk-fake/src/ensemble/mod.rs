//! The ensemble as its clients see it: a state machine without I/O.
//!
//! Bytes and the time come in through `handle_*`, bytes go out through `poll_*`. `handshake.rs` starts
//! sessions, `requests.rs` takes requests apart, `reads.rs` and `writes.rs` answer them, `outbox.rs` sends.

mod acl;
mod auth;
mod config;
mod connection;
mod cut;
mod faults;
mod four_letter;
mod handshake;
mod journal;
mod lifecycle;
mod member;
mod membership;
mod outbox;
mod quorum;
mod quota;
mod raw;
mod reads;
mod rearm;
mod reconfig;
mod requests;
mod sessions;
mod tree;
mod undo;
mod watches;
mod writes;
mod znode;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use quorate_zk_proto::{ErrorCode, Id, SessionId, ZnodePath, Zxid};

pub(crate) use self::{
    config::Config,
    connection::ConnectionId,
    cut::Cut,
    faults::{Fate, Faults},
    membership::Membership,
    outbox::Next,
    sessions::Session,
    znode::{Lifetime, Znode},
};
use self::{
    connection::Connection,
    journal::Journal,
    member::Member,
    membership::FIRST_ZXID,
    sessions::Sessions,
    tree::{Tree, Txn},
};
pub use self::{
    cut::Direction,
    journal::{Counters, LoggedRequest},
};
use quorate_zk_proto::ServerVersion;

/// Milliseconds since 1970, or a number of them.
pub(crate) type Millis = i64;

/// Everything the servers know. They share one tree, but for those that lag.
#[derive(Debug)]
pub(crate) struct Ensemble {
    config: Config,
    tree: Tree,
    sessions: Sessions,
    /// Those that were started while there was no quorum, and end with that.
    read_only_sessions: Sessions,
    members: Vec<Member>,
    /// Whether the servers cannot hear each other.
    parted: bool,
    /// The last transaction applied.
    zxid: Zxid,
    connections: BTreeMap<ConnectionId, Connection>,
    next_connection: u64,
    /// Connections that have something to send, or are to be closed.
    dirty: BTreeSet<ConnectionId>,
    faults: Faults,
    journal: Journal,
}

impl Ensemble {
    /// Starts servers with these addresses for clients.
    pub(crate) fn new(mut config: Config, addrs: &[SocketAddr]) -> Self {
        if config.servers > 1 {
            config.membership.get_or_insert_with(|| Membership::of(addrs));
        }
        let watch_modes_add_up = config.version >= ServerVersion::V3_9;
        let (zxid, tree) = beginning(&config);
        Self {
            tree,
            sessions: Sessions::new(),
            read_only_sessions: Sessions::read_only(),
            members: (0..config.servers).map(|_| Member::new(watch_modes_add_up)).collect(),
            parted: false,
            zxid,
            connections: BTreeMap::new(),
            next_connection: 0,
            dirty: BTreeSet::new(),
            faults: Faults::default(),
            journal: Journal::default(),
            config,
        }
    }

    /// Forgets the tree, the sessions and the history, and closes all connections.
    pub(crate) fn wipe(&mut self) {
        self.cut_all();
        (self.zxid, self.tree) = beginning(&self.config);
        self.sessions.clear();
        self.read_only_sessions.clear();
        self.members.iter_mut().for_each(Member::forget_lag);
    }

    pub(crate) fn znode(&self, path: &ZnodePath) -> Option<&Znode> {
        self.tree.get(path).ok()
    }

    pub(crate) fn sessions(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions.iter()
    }

    pub(crate) const fn zxid(&self) -> Zxid {
        self.zxid
    }

    pub(crate) const fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    pub(crate) const fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }

    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// Applies a write as the next transaction, and tells watches. A failed one takes a zxid too.
    fn transact<T>(
        &mut self,
        now: Millis,
        identities: &[Id],
        write: impl FnOnce(&mut Tree, Txn<'_>) -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode> {
        self.zxid = Zxid::new(self.zxid.get() + 1);
        let quotas = self.config.quotas && self.config.version >= ServerVersion::V3_7;
        let schemes = self.config.schemes();
        let result = write(&mut self.tree, Txn { zxid: self.zxid, now, identities, schemes, quotas });
        match &result {
            Ok(_) => {
                let changes = self.tree.commit();
                self.tell(&changes);
            }
            Err(_) => self.tree.roll_back(),
        }
        result
    }
}

/// Returns what there is before any transaction.
fn beginning(config: &Config) -> (Zxid, Tree) {
    match &config.membership {
        None => (Zxid::ZERO, Tree::new(None)),
        Some(membership) => (FIRST_ZXID, Tree::new(Some((membership.text(), FIRST_ZXID)))),
    }
}

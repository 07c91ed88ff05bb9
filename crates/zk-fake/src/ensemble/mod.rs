//! The ensemble as its clients see it: a state machine without I/O.
//!
//! Bytes and the time come in through `handle_*`, bytes go out through `poll_*`. `handshake.rs` starts
//! sessions, `requests.rs` takes requests apart, `reads.rs` and `writes.rs` answer them, `outbox.rs` sends.

mod acl;
mod connection;
mod cut;
mod digest;
mod four_letter;
mod handshake;
mod journal;
mod lifecycle;
mod outbox;
mod raw;
mod reads;
mod rearm;
mod requests;
mod sessions;
mod tree;
mod undo;
mod watches;
mod writes;
mod znode;

use std::collections::{BTreeMap, BTreeSet};

use quorate_zk_proto::{ErrorCode, Id, OpCode, SessionId, ZnodePath, Zxid};

use self::{
    connection::Connection,
    journal::Journal,
    sessions::Sessions,
    tree::{Tree, Txn},
    watches::Watches,
};
pub(crate) use self::{
    connection::ConnectionId,
    cut::Cut,
    sessions::Session,
    znode::{Lifetime, Znode},
};
pub use self::{
    cut::Direction,
    journal::{Counters, LoggedRequest},
};
use crate::builder::ServerVersion;

/// Milliseconds since 1970, or a number of them.
pub(crate) type Millis = i64;

/// What an ensemble is told before it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) version: ServerVersion,
    pub(crate) tick: Millis,
    pub(crate) request_bytes_max: usize,
    pub(crate) ttl_nodes: bool,
    pub(crate) sessions_move: bool,
}

/// Everything a server knows.
#[derive(Debug)]
pub(crate) struct Ensemble {
    config: Config,
    tree: Tree,
    sessions: Sessions,
    watches: Watches,
    /// The last transaction applied.
    zxid: Zxid,
    connections: BTreeMap<ConnectionId, Connection>,
    next_connection: u64,
    /// Connections that have something to send, or are to be closed.
    dirty: BTreeSet<ConnectionId>,
    cut: Option<Cut>,
    /// The operation whose next request is refused, and how.
    refused: Option<(OpCode, ErrorCode)>,
    journal: Journal,
}

impl Ensemble {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            tree: Tree::new(),
            sessions: Sessions::new(),
            watches: Watches::new(config.version >= ServerVersion::V3_9),
            zxid: Zxid::ZERO,
            connections: BTreeMap::new(),
            next_connection: 0,
            dirty: BTreeSet::new(),
            cut: None,
            refused: None,
            journal: Journal::default(),
            config,
        }
    }

    /// Forgets the tree, the sessions and the history, and closes all connections.
    pub(crate) fn wipe(&mut self) {
        self.cut_all();
        self.tree = Tree::new();
        self.sessions.clear();
        self.zxid = Zxid::ZERO;
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

    /// Arms a fault, in place of one that is still armed.
    pub(crate) const fn arm(&mut self, cut: Cut) {
        self.cut = Some(cut);
    }

    /// Arms a refusal, in place of one that is still armed.
    pub(crate) const fn refuse_next(&mut self, op: OpCode, code: ErrorCode) {
        self.refused = Some((op, code));
    }

    /// Takes a fault back.
    pub(crate) const fn disarm(&mut self) {
        self.cut = None;
    }

    pub(crate) const fn is_armed(&self) -> bool {
        self.cut.is_some()
    }

    /// Applies a write as the next transaction, and tells watches. A failed one takes a zxid too.
    fn transact<T>(
        &mut self,
        now: Millis,
        identities: &[Id],
        write: impl FnOnce(&mut Tree, Txn<'_>) -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode> {
        self.zxid = Zxid::new(self.zxid.get() + 1);
        let result = write(&mut self.tree, Txn { zxid: self.zxid, now, identities });
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

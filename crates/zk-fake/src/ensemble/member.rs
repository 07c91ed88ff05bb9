//! One server of the ensemble: its watches, and how far it has come.

use std::collections::VecDeque;

use quorate_zk_proto::{SessionId, Zxid};

use super::{
    ConnectionId, Ensemble,
    connection::Phase,
    outbox::Applied,
    tree::{Change, Tree},
    watches::Watches,
};

/// Transactions that a lagging server may still read from the log. One that is further behind gets the whole
/// tree instead, and hangs up on its clients for that.
const LOG_MAX: usize = 100_000;

/// One server.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) running: bool,
    pub(super) watches: Watches,
    /// What it knows while it lags.
    behind: Option<Behind>,
}

/// The past, and what happened since.
#[derive(Debug)]
struct Behind {
    tree: Tree,
    zxid: Zxid,
    /// `None` once it was too long.
    log: Option<VecDeque<(Zxid, Vec<Change>)>>,
}

impl Member {
    pub(super) const fn new(watch_modes_add_up: bool) -> Self {
        Self { running: true, watches: Watches::new(watch_modes_add_up), behind: None }
    }

    pub(super) const fn is_behind(&self) -> bool {
        self.behind.is_some()
    }

    /// Knows everything from now on, without telling anybody.
    pub(super) fn forget_lag(&mut self) {
        self.behind = None;
    }

    /// Takes note of a transaction to be told later. Returns whether the server lags.
    pub(super) fn log(&mut self, zxid: Zxid, changes: &[Change]) -> bool {
        let Some(behind) = &mut self.behind else { return false };
        match &mut behind.log {
            Some(log) if log.len() < LOG_MAX => log.push_back((zxid, changes.to_vec())),
            log => *log = None,
        }
        true
    }
}

impl Ensemble {
    /// Stops a server from learning of transactions.
    pub(crate) fn lag(&mut self, server: usize) {
        let now = || Behind { tree: self.tree.clone(), zxid: self.zxid, log: Some(VecDeque::new()) };
        self.members[server].behind.get_or_insert_with(now);
    }

    /// Lets a server learn what it missed, in order: events, and the answers that waited for it.
    pub(crate) fn catch_up(&mut self, server: usize) {
        let Some(behind) = self.members[server].behind.take() else { return };
        let Some(log) = behind.log else { return self.close_all(server) };
        for (zxid, changes) in log {
            self.tell_at(server, zxid, &changes);
            self.release(server, zxid);
        }
        self.release(server, self.zxid);
    }

    /// Returns the tree as the server of a connection knows it.
    pub(super) fn tree_at(&self, id: ConnectionId) -> &Tree {
        self.behind(id).map_or(&self.tree, |behind| &behind.tree)
    }

    /// Returns the last transaction that the server of a connection has applied.
    pub(super) fn zxid_at(&self, id: ConnectionId) -> Zxid {
        self.behind(id).map_or(self.zxid, |behind| behind.zxid)
    }

    /// Returns the watches at the server of a connection.
    pub(super) fn watches_at(&mut self, id: ConnectionId) -> &mut Watches {
        let server = self.server_of(id);
        &mut self.members[server].watches
    }

    /// Returns what a session watches.
    pub(crate) fn watched_paths(&self, session: SessionId) -> Vec<String> {
        let up = self.connections.iter().find(|(_, connection)| connection.phase == Phase::Up(session));
        let Some((&id, connection)) = up else { return Vec::new() };
        self.members[connection.server].watches.paths(id).map(ToString::to_string).collect()
    }

    /// Returns the server that a connection is to.
    pub(crate) fn server_of(&self, id: ConnectionId) -> usize {
        self.connections.get(&id).map_or(0, |connection| connection.server)
    }

    /// Sends the answers of a server that waited for a transaction.
    fn release(&mut self, server: usize, zxid: Zxid) {
        let waiting = self.connections.iter_mut().filter(|(_, link)| link.server == server);
        let due = waiting.filter_map(|(&id, link)| Some((id, link.held.take_if(|held| held.zxid <= zxid)?)));
        for (id, Applied { packet, is_reply, then_close, .. }) in due.collect::<Vec<_>>() {
            self.deliver(id, &packet, is_reply);
            if then_close {
                self.close(id);
            }
            // Its input waits too.
            self.dirty.insert(id);
        }
    }

    fn behind(&self, id: ConnectionId) -> Option<&Behind> {
        self.members.get(self.server_of(id))?.behind.as_ref()
    }
}

//! One handle: its connection, its leases, its end.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::{Capabilities, Committed, Error, ErrorKind, Lease, Link, Result, StoreStatus, Txn};

use super::state::{Shared, State};

/// What this store says of itself.
const SERVER: &str = "memory";

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Tells one handle from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientId(u64);

/// What stands behind a handle, its watches and its leases.
#[derive(Debug)]
pub(super) struct Client {
    shared: Arc<Shared>,
    id: ClientId,
}

/// All handles of a store.
#[derive(Debug, Default)]
pub(super) struct Clients(HashMap<ClientId, Connection>);

/// How a handle is connected.
#[derive(Debug)]
struct Connection {
    status: watch::Sender<StoreStatus>,
    fault: Option<Fault>,
}

/// What is to go wrong with the next commit of a handle.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// It is applied, and the answer is lost.
    LoseReply,
    /// It is lost on the way, which the handle cannot know.
    LoseRequest,
}

impl Client {
    /// A handle that is connected.
    pub(super) fn open(shared: Arc<Shared>) -> Arc<Self> {
        let id = ClientId(NEXT.fetch_add(1, Ordering::Relaxed));
        shared.run(|state| {
            let status = watch::Sender::new(StoreStatus::live(state.incarnation, SERVER));
            state.clients.0.insert(id, Connection { status, fault: None });
        });
        Arc::new(Self { shared, id })
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(super) const fn id(&self) -> ClientId {
        self.id
    }

    pub(super) fn status(&self) -> watch::Receiver<StoreStatus> {
        self.shared.run(|state| match state.clients.0.get(&self.id) {
            Some(connection) => connection.status.subscribe(),
            None => watch::Sender::new(StoreStatus::connecting().link(Link::Closed)).subscribe(),
        })
    }

    /// Does something with the state if the store can be reached.
    pub(super) fn run<R>(
        &self,
        operation: &'static str,
        act: impl FnOnce(&mut State) -> Result<R>,
    ) -> Result<R> {
        self.shared.run(|state| {
            state.clients.check(self.id, operation)?;
            act(state)
        })
    }

    pub(super) fn commit(&self, txn: &Txn, capabilities: &Capabilities) -> Result<Committed> {
        self.run("commit", |state| {
            txn.validate(capabilities)?;
            let lost = || Error::new(ErrorKind::Unreachable, "commit").perhaps_applied();
            match state.clients.take_fault(self.id) {
                None => state.commit(self.id, txn),
                Some(Fault::LoseRequest) => Err(lost()),
                Some(Fault::LoseReply) => state.commit(self.id, txn).and_then(|_| Err(lost())),
            }
        })
    }

    pub(super) fn grant(self: &Arc<Self>, ttl: Duration) -> Result<Lease> {
        self.run("grant", |state| Ok(state.leases.grant(self, ttl)))
    }

    /// Ends the leases and watches of this handle. Doing so twice is fine.
    pub(super) fn close(&self) {
        self.shared.run(|state| {
            if state.clients.link(self.id) != Link::Closed {
                state.end_leases(&state.leases.of(self.id));
                state.watchers.remove_all_of(self.id);
                state.clients.set_link(self.id, Link::Closed);
            }
        });
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.run(|state| state.clients.0.remove(&self.id));
    }
}

impl Clients {
    /// Fails unless this handle is connected.
    fn check(&self, id: ClientId, operation: &'static str) -> Result<()> {
        let kind = match self.link(id) {
            Link::Live => return Ok(()),
            Link::Closed => ErrorKind::Closed,
            Link::Connecting | Link::Lost { .. } => ErrorKind::Unreachable,
        };
        Err(Error::new(kind, operation))
    }

    pub(super) fn link(&self, id: ClientId) -> Link {
        self.0.get(&id).map_or(Link::Closed, |connection| connection.status.borrow().link.clone())
    }

    pub(super) fn set_link(&self, id: ClientId, link: Link) {
        if let Some(connection) = self.0.get(&id) {
            connection.status.send_modify(|status| status.link = link);
        }
    }

    /// Tells the handles that are connected which life of the store they see.
    pub(super) fn set_incarnation(&self, incarnation: crate::Incarnation) {
        for connection in self.0.values() {
            connection.status.send_if_modified(|status| {
                let is_news = status.link == Link::Live && status.incarnation != Some(incarnation);
                if is_news {
                    status.incarnation = Some(incarnation);
                }
                is_news
            });
        }
    }

    pub(super) fn set_fault(&mut self, id: ClientId, fault: Fault) {
        if let Some(connection) = self.0.get_mut(&id) {
            connection.fault = Some(fault);
        }
    }

    fn take_fault(&mut self, id: ClientId) -> Option<Fault> {
        self.0.get_mut(&id)?.fault.take()
    }
}

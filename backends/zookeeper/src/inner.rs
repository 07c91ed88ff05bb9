//! What the parts of one store have in common.

use std::sync::Arc;

use bytes::Bytes;
use quorate_datasync::{Incarnation, Link, StoreStatus};
use quorate_zk::{Acl, Client, ClientState, Create, CreateMode, ZnodePath};
use tokio::sync::watch;

use crate::barrier::Barriers;
use crate::lease::Grants;
use crate::list::ReadsMax;
use crate::map::Paths;

/// One client of an ensemble, and what the store remembers beside it.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) paths: Paths,
    /// The access list of every znode that is made.
    pub(crate) acl: Vec<Acl>,
    pub(crate) is_secure: bool,
    pub(crate) grants: Grants,
    pub(crate) barriers: Barriers,
    pub(crate) reads_max: ReadsMax,
    status: watch::Sender<StoreStatus>,
}

impl Inner {
    pub(crate) fn new(client: Client, paths: Paths, acl: Vec<Acl>, is_secure: bool) -> Arc<Self> {
        let status = watch::Sender::new(StoreStatus::connecting());
        let (grants, barriers, reads_max) = (Grants::default(), Barriers::default(), ReadsMax::default());
        Arc::new(Self { client, paths, acl, is_secure, grants, barriers, reads_max, status })
    }

    /// The creation of a znode, with the access list that all get.
    pub(crate) fn create(&self, path: ZnodePath, data: Option<Bytes>, mode: CreateMode) -> Create {
        Create { path, data, acl: self.acl.clone(), mode }
    }

    pub(crate) fn status(&self) -> watch::Receiver<StoreStatus> {
        self.status.subscribe()
    }

    /// Takes over what the client says of itself now. A watch does so before it tells a gap, so that whoever loads
    /// the content anew sees which life of the ensemble it is of.
    pub(crate) fn refresh_status(&self) {
        let state = self.client.state().borrow().clone();
        // An ensemble has no name for its lives; the client counts those that it saw.
        let incarnation = Incarnation::new(1 + u128::from(state.history()));
        let link = match &state {
            ClientState::Connected { .. } => Link::Live,
            ClientState::Connecting { .. } if self.status.borrow().incarnation.is_none() => Link::Connecting,
            ClientState::Connecting { .. } | ClientState::Disconnected { .. } => {
                Link::Lost { reason: state.to_string().into() }
            }
            ClientState::Closed { .. } => Link::Closed,
            _ => Link::Lost { reason: state.to_string().into() },
        };
        self.status.send_if_modified(|status| {
            let was = status.clone();
            if link == Link::Live || status.incarnation.is_some() {
                status.incarnation = Some(incarnation);
                status.server.get_or_insert_with(|| "ZooKeeper".into());
            }
            // A reconnect that is tried is no news beside the loss that it follows.
            if !matches!((&status.link, &link), (Link::Lost { .. }, Link::Lost { .. })) {
                status.link = link;
            }
            *status != was
        });
    }

    /// Follows what the client says of itself, until it is closed, and asks each server that it gets to for its
    /// version.
    pub(crate) async fn follow_status(self: Arc<Self>) {
        let mut state = self.client.state();
        loop {
            let is_connected = state.borrow_and_update().is_connected();
            self.refresh_status();
            if matches!(self.status.borrow().link, Link::Closed) {
                return;
            }
            let changed = tokio::select! {
                changed = state.changed() => changed,
                () = self.ask_version(), if is_connected => state.changed().await,
            };
            if changed.is_err() {
                return;
            }
        }
    }

    async fn ask_version(&self) {
        if let Some(version) = self.client.server_version().await {
            let server: Arc<str> = format!("ZooKeeper {version}").into();
            self.status.send_if_modified(|status| {
                let is_new = status.server.as_ref() != Some(&server);
                status.server = Some(server);
                is_new
            });
        }
    }
}

//! What can go wrong with a store, on demand: for tests of what stands on it.

use std::sync::Arc;

use crate::Link;

use super::Memory;
use super::client::Fault;

impl Memory {
    /// Loses the connection of this handle until [`reconnect`](Self::reconnect): operations fail as
    /// [`Unreachable`](crate::ErrorKind::Unreachable) and are not applied, and watches hear nothing. Other handles
    /// go on. Leases are kept, and can still be ended.
    pub fn disconnect(&self) {
        let (client, shared) = (self.client.id(), self.client.shared());
        shared.run(|state| {
            if state.clients.link(client) == Link::Live {
                state.watchers.cut(client);
                state.clients.set_link(client, Link::Lost { reason: Arc::from("disconnected") });
            }
        });
    }

    /// Ends what [`disconnect`](Self::disconnect) began: every watch of this handle is told a gap.
    pub fn reconnect(&self) {
        let (client, shared) = (self.client.id(), self.client.shared());
        shared.run(|state| {
            if matches!(state.clients.link(client), Link::Lost { .. }) {
                state.watchers.rejoin(client);
                state.clients.set_link(client, Link::Live);
                state.clients.set_incarnation(state.incarnation);
            }
        });
    }

    /// Replaces the store by an empty one, as if its server had been restored from nothing: another incarnation
    /// whose revisions begin again. All leases end, and every watch of a handle that is connected is told a gap.
    pub fn wipe(&self) {
        self.client.shared().run(|state| {
            state.wipe();
            state.clients.set_incarnation(state.incarnation);
        });
    }

    /// Ends the leases of this handle, as if the store had lost sight of it for too long.
    pub fn expire_leases(&self) {
        let client = self.client.id();
        self.client.shared().run(|state| state.end_leases(&state.leases.of(client)));
    }

    /// Applies the next commit of this handle and loses the answer: it fails as
    /// [`Unreachable`](crate::ErrorKind::Unreachable) and says that it may have been applied. One that is refused
    /// is answered as usual.
    pub fn lose_next_reply(&self) {
        self.fail_next_commit(Fault::LoseReply);
    }

    /// Loses the next commit of this handle on the way to the store: it is not applied, but fails as
    /// [`Unreachable`](crate::ErrorKind::Unreachable) and says that it may have been.
    pub fn lose_next_request(&self) {
        self.fail_next_commit(Fault::LoseRequest);
    }

    fn fail_next_commit(&self, fault: Fault) {
        let client = self.client.id();
        self.client.shared().run(|state| state.clients.set_fault(client, fault));
    }
}

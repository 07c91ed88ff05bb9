//! What a server tells unasked.

use crate::{
    path::ZnodePath,
    record::{coded, record},
};

coded! {
    /// What happened to a watched znode.
    #[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
    pub enum EventType {
        /// Nothing; the event is about the session. Servers do not send it.
        None = -1,
        /// It was created.
        NodeCreated = 1,
        /// It was deleted.
        NodeDeleted = 2,
        /// Its data was set.
        NodeDataChanged = 3,
        /// A child was created or deleted.
        NodeChildrenChanged = 4,
        /// Its data watch was removed.
        DataWatchRemoved = 5,
        /// Its child watch was removed.
        ChildWatchRemoved = 6,
        /// Its persistent watch was removed.
        PersistentWatchRemoved = 7,
    }
}

coded! {
    /// The state that an event names. Servers send `SyncConnected` with every event.
    #[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
    pub enum KeeperState {
        /// Not known.
        Unknown = -1,
        /// No connection.
        Disconnected = 0,
        /// Connected to a server outside the quorum; no longer used.
        NoSyncConnected = 1,
        /// Connected.
        SyncConnected = 3,
        /// Credentials were refused.
        AuthFailed = 4,
        /// Connected to a server that only reads.
        ConnectedReadOnly = 5,
        /// Authenticated by SASL.
        SaslAuthenticated = 6,
        /// Closed by the client.
        Closed = 7,
        /// The session expired.
        Expired = -112,
    }
}

record! {
    /// The body of a notification. It carries no data: what the znode is now must be read.
    pub struct WatcherEvent {
        /// What happened.
        pub event_type: EventType,
        /// The state of the session, always [`KeeperState::SyncConnected`].
        pub state: KeeperState,
        /// Where.
        pub path: ZnodePath,
    }
}

//! The numbers of the operations.

use crate::record::coded;

coded! {
    /// What a request asks for.
    #[non_exhaustive]
    pub enum OpCode {
        /// The type of an item that failed, in the reply to a multi; not an operation.
        Error = -1,
        /// Ends the session.
        CloseSession = -11,
        /// Creates a znode.
        Create = 1,
        /// Deletes a znode.
        Delete = 2,
        /// Reads a znode's stat.
        Exists = 3,
        /// Reads a znode's data.
        GetData = 4,
        /// Sets a znode's data.
        SetData = 5,
        /// Reads a znode's access list.
        GetAcl = 6,
        /// Sets a znode's access list.
        SetAcl = 7,
        /// Lists a znode's children.
        GetChildren = 8,
        /// Waits for the server to catch up with the leader.
        Sync = 9,
        /// Shows that the session lives.
        Ping = 11,
        /// Lists a znode's children with its stat.
        GetChildren2 = 12,
        /// Checks a znode's version; only legal in a multi.
        Check = 13,
        /// Does several things or none.
        Multi = 14,
        /// Creates a znode and reads its stat. Servers from 3.5 on.
        Create2 = 15,
        /// Changes the members of the ensemble. Servers from 3.5 on.
        Reconfig = 16,
        /// Asks whether a watch is set. Servers from 3.5 on.
        CheckWatches = 17,
        /// Removes watches. Servers from 3.5 on.
        RemoveWatches = 18,
        /// Creates a container. Servers from 3.5 on.
        CreateContainer = 19,
        /// Creates a znode with a time to live. Servers from 3.5 on.
        CreateTtl = 21,
        /// Reads several things. Servers from 3.6 on.
        MultiRead = 22,
        /// Adds an identity to the connection.
        Auth = 100,
        /// Re-arms one-shot watches.
        SetWatches = 101,
        /// Carries one step of a SASL exchange.
        Sasl = 102,
        /// Lists a session's ephemeral znodes. Servers from 3.6 on.
        GetEphemerals = 103,
        /// Counts all znodes below one. Servers from 3.6 on.
        GetAllChildrenNumber = 104,
        /// Re-arms watches of all kinds. Servers from 3.6 on.
        SetWatches2 = 105,
        /// Adds a persistent watch. Servers from 3.6 on.
        AddWatch = 106,
        /// Lists the connection's identities. Servers from 3.7 on.
        WhoAmI = 107,
    }
}

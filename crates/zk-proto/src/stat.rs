//! What a server knows about a znode besides its data.

use crate::{
    id::{SessionId, Zxid},
    record::fixed_record,
};

fixed_record! {
    /// The metadata of a znode, 68 bytes on the wire.
    #[derive(Default)]
    pub struct Stat {
        /// The transaction that created the znode.
        pub czxid: Zxid,
        /// The transaction that last set its data.
        pub mzxid: Zxid,
        /// When it was created, in milliseconds since 1970 by the leader's clock.
        pub ctime: i64,
        /// When its data was last set, likewise.
        pub mtime: i64,
        /// How often its data was set. Starts at 0 again after delete and create.
        pub version: i32,
        /// How often a child was created or deleted.
        pub cversion: i32,
        /// How often its access list was set.
        pub aversion: i32,
        /// The session whose end deletes it; [`SessionId::NONE`] unless it is ephemeral.
        pub ephemeral_owner: SessionId,
        /// Bytes of data.
        pub data_length: i32,
        /// Number of children.
        pub num_children: i32,
        /// The transaction that last created or deleted a child.
        pub pzxid: Zxid,
    }
}

//! Questions about sessions and subtrees.

use crate::{path::ZnodePath, record::record};

record! {
    /// Lists the ephemeral znodes of the asking session.
    pub struct GetEphemerals {
        /// Only those whose path starts with this.
        pub prefix: String,
    }
}

record! {
    /// Counts the znodes below one, at any depth.
    pub struct GetAllChildrenNumber {
        /// Which.
        pub path: ZnodePath,
    }
}

record! {
    /// One identity of a connection.
    pub struct ClientIdentity {
        /// The scheme it was proved in.
        pub scheme: String,
        /// The user, without a password.
        pub user: String,
    }
}

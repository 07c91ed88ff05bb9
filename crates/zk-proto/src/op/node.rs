//! Operations on one existing, or perhaps missing, znode.

use bytes::Bytes;

use crate::{acl::Acl, path::ZnodePath, record::record};

/// The version that matches every version.
pub const ANY_VERSION: i32 = -1;

record! {
    /// Deletes a znode without children.
    pub struct Delete {
        /// Which.
        pub path: ZnodePath,
        /// Its version, or [`ANY_VERSION`].
        pub version: i32,
    }
}

record! {
    /// Reads a znode's stat. A watch is set also if it does not exist.
    pub struct Exists {
        /// Which.
        pub path: ZnodePath,
        /// Whether to tell the next change, once.
        pub watch: bool,
    }
}

record! {
    /// Reads a znode's data and stat. No watch is set if it does not exist.
    pub struct GetData {
        /// Which.
        pub path: ZnodePath,
        /// Whether to tell the next change of the data, once.
        pub watch: bool,
    }
}

record! {
    /// Replaces a znode's data.
    pub struct SetData {
        /// Which.
        pub path: ZnodePath,
        /// The new data.
        pub data: Option<Bytes>,
        /// Its version, or [`ANY_VERSION`].
        pub version: i32,
    }
}

record! {
    /// Reads a znode's access list and stat.
    pub struct GetAcl {
        /// Which.
        pub path: ZnodePath,
    }
}

record! {
    /// Replaces a znode's access list.
    pub struct SetAcl {
        /// Which.
        pub path: ZnodePath,
        /// The new list; must not be empty.
        pub acl: Vec<Acl>,
        /// The version of its list (`aversion`), or [`ANY_VERSION`].
        pub version: i32,
    }
}

record! {
    /// Lists the names of a znode's children. No watch is set if it does not exist.
    pub struct GetChildren {
        /// Which.
        pub path: ZnodePath,
        /// Whether to tell the next change among the children, once.
        pub watch: bool,
    }
}

record! {
    /// Makes reads behind it see at least what the leader had committed when it arrived there.
    pub struct SyncRequest {
        /// Any path; the whole tree is synced.
        pub path: ZnodePath,
    }
}

record! {
    /// Fails a multi unless a znode exists in a version.
    pub struct Check {
        /// Which.
        pub path: ZnodePath,
        /// Its version, or [`ANY_VERSION`] to test that it exists.
        pub version: i32,
    }
}

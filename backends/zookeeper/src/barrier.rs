//! What a read sends ahead of itself to be current.

use quorate_datasync::Consistency;
use quorate_zk::{Multi, Request, Sync, ZnodePath};

/// The request that makes the reads behind it on the same connection as current as asked for.
///
/// `sync` lets the server catch up with its leader. An empty `multi` is proposed to the quorum, takes a transaction
/// id of its own, and the session's reads wait behind it: whatever was acknowledged before is part of them. Both
/// count only if they are answered well themselves.
pub(crate) fn barrier(at: Consistency, path: &ZnodePath) -> Option<Request> {
    match at {
        Consistency::Local => None,
        Consistency::Synced => Some(Request::Sync(Sync { path: path.clone() })),
        Consistency::Linearizable => Some(Request::Multi(Multi { ops: Vec::new() })),
    }
}

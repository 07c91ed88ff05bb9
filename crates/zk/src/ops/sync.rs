//! Catching up with the leader.

use quorate_zk_proto::{Reply, Request, Sync, ZnodePath, Zxid};

use super::{error::operation_error, operation::Operation};
use crate::{client::Client, error::RequestError};

operation_error! {
    /// Why the server did not catch up.
    pub enum SyncError {}
}

impl Client {
    /// Makes reads submitted later see at least what the leader had committed when this arrived there. Gives
    /// the last transaction the server had applied.
    ///
    /// Nothing proves that the leader is still one: across a change of leaders reads may be old for a moment.
    ///
    /// # Errors
    ///
    /// [`SyncError`].
    pub fn sync(&self, path: &ZnodePath) -> Operation<Zxid, SyncError> {
        Operation::new(self.request(Request::Sync(Sync { path: path.clone() })), finish)
    }
}

fn finish(answer: Result<Reply, RequestError>) -> Result<Zxid, SyncError> {
    answer.map(|reply| reply.zxid).map_err(SyncError::classify)
}

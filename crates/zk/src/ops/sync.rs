//! Catching up with the leader.

use quorate_zk_proto::{Request, SyncRequest, ZnodePath, Zxid};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::client::Client;

operation_error! {
    /// Why the server did not catch up.
    pub enum SyncError {}
}

impl Client {
    /// Makes reads submitted later see at least what the leader had committed when this arrived there. Gives
    /// the last transaction the server had applied.
    ///
    /// At the leader itself this is an ordinary read: what others were told at a follower may be missing for a moment.
    /// An empty [`multi`](Self::multi) in front of a read goes through the quorum, and shows whatever anybody was told.
    /// Nothing proves that the leader is still one: across a change of leaders reads may be old for a moment.
    ///
    /// # Errors
    ///
    /// [`SyncError`].
    pub fn sync(&self, path: &ZnodePath) -> Operation<Zxid, SyncError> {
        self.operate(Request::Sync(SyncRequest { path: path.clone() }), Finish::Reply(finish))
    }
}

fn finish(answer: Answer) -> Result<Zxid, SyncError> {
    answer.map(|reply| reply.zxid).map_err(SyncError::classify)
}

//! Deleting a znode.

use quorate_zk_proto::{ANY_VERSION, Delete, Reply, Request, ZnodePath, Zxid};

use super::{error::operation_error, operation::Operation};
use crate::{client::Client, error::RequestError};

operation_error! {
    /// Why a znode was not deleted.
    pub enum DeleteError {
        /// It does not exist.
        NoNode = NoNode, "znode does not exist";
        /// It has another version.
        BadVersion = BadVersion, "znode has another version";
        /// It has children.
        NotEmpty = NotEmpty, "znode has children";
        /// The session may not delete it.
        NoAuth = NoAuth, "not allowed to delete the znode";
    }
}

impl Client {
    /// Deletes a znode without children, if it has this version; `None` for any. Gives the transaction.
    ///
    /// Takes effect in the order of the calls. If the connection is lost before the reply arrives it may or may
    /// not exist now: see [`RequestError::outcome`].
    ///
    /// # Errors
    ///
    /// [`DeleteError`].
    pub fn delete(&self, path: &ZnodePath, version: impl Into<Option<i32>>) -> Operation<Zxid, DeleteError> {
        let version = version.into().unwrap_or(ANY_VERSION);
        Operation::new(self.request(Request::Delete(Delete { path: path.clone(), version })), finish)
    }
}

fn finish(answer: Result<Reply, RequestError>) -> Result<Zxid, DeleteError> {
    answer.map(|reply| reply.zxid).map_err(DeleteError::classify)
}

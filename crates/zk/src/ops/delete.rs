//! Deleting a znode.

use quorate_zk_proto::{ANY_VERSION, Delete, Request, ZnodePath, Zxid};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::client::Client;

operation_error! {
    /// Why a znode was not deleted.
    pub enum DeleteError with BadVersion, "znode does not have version {expected}" {
        /// It does not exist.
        NoNode = NoNode, "znode does not exist";
        /// It has children.
        NotEmpty = NotEmpty, "znode has children";
        /// The session may not delete it.
        NoAuth = NoAuth, "not allowed to delete the znode";
    }
}

impl Client {
    /// Deletes a znode without children, if its data has this version; `None` for any. Gives the transaction.
    ///
    /// Takes effect in the order of the calls. If the connection is lost before the reply arrives it may or may
    /// not exist now: see [`RequestError::outcome`](crate::RequestError::outcome).
    ///
    /// # Errors
    ///
    /// [`DeleteError`].
    pub fn delete(&self, path: &ZnodePath, version: impl Into<Option<i32>>) -> Operation<Zxid, DeleteError> {
        let version = version.into().unwrap_or(ANY_VERSION);
        let delete = Delete { path: path.clone(), version };
        self.operate(Request::Delete(delete), Finish::Versioned(finish, version))
    }
}

fn finish(answer: Answer, version: i32) -> Result<Zxid, DeleteError> {
    answer.map(|reply| reply.zxid).map_err(|error| DeleteError::classify_versioned(error, version))
}

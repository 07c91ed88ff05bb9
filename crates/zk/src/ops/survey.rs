//! Questions about a whole subtree, and about what a session owns.

use quorate_zk_proto::{GetAllChildrenNumber, GetEphemerals, ReplyBody, Request, ZnodePath};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{client::Client, error::RequestError};

operation_error! {
    /// Why the znodes below one were not counted.
    pub enum GetAllChildrenNumberError {
        /// It does not exist.
        NoNode = NoNode, "znode does not exist";
        /// The session may not read it.
        NoAuth = NoAuth, "not allowed to read the znode";
        /// The server is older than 3.6.
        Unsupported = Unimplemented, "server cannot count znodes";
    }
}

operation_error! {
    /// Why the ephemeral znodes were not listed.
    pub enum GetEphemeralsError {
        /// The server is older than 3.6.
        Unsupported = Unimplemented, "server cannot list ephemeral znodes";
    }
}

impl Client {
    /// Counts the znodes below one, at any depth. Needs a server of 3.6 or later.
    ///
    /// The server walks through all of them. A server that does not know the operation is asked once and not again.
    ///
    /// # Errors
    ///
    /// [`GetAllChildrenNumberError`].
    pub fn get_all_children_number(&self, path: &ZnodePath) -> Operation<usize, GetAllChildrenNumberError> {
        let count = GetAllChildrenNumber { path: path.clone() };
        self.operate(Request::GetAllChildrenNumber(count), Finish::Reply(finish_number))
    }

    /// Lists the ephemeral znodes of this session whose path starts with a prefix, in no order. Needs a server of 3.6 or
    /// later.
    ///
    /// A prefix is text, not a subtree: `/a` also selects `/ab`. A server that does not know the operation is asked once
    /// and not again.
    ///
    /// # Errors
    ///
    /// [`GetEphemeralsError`].
    pub fn get_ephemerals(&self, prefix: impl Into<String>) -> Operation<Vec<ZnodePath>, GetEphemeralsError> {
        let list = GetEphemerals { prefix: prefix.into() };
        self.operate(Request::GetEphemerals(list), Finish::Reply(finish_ephemerals))
    }
}

fn finish_number(answer: Answer) -> Result<usize, GetAllChildrenNumberError> {
    match answer.map_err(GetAllChildrenNumberError::classify)?.body {
        ReplyBody::AllChildrenNumber(number) => {
            usize::try_from(number).map_err(|_| RequestError::of_another_kind().into())
        }
        _ => Err(RequestError::of_another_kind().into()),
    }
}

fn finish_ephemerals(answer: Answer) -> Result<Vec<ZnodePath>, GetEphemeralsError> {
    let ReplyBody::Ephemerals(paths) = answer.map_err(GetEphemeralsError::classify)?.body else {
        return Err(RequestError::of_another_kind().into());
    };
    let paths: Result<Vec<_>, _> = paths.iter().map(|path| ZnodePath::new(path)).collect();
    paths.map_err(|_| RequestError::of_another_kind().into())
}

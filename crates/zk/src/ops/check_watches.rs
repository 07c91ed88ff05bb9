//! Asking whether a watch is set.

use quorate_zk_proto::{CheckWatches, ErrorCode, ReplyBody, Request, WatcherType, ZnodePath};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{client::Client, error::RequestError};

operation_error! {
    /// Why it is not known whether there is a watch.
    pub enum CheckWatchesError {
        /// The server is older than 3.5.
        Unsupported = Unimplemented, "server does not tell of watches";
    }
}

impl Client {
    /// Asks the server whether it holds a watch of this connection on a path, for diagnosis. Needs a server of 3.5 or
    /// later, and one of 3.9 for [`WatcherType::Persistent`] and [`WatcherType::PersistentRecursive`].
    ///
    /// It tells what the server holds, which is not always what was asked for: this client shares one watch between all
    /// watchers of a path.
    ///
    /// # Errors
    ///
    /// [`CheckWatchesError`].
    pub fn check_watches(&self, path: &ZnodePath, kind: WatcherType) -> Operation<bool, CheckWatchesError> {
        let check = CheckWatches { path: path.clone(), kind };
        self.operate(Request::CheckWatches(check), Finish::Reply(finish))
    }
}

fn finish(answer: Answer) -> Result<bool, CheckWatchesError> {
    match answer.map(|reply| reply.body) {
        Ok(ReplyBody::Done) => Ok(true),
        Ok(_) => Err(RequestError::of_another_kind().into()),
        Err(error) if error.code() == Some(ErrorCode::NoWatcher) => Ok(false),
        Err(error) => Err(CheckWatchesError::classify(error)),
    }
}

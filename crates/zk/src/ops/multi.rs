//! Several operations that happen together or not at all.

use quorate_zk_proto::{ErrorCode, Multi, MultiOp, MultiResult, Reply, ReplyBody, Request};
use thiserror::Error;

use super::operation::Operation;
use crate::{client::Client, error::RequestError};

/// Why a multi was not applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MultiError {
    /// One of its operations failed, and so none was applied.
    #[error("operation {index} of the multi failed")]
    Failed {
        /// Which of them, counted from zero.
        index: usize,
        /// Why.
        #[source]
        code: ErrorCode,
    },
    /// The multi as a whole failed.
    #[error(transparent)]
    Session(#[from] RequestError),
}

impl Client {
    /// Does several things together or not at all. Gives a result for each.
    ///
    /// Takes effect in the order of the calls. If the connection is lost before the reply arrives all of it or
    /// nothing may have happened: see [`RequestError::outcome`]. An empty one goes through the quorum too.
    ///
    /// # Errors
    ///
    /// [`MultiError`].
    pub fn multi(&self, ops: Vec<MultiOp>) -> Operation<Vec<MultiResult>, MultiError> {
        Operation::new(self.request(Request::Multi(Multi { ops })), finish)
    }
}

fn finish(answer: Result<Reply, RequestError>) -> Result<Vec<MultiResult>, MultiError> {
    let ReplyBody::Multi(results) = answer?.body else {
        return Err(RequestError::of_another_kind().into());
    };
    match MultiResult::first_error(&results) {
        Some((index, code)) => Err(MultiError::Failed { index, code }),
        None => Ok(results),
    }
}

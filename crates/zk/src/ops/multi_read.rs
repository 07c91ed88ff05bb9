//! Several reads in one request.

use quorate_zk_proto::{MultiRead, MultiReadOp, MultiReadResult, ReplyBody, Request};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{client::Client, error::RequestError};

operation_error! {
    /// Why several reads were not made. That one of them failed is told in its place.
    pub enum MultiReadError {}
}

impl Client {
    /// Makes several reads, each with a result of its own, in the order given.
    ///
    /// They are one request to servers of 3.6 or later, and see the state of one moment. To older ones they are
    /// sent one by one without waiting in between. A server that is not known to be older is asked first; it then
    /// closes the connection, once.
    ///
    /// # Errors
    ///
    /// [`MultiReadError`].
    pub fn multi_read(&self, ops: Vec<MultiReadOp>) -> Operation<Vec<MultiReadResult>, MultiReadError> {
        let count = ops.len();
        self.operate(Request::MultiRead(MultiRead { ops }), Finish::Counted(finish, count))
    }
}

fn finish(answer: Answer, count: usize) -> Result<Vec<MultiReadResult>, MultiReadError> {
    match answer.map_err(MultiReadError::classify)?.body {
        ReplyBody::MultiRead(results) if results.len() == count => Ok(results),
        _ => Err(RequestError::of_another_kind().into()),
    }
}

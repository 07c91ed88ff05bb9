//! The future of an operation with its own types.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use quorate_zk_proto::Reply;

use crate::{error::RequestError, response::Response};

/// Makes a result of a reply.
pub(super) type Finish<T, E> = fn(Result<Reply, RequestError>) -> Result<T, E>;

/// The result of an operation that is submitted already.
///
/// # Cancel safety
///
/// Dropping it withdraws the operation while it waits for room in the window; once encoded it is sent.
#[must_use = "dropping the operation withdraws it if it was not sent yet"]
pub struct Operation<T, E> {
    response: Response,
    finish: Finish<T, E>,
}

impl<T, E> Operation<T, E> {
    pub(super) const fn new(response: Response, finish: Finish<T, E>) -> Self {
        Self { response, finish }
    }
}

impl<T, E> Future for Operation<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.response).poll(cx).map(self.finish)
    }
}

impl<T, E> fmt::Debug for Operation<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("response", &self.response).finish_non_exhaustive()
    }
}

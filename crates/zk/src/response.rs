//! The future of one request.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use quorate_zk_proto::{Reply, ZnodePath};
use tokio::sync::oneshot;

use crate::{
    chroot,
    error::{RequestError, Subject},
};

/// What comes back to whoever made a request. Paths in it are the server's.
pub(crate) type Answer = Result<Reply, RequestError>;

/// The answer to a request that is submitted already.
///
/// # Cancel safety
///
/// Dropping it withdraws the request while it waits for room in the window; once encoded it is sent.
#[derive(Debug)]
#[must_use = "dropping the response withdraws the request if it was not sent yet"]
pub struct Response {
    answer: oneshot::Receiver<Answer>,
    /// Taken when the answer is out.
    subject: Option<Subject>,
    chroot: Option<ZnodePath>,
}

impl Response {
    /// Makes the future of a request, and where its answer goes.
    pub(crate) fn new(subject: Subject, chroot: Option<ZnodePath>) -> (Self, oneshot::Sender<Answer>) {
        let (sender, answer) = oneshot::channel();
        (Self { answer, subject: Some(subject), chroot }, sender)
    }

    /// Takes the request back, and returns whether it is known not to have been sent.
    pub(crate) fn withdraw(&mut self) -> bool {
        self.answer.close();
        // Only the driver knows how far the request came, and it does not say.
        false
    }

    /// Ends the wait for the answer, and returns the error that says what may have become of the request.
    pub(crate) fn give_up(&mut self) -> RequestError {
        let is_withdrawn = self.withdraw();
        let subject = self.subject.take().expect("an answered request is not given up");
        subject.overdue(is_withdrawn)
    }
}

impl Future for Response {
    type Output = Result<Reply, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answer).poll(cx));
        let subject = self.subject.take().expect("a finished future is not polled again");
        Poll::Ready(match answer {
            Ok(Ok(reply)) => match &self.chroot {
                Some(chroot) => chroot::strip_reply(reply, chroot).map_err(|kind| subject.unreadable(kind)),
                None => Ok(reply),
            },
            Ok(Err(error)) => Err(error),
            Err(_) => Err(subject.abandoned()),
        })
    }
}

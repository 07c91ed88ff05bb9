//! The future of one request.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use quorate_zk_proto::{Reply, ZnodePath};

use crate::{
    chroot,
    error::{RequestError, Subject},
    slot::{End, SlotRef},
};

/// The answer to a request that is submitted already.
///
/// # Cancel safety
///
/// Dropping it withdraws the request while it waits for room in the window; once encoded it is sent.
#[derive(Debug)]
#[must_use = "dropping the response withdraws the request if it was not sent yet"]
pub struct Response {
    slot: SlotRef,
    subject: Subject,
    chroot: Option<ZnodePath>,
    /// Whether the answer was taken, so that there is nothing left to give up.
    is_over: bool,
}

impl Response {
    pub(crate) const fn new(slot: SlotRef, subject: Subject, chroot: Option<ZnodePath>) -> Self {
        Self { slot, subject, chroot, is_over: false }
    }

    /// Takes the request back if it was not sent yet. Returns whether it was in time; the response then never
    /// comes.
    pub(crate) fn withdraw(&self) -> bool {
        self.slot.withdraw()
    }

    fn finish(&self, end: End) -> Result<Reply, RequestError> {
        match end {
            End::Answered(Ok(reply)) => match &self.chroot {
                Some(chroot) => {
                    chroot::strip_reply(reply, chroot).map_err(|kind| self.subject.clone().unreadable(kind))
                }
                None => Ok(reply),
            },
            End::Answered(Err(failure)) => Err(self.subject.clone().answered(failure)),
            End::Abandoned => Err(self.subject.clone().abandoned()),
        }
    }

    /// Ends the wait for the answer, and returns the error that says what may have become of the request.
    pub(crate) fn give_up(&self) -> RequestError {
        let is_withdrawn = self.withdraw();
        self.subject.clone().overdue(is_withdrawn)
    }
}

impl Future for Response {
    type Output = Result<Reply, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let end = ready!(self.slot.poll(cx));
        self.is_over = true;
        Poll::Ready(self.finish(end))
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        if !self.is_over {
            self.slot.give_up();
        }
    }
}

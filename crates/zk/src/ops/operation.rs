//! The future of an operation with its own types.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use quorate_zk_proto::Request;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    again::{Again, Verdict},
    route::Route,
    waiting::{Answer, Waiting},
};
use crate::{client::Client, error::RequestError, response::Response, retry::RetryPolicy, terms::Terms};

/// Makes a result of an answer, and of what was asked where that matters.
pub(crate) enum Finish<T, E> {
    Reply(fn(Answer) -> Result<T, E>),
    Versioned(fn(Answer, i32) -> Result<T, E>, i32),
    Counted(fn(Answer, usize) -> Result<T, E>, usize),
}

/// The result of an operation that is submitted already.
///
/// It need not be polled for the operation to happen. Polling it brings about what comes after a first answer: the older
/// form of the operation where the server does not know the newer one, and further attempts where
/// [they are asked for](Client::retrying).
///
/// # Cancel safety
///
/// Dropping it withdraws the operation while it waits for room in the window; once encoded it is sent.
#[must_use = "dropping the operation withdraws it if it was not sent yet"]
pub struct Operation<T, E> {
    waiting: Waiting,
    finish: Finish<T, E>,
    again: Option<Box<Again>>,
    deadline: Option<Box<Deadline>>,
}

/// When its caller stops waiting.
struct Deadline {
    at: Instant,
    /// Made when first polled, which is in a runtime.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<T, E> Operation<T, E> {
    pub(super) const fn new(response: Response, finish: fn(Answer) -> Result<T, E>) -> Self {
        let waiting = Waiting::Response(response);
        Self { waiting, finish: Finish::Reply(finish), again: None, deadline: None }
    }

    /// One that was not submitted, for this reason.
    pub(super) fn refused(error: RequestError, finish: fn(Answer) -> Result<T, E>) -> Self {
        let waiting = Waiting::Refused(Box::new(error));
        Self { waiting, finish: Finish::Reply(finish), again: None, deadline: None }
    }

    /// Gives the operation so much time from now on, all attempts together. An earlier deadline is replaced.
    ///
    /// When the time is up and there is no answer, the operation fails with an error that is
    /// [`is_deadline_exceeded`](crate::RequestError::is_deadline_exceeded). Its outcome is `NotSent` if the request could
    /// still be taken back; else `Failed` for what only reads and `Unknown` for a write, which may be applied later.
    ///
    /// # Panics
    ///
    /// The future panics if it is polled outside a tokio runtime.
    pub fn deadline(mut self, after: Duration) -> Self {
        // A time that cannot be expressed is never reached.
        let at = Instant::now().checked_add(after);
        self.deadline = at.map(|at| Box::new(Deadline { at, timer: None }));
        self
    }

    /// Takes the operation back, and returns whether it is known not to have been sent.
    pub(super) fn withdraw(&self) -> bool {
        self.waiting.withdraw()
    }

    /// Puts the operation on the terms of a handle.
    pub(super) fn on(self, terms: Terms) -> Self {
        match terms.deadline {
            Some(after) => self.deadline(after),
            None => self,
        }
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        loop {
            let answer = ready!(self.waiting.poll(cx));
            let Some(again) = &mut self.again else { return Poll::Ready(answer) };
            match again.judge(answer) {
                Verdict::Final(answer) => return Poll::Ready(answer),
                Verdict::Next(waiting) => self.waiting = waiting,
            }
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        let timer = deadline.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline.at)));
        timer.as_mut().poll(cx)
    }
}

impl<T, E> Finish<T, E> {
    fn call(&self, answer: Answer) -> Result<T, E> {
        match self {
            Self::Reply(finish) => finish(answer),
            Self::Versioned(finish, version) => finish(answer, *version),
            Self::Counted(finish, count) => finish(answer, *count),
        }
    }
}

impl<T, E> Future for Operation<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answer) = self.poll_answer(cx) {
            return Poll::Ready(self.finish.call(answer));
        }
        ready!(self.poll_deadline(cx));
        let error = self.waiting.give_up();
        Poll::Ready(self.finish.call(Err(error)))
    }
}

impl<T, E> fmt::Debug for Operation<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl Client {
    /// Submits an operation, in the form that the server knows and on the terms of this handle.
    pub(super) fn operate<T, E>(&self, request: Request, finish: Finish<T, E>) -> Operation<T, E> {
        self.operate_by(&Route::default(), request, finish)
    }

    /// Submits an operation like [`operate`](Self::operate), by its own way.
    pub(super) fn operate_by<T, E>(
        &self,
        route: &Route,
        request: Request,
        finish: Finish<T, E>,
    ) -> Operation<T, E> {
        let terms = self.terms();
        let again = self
            .may_go_on(&request, terms.retry)
            .then(|| Box::new(Again::new(self.clone(), route.clone(), request.clone(), terms.retry)));
        let waiting = route.submit(self, request);
        Operation { waiting, finish, again, deadline: None }.on(terms)
    }

    fn may_go_on(&self, request: &Request, retry: Option<RetryPolicy>) -> bool {
        retry.is_some() || self.lacking().is_doubtful(request.op())
    }
}

//! What an operation waits for.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use quorate_zk_proto::{MultiReadResult, Reply, ReplyBody, Zxid};
use tokio::time::Sleep;

use crate::{error::RequestError, response::Response};

pub(crate) type Answer = Result<Reply, RequestError>;

/// The one thing that an operation waits for at the moment.
#[derive(Debug)]
pub(super) enum Waiting {
    Response(Response),
    /// Reads made one by one where the server does not know the multi read.
    Reads(Box<Reads>),
    /// The time before the next attempt, and why the last one failed.
    Pause(Pin<Box<Sleep>>, Box<RequestError>),
    /// Nothing: it was not submitted, for this reason.
    Refused(Box<RequestError>),
}

/// Reads under way, in order.
#[derive(Debug)]
pub(super) struct Reads {
    waiting: VecDeque<Response>,
    results: Vec<MultiReadResult>,
    zxid: Zxid,
}

impl Waiting {
    /// Waits for an answer. The end of a pause is one too: the error that it followed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        match self {
            Self::Response(response) => Pin::new(response).poll(cx),
            Self::Reads(reads) => reads.poll(cx),
            Self::Pause(sleep, error) => sleep.as_mut().poll(cx).map(|()| Err(RequestError::clone(error))),
            Self::Refused(error) => Poll::Ready(Err(RequestError::clone(error))),
        }
    }

    /// Takes what was submitted back, and returns whether it is known not to have been sent.
    pub(super) fn withdraw(&self) -> bool {
        match self {
            Self::Response(response) => response.withdraw(),
            Self::Reads(_) | Self::Pause(..) | Self::Refused(_) => false,
        }
    }

    /// Stops waiting, and returns the error that says what may have become of the operation.
    pub(super) fn give_up(&mut self) -> RequestError {
        match self {
            Self::Response(response) => response.give_up(),
            Self::Reads(reads) => reads.give_up(),
            Self::Pause(_, error) | Self::Refused(error) => RequestError::clone(error).overdue(),
        }
    }
}

impl Reads {
    pub(super) fn new(responses: Vec<Response>) -> Self {
        let results = Vec::with_capacity(responses.len());
        Self { waiting: responses.into(), results, zxid: Zxid::ZERO }
    }

    /// A read that is refused is one result among them. One that got no answer fails them all.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        while let Some(response) = self.waiting.front_mut() {
            let result = match ready!(Pin::new(response).poll(cx)) {
                Ok(Reply { body: ReplyBody::Data { data, stat }, zxid, .. }) => {
                    self.zxid = zxid;
                    Ok(MultiReadResult::Data { data, stat })
                }
                Ok(Reply { body: ReplyBody::Children { names, .. }, zxid, .. }) => {
                    self.zxid = zxid;
                    Ok(MultiReadResult::Children { names })
                }
                Ok(_) => Err(RequestError::of_another_kind()),
                Err(error) => match error.code() {
                    Some(code) if !error.is_retryable() => {
                        self.zxid = error.zxid().unwrap_or(self.zxid);
                        Ok(MultiReadResult::Error(code))
                    }
                    _ => Err(error),
                },
            };
            self.waiting.pop_front();
            match result {
                Ok(result) => self.results.push(result),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let body = ReplyBody::MultiRead(std::mem::take(&mut self.results));
        Poll::Ready(Ok(Reply::new(self.zxid, body)))
    }

    fn give_up(&mut self) -> RequestError {
        let first = self.waiting.front_mut().expect("reads that are all answered are not given up");
        first.give_up()
    }
}

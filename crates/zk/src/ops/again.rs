//! What follows an answer that is not the end of an operation.

use std::time::Duration;

use quorate_zk_proto::{MultiOp, Outcome, Request};
use tokio::time::{Instant, sleep};

use super::{
    route::{Route, has_older_form},
    waiting::{Answer, Waiting},
};
use crate::{client::Client, error::RequestError, lacking::Lacking, retry::RetryPolicy};

/// An operation that may be made again: in its older form, or because its handle retries.
#[derive(Debug)]
pub(super) struct Again {
    client: Client,
    route: Route,
    request: Request,
    retry: Option<Retry>,
    is_paused: bool,
}

#[derive(Debug)]
struct Retry {
    policy: RetryPolicy,
    since: Instant,
    attempts_made: u32,
}

/// What an answer means for the operation.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is over.
    Final(Answer),
    /// It goes on, waiting for this.
    Next(Waiting),
}

impl Again {
    pub(super) fn new(client: Client, route: Route, request: Request, retry: Option<RetryPolicy>) -> Self {
        let retry = retry.map(|policy| Retry { policy, since: Instant::now(), attempts_made: 1 });
        Self { client, route, request, retry, is_paused: false }
    }

    /// Decides what an answer means.
    pub(super) fn judge(&mut self, answer: Answer) -> Verdict {
        if std::mem::take(&mut self.is_paused) {
            return Verdict::Next(self.route.submit(&self.client, self.request.clone()));
        }
        let error = match answer {
            Ok(reply) => {
                self.client.lacking().note_known(self.request.op());
                return Verdict::Final(Ok(reply));
            }
            Err(error) => error,
        };
        if self.is_lacking(&error) {
            return Verdict::Next(self.route.submit(&self.client, self.request.clone()));
        }
        match self.retry.as_mut().filter(|_| may_repeat(&self.request, &error)).and_then(Retry::pause) {
            Some(pause) => {
                self.is_paused = true;
                Verdict::Next(Waiting::Pause(Box::pin(sleep(pause)), Box::new(error)))
            }
            None => Verdict::Final(Err(error)),
        }
    }

    /// Learns from an error what the server knows. Returns whether it lacks the operation, but not its older form.
    fn is_lacking(&self, error: &RequestError) -> bool {
        let Some(op) = error.op().filter(|op| Lacking::may_lack(*op)) else { return false };
        if error.outcome() == Outcome::NotSent {
            return false;
        }
        match error.code() {
            Some(_) if error.is_unsupported() => self.client.lacking().note_lacking(op),
            Some(_) => self.client.lacking().note_known(op),
            None => {}
        }
        error.is_unsupported() && has_older_form(op)
    }
}

impl Retry {
    /// Returns how long to pause before the next attempt, which then counts as made; `None` if there is to be none.
    fn pause(&mut self) -> Option<Duration> {
        let pause = self.policy.pause(self.attempts_made, self.since.elapsed())?;
        self.attempts_made += 1;
        Some(pause)
    }
}

/// Returns whether to make a request again. An ephemeral znode belongs to the session that it was meant for.
fn may_repeat(request: &Request, error: &RequestError) -> bool {
    error.is_retryable() && !(error.is_session_expired() && creates_ephemeral(request))
}

fn creates_ephemeral(request: &Request) -> bool {
    match request {
        Request::Create(create) | Request::CreateWithStat(create) => create.mode.is_ephemeral(),
        Request::Multi(multi) => multi.ops.iter().any(|op| match op {
            MultiOp::Create(create) | MultiOp::CreateWithStat(create) => create.mode.is_ephemeral(),
            _ => false,
        }),
        _ => false,
    }
}

//! Commits whose callers stopped waiting, and that may still be under way.
//!
//! Whoever abandoned one and then reads wants to see what became of it. Reads have threads of their own and could
//! overtake it, so as long as there is such a commit they first wait for those who write.

use std::sync::atomic::{AtomicUsize, Ordering};

use quorate_datasync::{Committed, Result};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::RecvError;

use crate::request::Reply;

/// How many commits are under way that nobody waits for.
#[derive(Debug, Default)]
pub(crate) struct Abandoned(AtomicUsize);

/// A commit that is waited for. Dropping it abandons the commit.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    abandoned: &'a Abandoned,
    answer: oneshot::Receiver<Result<Committed>>,
    is_answered: bool,
}

impl Abandoned {
    /// Whether there may be any.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Acquire) > 0
    }

    /// Waits for the answer to a commit.
    pub(crate) const fn wait_for(&self, answer: oneshot::Receiver<Result<Committed>>) -> Waiting<'_> {
        Waiting { abandoned: self, answer, is_answered: false }
    }

    /// Answers a commit, whose outcome is settled.
    pub(crate) fn answer(&self, reply: Reply<Committed>, outcome: Result<Committed>) {
        if reply.send(outcome).is_err() {
            self.0.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Waiting<'_> {
    /// The answer; an error if there will be none.
    pub(crate) async fn answer(mut self) -> Result<Result<Committed>, RecvError> {
        let outcome = (&mut self.answer).await;
        self.is_answered = true;
        outcome
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        // Counted first, so that whoever cannot answer any more finds it counted.
        self.abandoned.0.fetch_add(1, Ordering::AcqRel);
        self.answer.close();
        if self.answer.try_recv().is_ok() {
            self.abandoned.0.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use quorate_datasync::{Error, ErrorKind};

    use super::*;

    fn failed() -> Result<Committed> {
        Err(Error::new(ErrorKind::Closed, "commit"))
    }

    #[test]
    fn a_commit_is_abandoned_from_the_drop_to_the_answer() {
        let abandoned = Abandoned::default();
        let (reply, answer) = oneshot::channel();
        let waiting = abandoned.wait_for(answer);
        assert!(!abandoned.any());
        drop(waiting);
        assert!(abandoned.any());
        abandoned.answer(reply, failed());
        assert!(!abandoned.any());
    }

    #[test]
    fn a_commit_that_was_answered_before_the_drop_is_settled() {
        let abandoned = Abandoned::default();
        let (reply, answer) = oneshot::channel();
        let waiting = abandoned.wait_for(answer);
        abandoned.answer(reply, failed());
        drop(waiting);
        assert!(!abandoned.any());
    }
}

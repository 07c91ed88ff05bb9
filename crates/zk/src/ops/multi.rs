//! Several operations that happen together or not at all.

use quorate_zk_proto::{ErrorCode, Multi, MultiOp, MultiResult, ReplyBody, Request};
use thiserror::Error;

use super::{
    multi_builder::MultiBuilder,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{client::Client, error::RequestError};

/// Why a multi was not applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MultiError {
    /// One of its operations failed, and so none was applied.
    #[error("operation {index} of the multi failed")]
    #[non_exhaustive]
    Failed {
        /// Which of them, counted from zero.
        index: usize,
        /// Why.
        #[source]
        code: ErrorCode,
        /// What became of each, in their order.
        fates: Vec<MultiFate>,
    },
    /// The multi as a whole failed.
    #[error(transparent)]
    Session(#[from] RequestError),
}

/// What became of one operation of a multi that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an operation comes before the culprit, is it, or comes after it"
)]
pub enum MultiFate {
    /// It was possible, and was undone because of a later one.
    RolledBack,
    /// It failed, and the multi with it.
    Failed(ErrorCode),
    /// It was not tried, since an earlier one had failed.
    Skipped,
}

impl MultiError {
    /// Returns why the multi as a whole failed; `None` if one of its operations did.
    #[must_use]
    pub const fn request_error(&self) -> Option<&RequestError> {
        match self {
            Self::Failed { .. } => None,
            Self::Session(error) => Some(error),
        }
    }

    /// Returns whether it may have been applied, or may still be.
    #[must_use]
    pub const fn maybe_applied(&self) -> bool {
        matches!(self, Self::Session(error) if error.maybe_applied())
    }
}

impl Client {
    /// Starts to put together several operations that happen together or not at all.
    ///
    /// # Examples
    ///
    /// ```
    /// use quorate_zk::{Acl, ClientOptions, CreateMode, ErrorCode, MultiError, MultiFate, ZnodePath};
    /// use quorate_zk_fake::FakeZooKeeper;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// # let client = ClientOptions::new([server.connect_string()]).connect()?;
    /// let (from, to) = (ZnodePath::new("/from")?, ZnodePath::new("/to")?);
    /// client.create(&from, "value", CreateMode::Persistent, Acl::open()).await?;
    ///
    /// let moving = client.multi().create(&to, "value", CreateMode::Persistent, Acl::open()).delete(&from, 0);
    /// moving.clone().run().await?;
    ///
    /// let Err(MultiError::Failed { index, fates, .. }) = moving.run().await else { panic!("it moved twice") };
    /// assert_eq!(index, 0);
    /// assert_eq!(fates, [MultiFate::Failed(ErrorCode::NodeExists), MultiFate::Skipped]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn multi(&self) -> MultiBuilder {
        MultiBuilder::new(self.clone())
    }

    /// Does several things together or not at all. Gives a result for each, of its own kind.
    ///
    /// Takes effect in the order of the calls. If the connection is lost before the reply arrives all of it or
    /// nothing may have happened: see [`RequestError::outcome`]. An empty one goes through the quorum too.
    ///
    /// # Errors
    ///
    /// [`MultiError`].
    pub fn multi_ops(&self, ops: Vec<MultiOp>) -> Operation<Vec<MultiResult>, MultiError> {
        let count = ops.len();
        self.operate(Request::Multi(Multi { ops }), Finish::Counted(finish, count))
    }
}

pub(super) fn finish(answer: Answer, count: usize) -> Result<Vec<MultiResult>, MultiError> {
    let reply = answer?;
    let ReplyBody::Multi(results) = reply.body else {
        return Err(RequestError::of_another_kind().into());
    };
    if results.len() != count {
        return Err(RequestError::of_another_kind().into());
    }
    match MultiResult::first_error(&results) {
        // A session that is over fails every operation, whichever comes first.
        Some((_, ErrorCode::SessionExpired)) => Err(RequestError::of_expired_multi(reply.zxid).into()),
        Some((index, code)) => Err(MultiError::Failed { index, code, fates: fates(&results, index) }),
        None => Ok(results),
    }
}

fn fates(results: &[MultiResult], culprit: usize) -> Vec<MultiFate> {
    let fate = |(index, result): (usize, &MultiResult)| match result {
        MultiResult::Error(code) if index == culprit => MultiFate::Failed(*code),
        _ if index < culprit => MultiFate::RolledBack,
        _ => MultiFate::Skipped,
    };
    results.iter().enumerate().map(fate).collect()
}

#[cfg(test)]
mod tests {
    use quorate_zk_proto::{Reply, Zxid};

    use super::*;

    fn answer(results: Vec<MultiResult>) -> Answer {
        Ok(Reply::new(Zxid::new(7), ReplyBody::Multi(results)))
    }

    #[test]
    fn a_failed_multi_tells_what_became_of_each_operation() {
        let codes = [ErrorCode::Ok, ErrorCode::NoNode, ErrorCode::RuntimeInconsistency];
        let failed = finish(answer(codes.map(MultiResult::Error).into()), 3);
        let fates = vec![MultiFate::RolledBack, MultiFate::Failed(ErrorCode::NoNode), MultiFate::Skipped];
        assert_eq!(failed, Err(MultiError::Failed { index: 1, code: ErrorCode::NoNode, fates }));
    }

    #[test]
    fn a_session_that_expired_inside_a_multi_fails_it_as_a_whole() {
        let codes = [ErrorCode::SessionExpired, ErrorCode::RuntimeInconsistency];
        let error = finish(answer(codes.map(MultiResult::Error).into()), 2).unwrap_err();
        assert!(error.request_error().is_some_and(RequestError::is_session_expired));
        assert!(!error.maybe_applied());
    }

    #[test]
    fn a_reply_with_too_few_results_proves_nothing() {
        let error = finish(answer(vec![MultiResult::Deleted]), 2).unwrap_err();
        assert!(error.maybe_applied());
    }
}

//! What became of a delivery.

use std::fmt;
use std::sync::Arc;

/// What became of what one subscriber was told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The subscriber acknowledged it, or there was nothing in it that it did not have already.
    Applied,
    /// The subscriber refused it and said why, or dropped it unanswered. It is told again.
    Failed(Arc<str>),
    /// The subscriber missed a deadline. It is told again.
    TimedOut(Deadline),
    /// The subscriber left before it answered.
    Gone,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deadline {
    /// The commit was to come back to the hub through its watch.
    Arrive,
    /// The subscriber was to take the delivery.
    Accept,
    /// The subscriber was to answer the delivery.
    Finish,
}

impl Outcome {
    /// Whether the subscriber has it.
    #[must_use]
    pub const fn is_applied(&self) -> bool {
        matches!(self, Self::Applied)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied => f.write_str("applied"),
            Self::Failed(reason) => write!(f, "failed: {reason}"),
            Self::TimedOut(Deadline::Arrive) => f.write_str("did not arrive in time"),
            Self::TimedOut(Deadline::Accept) => f.write_str("was not accepted in time"),
            Self::TimedOut(Deadline::Finish) => f.write_str("was not finished in time"),
            Self::Gone => f.write_str("the subscriber left"),
        }
    }
}

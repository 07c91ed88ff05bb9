//! What came of a write to several stores.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::{Committed, Error};

/// What a write to several stores did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// The stores that took it, by name, in the order in which they were added.
    pub committed: Vec<(Arc<str>, Committed)>,
    /// The stores that did not, by name. Empty unless best effort was asked for.
    pub failed: Vec<(Arc<str>, Error)>,
}

/// A write that not all stores took.
#[derive(Debug)]
#[non_exhaustive]
pub struct PublishFailures {
    /// The stores that took it, by name. Nothing is taken back there.
    pub committed: Vec<(Arc<str>, Committed)>,
    /// The stores that did not, by name; each error says whether the write may have been applied there.
    pub failed: Vec<(Arc<str>, Error)>,
}

impl Published {
    pub(super) fn or_failures(self) -> Result<Self, PublishFailures> {
        if self.failed.is_empty() { Ok(self) } else { Err(self.into_failures()) }
    }

    pub(super) fn or_nowhere(self) -> Result<Self, PublishFailures> {
        let is_nowhere = self.committed.is_empty() && !self.failed.is_empty();
        if is_nowhere { Err(self.into_failures()) } else { Ok(self) }
    }

    fn into_failures(self) -> PublishFailures {
        PublishFailures { committed: self.committed, failed: self.failed }
    }
}

impl PublishFailures {
    /// Whether some store may have the write: it was taken, or its outcome is open.
    #[must_use]
    pub fn maybe_applied(&self) -> bool {
        !self.committed.is_empty() || self.failed.iter().any(|(_, error)| error.maybe_applied())
    }
}

impl fmt::Display for PublishFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.failed.len() + self.committed.len();
        write!(f, "{} of {all} stores did not take the write", self.failed.len())?;
        for (at, (name, error)) in self.failed.iter().enumerate() {
            write!(f, "{} {name}: {error}", if at == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl StdError for PublishFailures {}

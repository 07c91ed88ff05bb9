//! What subscribers are told, one after the other.

use std::fmt;
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt;
use thiserror::Error;

use super::background::Held;

/// What a stream tells, as an iterator whose `next` waits. It ends as the stream does: when the store is closed, or
/// when the last handle of the struct is dropped.
///
/// # Panics
///
/// `next` panics where waiting is not allowed, as [everything here](crate::blocking#panics).
#[must_use = "nothing is told before it is asked for"]
pub struct Told<S>(Held<S>);

/// What was waited for did not come in time.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("what was waited for did not come within {waited:?}")]
#[non_exhaustive]
pub struct TimedOut {
    /// How long was waited.
    pub waited: Duration,
}

impl<S: Stream + Unpin> Told<S> {
    pub(super) const fn new(stream: Held<S>) -> Self {
        Self(stream)
    }

    /// What is told next, if that is within `wait`; `None` at the end. What comes too late is told next time.
    ///
    /// # Errors
    ///
    /// [`TimedOut`].
    ///
    /// # Panics
    ///
    /// Where waiting is not allowed, as [everything here](crate::blocking#panics).
    pub fn next_within(&mut self, wait: Duration) -> Result<Option<S::Item>, TimedOut> {
        let background = self.0.background().clone();
        let stream = self.0.value_mut();
        let told = background.block_on(async { tokio::time::timeout(wait, stream.next()).await });
        told.map_err(|_| TimedOut { waited: wait })
    }
}

impl<S: Stream + Unpin> Iterator for Told<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        let background = self.0.background().clone();
        background.block_on(self.0.value_mut().next())
    }
}

impl<S> fmt::Debug for Told<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}

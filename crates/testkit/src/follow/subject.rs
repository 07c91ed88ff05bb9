//! What a backend hands to the suite.

use std::fmt;

use crate::conformance::Harness;

/// A store to be followed, and what can go wrong with the handle that follows.
pub struct Subject {
    pub(crate) harness: Harness,
    pub(crate) fail: Option<Box<dyn Fn(Fault)>>,
}

/// What goes wrong with the connection of the first handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a connection is lost or had")]
pub enum Fault {
    /// It is lost, and stays so if that can be done.
    Lost,
    /// It can be had again.
    Over,
}

impl Subject {
    /// The first handle of the harness is followed, the second one writes.
    #[must_use]
    pub fn new(harness: Harness) -> Self {
        Self { harness, fail: None }
    }

    /// How the connection of the first handle is lost.
    #[must_use]
    pub fn fail(mut self, fail: impl Fn(Fault) + 'static) -> Self {
        self.fail = Some(Box::new(fail));
        self
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("harness", &self.harness).finish_non_exhaustive()
    }
}

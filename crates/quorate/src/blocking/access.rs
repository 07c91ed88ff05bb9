//! Reading a live copy from a hot path.

use std::fmt;

use super::background::Held;
use crate::ReadError;

/// Reads a live copy without touching memory that other threads write: see [`Access`](crate::Access). It waits for
/// nothing and may be used anywhere.
///
/// It keeps the live copy, its store and the background thread alive, as a clone of [`Shared`](super::Shared) does.
pub struct Access<T>(Held<crate::Access<T>>);

impl<T> Access<T> {
    pub(super) const fn new(access: Held<crate::Access<T>>) -> Self {
        Self(access)
    }

    /// The local copy, if it was proved current within its bound: see [`Access::read`](crate::Access::read).
    ///
    /// # Errors
    ///
    /// Those of [`Access::read`](crate::Access::read).
    pub fn read(&mut self) -> Result<&T, ReadError> {
        self.0.value_mut().read()
    }

    /// The last good copy, however old: see [`Access::peek`](crate::Access::peek).
    pub fn peek(&mut self) -> &T {
        self.0.value_mut().peek()
    }
}

impl<T> Clone for Access<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Access<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

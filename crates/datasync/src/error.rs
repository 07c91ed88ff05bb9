//! One error for every store: what failed, on which key, and whether it may have been applied.

use std::error::Error as StdError;
use std::fmt;

use crate::{Key, KeyError};

/// The result of a store operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store operation failed.
///
/// `Display` names what failed and leaves out the [`source`](StdError::source); a program that shows errors to
/// people prints the chain.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    key: Option<Key>,
    detail: String,
    maybe_applied: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What went wrong, for a program to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store is not in the state that the commit asked for.
    Conflict(Conflict),
    /// A value or a transaction is larger than this store takes. Nothing was sent.
    TooLarge,
    /// This store cannot do that.
    Unsupported,
    /// The text is not a valid key, value or option.
    Invalid,
    /// The store could not be reached, or the connection was lost on the way.
    Unreachable,
    /// The time allowed was used up.
    TimedOut,
    /// The lease that the commit names has ended.
    LeaseEnded,
    /// The store does not allow this client to do that.
    Denied,
    /// The store can only be read.
    ReadOnly,
    /// What is there is not a store of ours, is damaged, or was written by a newer version.
    Foreign,
    /// The handle was closed.
    Closed,
    /// The store itself failed.
    Backend,
}

/// Which rule a refused commit met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Conflict {
    /// The key should be absent and is not.
    Present,
    /// The key should be present and is not.
    Absent,
    /// The key has another version than the one named, or is gone.
    Version,
    /// The key to delete has keys below it.
    HasChildren,
    /// The key would lie below one that is under a lease.
    BelowLeased,
    /// A put would change the lease of the key.
    LeaseChange,
    /// Others kept changing the key until the attempts were used up.
    Contended,
}

impl Error {
    /// An error of this kind in `operation`, about which nothing else is known. It counts as not applied.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: &'static str) -> Self {
        Self(Box::new(Inner {
            kind,
            operation,
            key: None,
            detail: String::new(),
            maybe_applied: false,
            source: None,
        }))
    }

    /// A refused commit.
    #[must_use]
    pub fn conflict(conflict: Conflict, key: &Key) -> Self {
        Self::new(ErrorKind::Conflict(conflict), "commit").on(key)
    }

    /// A value that is larger than the store takes.
    #[must_use]
    pub fn too_large(key: &Key, bytes: usize, bytes_max: usize) -> Self {
        let detail = format!("a value of {bytes} bytes is over the limit of {bytes_max}");
        Self::new(ErrorKind::TooLarge, "commit").on(key).because(detail)
    }

    /// Something that this store cannot do.
    #[must_use]
    pub fn unsupported(operation: &'static str, what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, operation).because(what)
    }

    /// Names the key.
    #[must_use]
    pub fn on(mut self, key: &Key) -> Self {
        self.0.key = Some(key.clone());
        self
    }

    /// Says in words what happened.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// Says that the write may have been applied all the same.
    #[must_use]
    pub fn perhaps_applied(mut self) -> Self {
        self.0.maybe_applied = true;
        self
    }

    /// Says that nothing was written by what failed.
    #[must_use]
    pub(crate) fn not_applied(mut self) -> Self {
        self.0.maybe_applied = false;
        self
    }

    /// The same error in words, for one more who is to be told: its source is among its words.
    pub(crate) fn retold(&self) -> Self {
        let Inner { kind, operation, key, detail, maybe_applied, source } = &*self.0;
        let mut words = detail.clone();
        let mut next = source.as_ref().map(|source| &**source as &(dyn StdError + 'static));
        while let Some(error) = next {
            let separator = if words.is_empty() { "" } else { ": " };
            words = format!("{words}{separator}{error}");
            next = error.source();
        }
        let (kind, operation, key, maybe_applied) = (*kind, *operation, key.clone(), *maybe_applied);
        Self(Box::new(Inner { kind, operation, key, detail: words, maybe_applied, source: None }))
    }

    /// Names the error that this one comes from.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Which rule a refused commit met, if this is one.
    #[must_use]
    pub fn as_conflict(&self) -> Option<Conflict> {
        match self.0.kind {
            ErrorKind::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }

    /// The operation that failed: `get`, `commit`, `watch` and the like.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The key it failed on. Of a refused commit: the key of the first check or write that was refused.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        self.0.key.as_ref()
    }

    /// Whether a failed write may have been applied all the same. If not, it was not and never will be.
    #[must_use]
    pub fn maybe_applied(&self) -> bool {
        self.0.maybe_applied
    }

    /// Whether the same call may succeed later without anything being changed by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Conflict(Conflict::Contended)
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.operation)?;
        if let Some(key) = &self.0.key {
            write!(f, " {key}")?;
        }
        write!(f, ": {}", self.0.kind)?;
        if !self.0.detail.is_empty() {
            write!(f, ": {}", self.0.detail)?;
        }
        if self.0.maybe_applied {
            f.write_str(" (it may have been applied)")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("key", &self.0.key)
            .field("detail", &self.0.detail)
            .field("maybe_applied", &self.0.maybe_applied)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Conflict(conflict) => return conflict.fmt(f),
            Self::TooLarge => "too large",
            Self::Unsupported => "not supported by this store",
            Self::Invalid => "invalid",
            Self::Unreachable => "the store cannot be reached",
            Self::TimedOut => "timed out",
            Self::LeaseEnded => "the lease has ended",
            Self::Denied => "not allowed",
            Self::ReadOnly => "the store is read-only",
            Self::Foreign => "not a store that can be used",
            Self::Closed => "the store is closed",
            Self::Backend => "the store failed",
        };
        f.write_str(text)
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Present => "the key exists already",
            Self::Absent => "the key does not exist",
            Self::Version => "the key was changed meanwhile",
            Self::HasChildren => "there are keys below it",
            Self::BelowLeased => "a key above it is under a lease",
            Self::LeaseChange => "a put cannot change the lease of a key",
            Self::Contended => "the key kept changing",
        })
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::new(ErrorKind::Invalid, "parse").because(error.to_string()).caused_by(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_operation_key_and_reason() {
        let key = Key::parse("/a").unwrap();
        let error = Error::conflict(Conflict::Version, &key);
        assert_eq!(error.to_string(), "commit /a: the key was changed meanwhile");
        assert_eq!(
            Error::too_large(&key, 3, 2).to_string(),
            "commit /a: too large: a value of 3 bytes is over the limit of 2"
        );
    }

    #[test]
    fn an_open_outcome_is_said() {
        let error = Error::new(ErrorKind::Unreachable, "commit").perhaps_applied();
        assert!(error.maybe_applied());
        assert!(error.to_string().ends_with("(it may have been applied)"));
    }
}

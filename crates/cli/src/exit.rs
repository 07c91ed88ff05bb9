//! Exit codes, and which failure has which: scripts rely on them.

use std::fmt;
use std::process::ExitCode;

use anyhow::{Error as Words, anyhow};
use quorate::{ErrorKind, KeyError, LockError, PointerError, UpdateError};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was done.
    Done,
    /// It failed: undecodable, too large, refused, a patch that cannot be applied.
    Failed,
    /// It was not asked for in a way that can be understood.
    Usage,
    /// The store is not in the state that was asked for.
    Conflict,
    /// The struct, key or path is not there.
    NotFound,
    /// The time ran out, or the store cannot be reached.
    TimedOut,
    /// A signal with this number asked for the end.
    Signalled(u8),
    /// A command that was run ended with this code.
    Command(u8),
}

/// Why a command was not done, and how the program ends because of it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// `None` for an end that needs no words.
    words: Option<Words>,
}

/// The result of a command.
pub(crate) type Result<T = Exit> = std::result::Result<T, Failure>;

impl Exit {
    /// The number that the caller sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Conflict => 3,
            Self::NotFound => 4,
            Self::TimedOut => 5,
            Self::Signalled(number) => 128 + number,
            Self::Command(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Failure {
    pub(crate) fn new(exit: Exit, words: impl fmt::Display) -> Self {
        Self { exit, words: Some(anyhow!("{words}")) }
    }

    /// An end that needs no words, as of a reader that went away.
    pub(crate) const fn quiet(exit: Exit) -> Self {
        Self { exit, words: None }
    }

    pub(crate) fn failed(words: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, words)
    }

    pub(crate) fn usage(words: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, words)
    }

    pub(crate) fn conflict(words: impl fmt::Display) -> Self {
        Self::new(Exit::Conflict, words)
    }

    pub(crate) fn not_found(words: impl fmt::Display) -> Self {
        Self::new(Exit::NotFound, words)
    }

    pub(crate) fn timed_out(words: impl fmt::Display) -> Self {
        Self::new(Exit::TimedOut, words)
    }

    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// What to say, with every cause; `None` where nothing needs to be said.
    pub(crate) fn words(&self) -> Option<String> {
        self.words.as_ref().map(|words| format!("{words:#}"))
    }

    /// The same end, with what it is about said first.
    pub(crate) fn about(self, what: impl fmt::Display + Send + Sync + 'static) -> Self {
        Self { words: self.words.map(|words| words.context(what)), ..self }
    }

    /// Whether the store does not allow this client to do that.
    pub(crate) fn is_denied(&self) -> bool {
        let error = self.words.as_ref().and_then(|words| words.downcast_ref::<quorate::Error>());
        error.is_some_and(|error| error.kind() == ErrorKind::Denied)
    }

    fn caused(exit: Exit, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { exit, words: Some(Words::new(error)) }
    }
}

/// Which exit code a store's error has.
const fn exit_of(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::Conflict(_) => Exit::Conflict,
        ErrorKind::Invalid => Exit::Usage,
        ErrorKind::Unreachable | ErrorKind::TimedOut => Exit::TimedOut,
        // Too large, not supported, not allowed, read-only, foreign, closed, broken: and whatever comes later.
        _ => Exit::Failed,
    }
}

impl From<quorate::Error> for Failure {
    fn from(error: quorate::Error) -> Self {
        Self::caused(exit_of(error.kind()), error)
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Store(error) => error.into(),
            error @ LockError::TimedOut { .. } => {
                Self::timed_out(format!("{error}: somebody else holds it, and --timeout TIME waits longer"))
            }
            error => Self::caused(Exit::TimedOut, error),
        }
    }
}

impl From<UpdateError<Self>> for Failure {
    fn from(error: UpdateError<Self>) -> Self {
        match error {
            UpdateError::Aborted(refusal) => refusal,
            UpdateError::Lock(error) => error.into(),
            UpdateError::Store(error) => error.into(),
            UpdateError::Deleted => Self::not_found("there is no struct to update"),
            error => Self::failed(error),
        }
    }
}

impl From<quorate::OpenStoreError> for Failure {
    fn from(error: quorate::OpenStoreError) -> Self {
        match error {
            quorate::OpenStoreError::Store(error) => error.into(),
            error => Self::caused(Exit::Usage, error),
        }
    }
}

impl From<quorate::UrlError> for Failure {
    fn from(error: quorate::UrlError) -> Self {
        Self::caused(Exit::Usage, error)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::caused(Exit::Usage, error)
    }
}

impl From<PointerError> for Failure {
    fn from(error: PointerError) -> Self {
        Self::caused(Exit::Usage, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate::{Conflict, Error, Key};
    use std::time::Duration;

    #[test]
    fn every_kind_of_store_error_has_its_exit_code() {
        let table = [
            (ErrorKind::Conflict(Conflict::Version), 3),
            (ErrorKind::Conflict(Conflict::Contended), 3),
            (ErrorKind::Conflict(Conflict::HasChildren), 3),
            (ErrorKind::TooLarge, 1),
            (ErrorKind::Unsupported, 1),
            (ErrorKind::Invalid, 2),
            (ErrorKind::Unreachable, 5),
            (ErrorKind::TimedOut, 5),
            (ErrorKind::LeaseEnded, 1),
            (ErrorKind::Denied, 1),
            (ErrorKind::ReadOnly, 1),
            (ErrorKind::Foreign, 1),
            (ErrorKind::Closed, 1),
            (ErrorKind::Backend, 1),
        ];
        for (kind, code) in table {
            assert_eq!(Failure::from(Error::new(kind, "get")).exit().code(), code, "{kind:?}");
        }
    }

    #[test]
    fn every_other_failure_has_its_exit_code() {
        let key = Key::parse("/a").unwrap();
        let unreachable = || Error::new(ErrorKind::Unreachable, "lock");
        let timed_out = LockError::TimedOut { directory: key.clone(), waited: Duration::ZERO };
        let update = |error: UpdateError<Failure>| Failure::from(error).exit().code();
        assert_eq!(Failure::from(LockError::Store(unreachable())).exit().code(), 5);
        assert_eq!(update(UpdateError::Lock(timed_out)), 5);
        assert_eq!(update(UpdateError::Aborted(Failure::conflict("no"))), 3);
        assert_eq!(update(UpdateError::Store(Error::too_large(&key, 2, 1))), 1);
        assert_eq!(update(UpdateError::Deleted), 4);
        let scheme = "redis://h".parse::<quorate::StoreUrl>().unwrap_err();
        assert_eq!(Failure::from(scheme).exit().code(), 2);
        assert_eq!(Failure::from(Key::parse("/a//b").unwrap_err()).exit().code(), 2);
        assert_eq!(Exit::Signalled(2).code(), 130);
    }

    #[test]
    fn words_name_every_cause() {
        let cause = Key::parse("a").unwrap_err();
        let error = Error::new(ErrorKind::Backend, "get").caused_by(cause);
        assert_eq!(
            Failure::from(error).words().unwrap(),
            "get: the store failed: key \"a\" does not start with '/'"
        );
    }
}

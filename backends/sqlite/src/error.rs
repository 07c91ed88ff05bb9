//! Errors of SQLite and of the file system, told as errors of a store.

use std::io;
use std::path::Path;

use quorate_datasync::{Error, ErrorKind, Result};
use rusqlite::ErrorCode;

/// Tells an error of SQLite as an error of the store.
///
/// It counts as not applied; whoever sends the COMMIT says otherwise.
pub(crate) fn classify(operation: &'static str, error: rusqlite::Error) -> Error {
    let (kind, detail) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            (ErrorKind::TimedOut, "other processes kept the file locked")
        }
        Some(ErrorCode::ReadOnly) => (ErrorKind::ReadOnly, ""),
        Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            (ErrorKind::Denied, "")
        }
        Some(ErrorCode::NotADatabase) => (ErrorKind::Foreign, "the file is not an SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => (ErrorKind::Foreign, "the file is damaged"),
        Some(ErrorCode::CannotOpen) => (ErrorKind::Unreachable, "the file cannot be opened"),
        Some(ErrorCode::DiskFull) => (ErrorKind::Backend, "the disk is full"),
        Some(ErrorCode::SystemIoFailure) => (ErrorKind::Backend, "the disk failed"),
        Some(ErrorCode::TooBig) => (ErrorKind::TooLarge, ""),
        _ => (ErrorKind::Backend, ""),
    };
    Error::new(kind, operation).because(detail).caused_by(error)
}

/// Tells an error of the file system as an error of the store.
pub(crate) fn classify_io(operation: &'static str, path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        io::ErrorKind::ReadOnlyFilesystem => ErrorKind::ReadOnly,
        io::ErrorKind::TimedOut => ErrorKind::TimedOut,
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorKind::Unreachable,
        _ => ErrorKind::Backend,
    };
    Error::new(kind, operation).because(path.display().to_string()).caused_by(error)
}

/// Turns a failure into an error of the store, in passing.
pub(crate) trait During<T> {
    /// Names the operation that failed.
    fn during(self, operation: &'static str) -> Result<T>;
}

impl<T> During<T> for rusqlite::Result<T> {
    fn during(self, operation: &'static str) -> Result<T> {
        self.map_err(|error| classify(operation, error))
    }
}

/// The same failure once more, for the others that it hit.
pub(crate) fn repeat(error: &Error) -> Error {
    let mut again = Error::new(error.kind(), error.operation()).because(describe(error));
    if error.maybe_applied() {
        again = again.perhaps_applied();
    }
    again
}

/// An error and what it comes from, in one line.
pub(crate) fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn every_sqlite_failure_has_its_kind() {
        let table = [
            (ffi::SQLITE_BUSY, ErrorKind::TimedOut),
            (ffi::SQLITE_LOCKED, ErrorKind::TimedOut),
            (ffi::SQLITE_PROTOCOL, ErrorKind::TimedOut),
            (ffi::SQLITE_READONLY, ErrorKind::ReadOnly),
            (ffi::SQLITE_PERM, ErrorKind::Denied),
            (ffi::SQLITE_NOTADB, ErrorKind::Foreign),
            (ffi::SQLITE_CORRUPT, ErrorKind::Foreign),
            (ffi::SQLITE_CANTOPEN, ErrorKind::Unreachable),
            (ffi::SQLITE_FULL, ErrorKind::Backend),
            (ffi::SQLITE_IOERR, ErrorKind::Backend),
            (ffi::SQLITE_TOOBIG, ErrorKind::TooLarge),
            (ffi::SQLITE_MISUSE, ErrorKind::Backend),
        ];
        for (code, kind) in table {
            let error = classify("get", rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            assert_eq!(error.kind(), kind, "code {code}");
            assert!(!error.maybe_applied());
        }
        assert_eq!(classify("get", rusqlite::Error::InvalidQuery).kind(), ErrorKind::Backend);
    }

    #[test]
    fn every_failure_of_the_file_system_has_its_kind() {
        let table = [
            (io::ErrorKind::PermissionDenied, ErrorKind::Denied),
            (io::ErrorKind::ReadOnlyFilesystem, ErrorKind::ReadOnly),
            (io::ErrorKind::NotFound, ErrorKind::Unreachable),
            (io::ErrorKind::TimedOut, ErrorKind::TimedOut),
            (io::ErrorKind::StorageFull, ErrorKind::Backend),
        ];
        for (from, kind) in table {
            assert_eq!(classify_io("open", Path::new("/x"), from.into()).kind(), kind, "{from:?}");
        }
    }

    #[test]
    fn a_repeated_error_says_the_same() {
        let error = classify_io("commit", Path::new("/x"), io::ErrorKind::NotFound.into()).perhaps_applied();
        let again = repeat(&error);
        assert_eq!((again.kind(), again.operation()), (error.kind(), error.operation()));
        assert!(again.maybe_applied());
        assert!(again.to_string().contains("/x"));
    }
}

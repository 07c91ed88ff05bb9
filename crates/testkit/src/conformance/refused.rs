//! What a refusal must look like.

use std::fmt::Debug;

use quorate_datasync::{Committed, Conflict, Error, ErrorKind, Key, Result};

/// Demands that something was refused for this reason and was not applied; gives back the error.
///
/// # Panics
///
/// If it was not.
#[track_caller]
pub fn assert_refused<T: Debug>(result: Result<T>, kind: ErrorKind) -> Error {
    let error = result.expect_err("this must be refused");
    assert_eq!(error.kind(), kind, "refused for another reason: {error}");
    assert!(!error.maybe_applied(), "a refusal leaves nothing open: {error}");
    error
}

/// Demands that a commit was refused by this rule on this key.
///
/// # Panics
///
/// If it was not.
#[track_caller]
pub fn assert_conflict(result: Result<Committed>, conflict: Conflict, key: &Key) {
    let error = assert_refused(result, ErrorKind::Conflict(conflict));
    assert_eq!(error.key(), Some(key), "the refusal names another key: {error}");
}

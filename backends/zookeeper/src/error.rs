//! From the client's errors to the store's: one function.

use quorate_datasync::{Conflict, Error, ErrorKind, Key};
use quorate_zk::{ErrorCode, RequestError};

/// What it means when a server does not take an access list. Ours are valid but for one that stands for the identities
/// of this client.
const NO_IDENTITY: &str =
    "the server does not take the access list: it knows no identity of this client, or not the scheme of one";

/// The store's error for a failed request about `key`.
pub(crate) fn classify(operation: &'static str, key: Option<&Key>, error: RequestError) -> Error {
    let kind = match error.code() {
        Some(code) => kind_of(code),
        None if error.is_closed() => ErrorKind::Closed,
        None if error.is_too_large() => ErrorKind::TooLarge,
        None if error.is_auth_failed() => ErrorKind::Denied,
        None => ErrorKind::Unreachable,
    };
    let maybe_applied = error.maybe_applied();
    let classified = match error.code() {
        Some(ErrorCode::InvalidAcl) => Error::new(kind, operation).because(NO_IDENTITY),
        _ => Error::new(kind, operation),
    };
    let classified = classified.caused_by(error);
    let classified = if maybe_applied { classified.perhaps_applied() } else { classified };
    match key {
        Some(key) => classified.on(key),
        None => classified,
    }
}

/// The error of options that cannot be.
pub(crate) fn invalid(problem: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "open").because(problem)
}

/// The error of a transaction of which the server refused a part with this code.
pub(crate) fn refusal(code: ErrorCode) -> Error {
    let error = Error::new(kind_of(code), "commit");
    match code {
        ErrorCode::InvalidAcl => error.because(NO_IDENTITY),
        code => error.because(code.to_string()),
    }
}

/// The kind of error that a server's code stands for.
pub(crate) const fn kind_of(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::NoAuth | ErrorCode::AuthFailed | ErrorCode::InvalidAcl => ErrorKind::Denied,
        ErrorCode::NotReadOnly => ErrorKind::ReadOnly,
        ErrorCode::Unimplemented => ErrorKind::Unsupported,
        ErrorCode::SessionExpired | ErrorCode::SessionMoved | ErrorCode::ConnectionLoss => {
            ErrorKind::Unreachable
        }
        ErrorCode::OperationTimeout | ErrorCode::RequestTimeout | ErrorCode::ThrottledOp => {
            ErrorKind::Unreachable
        }
        ErrorCode::NoNode => ErrorKind::Conflict(Conflict::Absent),
        ErrorCode::NodeExists => ErrorKind::Conflict(Conflict::Present),
        ErrorCode::BadVersion => ErrorKind::Conflict(Conflict::Version),
        ErrorCode::NotEmpty => ErrorKind::Conflict(Conflict::HasChildren),
        ErrorCode::NoChildrenForEphemerals => ErrorKind::Conflict(Conflict::BelowLeased),
        _ => ErrorKind::Backend,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_kind() {
        let table = [
            (ErrorCode::NoAuth, ErrorKind::Denied),
            (ErrorCode::NotReadOnly, ErrorKind::ReadOnly),
            (ErrorCode::Unimplemented, ErrorKind::Unsupported),
            (ErrorCode::SessionExpired, ErrorKind::Unreachable),
            (ErrorCode::BadVersion, ErrorKind::Conflict(Conflict::Version)),
            (ErrorCode::NotEmpty, ErrorKind::Conflict(Conflict::HasChildren)),
            (ErrorCode::Other(-9999), ErrorKind::Backend),
        ];
        for (code, kind) in table {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }
}

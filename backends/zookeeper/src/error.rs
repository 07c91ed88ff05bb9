//! From the client's errors to the store's: one function.

use quorate_datasync::{Conflict, Error, ErrorKind, Key};
use quorate_zk::{ErrorCode, RequestError};

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
    let classified = Error::new(kind, operation).caused_by(error);
    let classified = if maybe_applied { classified.perhaps_applied() } else { classified };
    match key {
        Some(key) => classified.on(key),
        None => classified,
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

//! The errors a server answers with.

use std::fmt;

use bytes::BytesMut;

use crate::{
    codec::{Codec, DecodeError, Fixed},
    reader::Reader,
};

macro_rules! error_codes {
    ($($(#[$meta:meta])* $variant:ident = $code:literal, $text:literal;)+) => {
        /// An error code of a server. Codes not named here are kept as they came.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$meta])* $variant,)+
            /// A code that this crate has no name for.
            Other(i32),
        }

        impl ErrorCode {
            /// Names a code from the wire.
            #[must_use]
            pub const fn from_code(code: i32) -> Self {
                match code {
                    $($code => Self::$variant,)+
                    other => Self::Other(other),
                }
            }

            /// Returns the code used on the wire.
            #[must_use]
            pub const fn code(self) -> i32 {
                match self {
                    $(Self::$variant => $code,)+
                    Self::Other(code) => code,
                }
            }

            const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(_) => "unknown error",
                }
            }
        }
    };
}

error_codes! {
    /// No error; in a failed multi, an operation that was undone because of a later one.
    Ok = 0, "ok";
    /// The server failed in a way it has no word for.
    SystemError = -1, "system error";
    /// In a failed multi, an operation after the one that failed.
    RuntimeInconsistency = -2, "runtime inconsistency";
    /// The server found its data inconsistent.
    DataInconsistency = -3, "data inconsistency";
    /// The server lost a connection it needed.
    ConnectionLoss = -4, "connection loss";
    /// The server could not decode the request, or failed while working on it.
    MarshallingError = -5, "marshalling error";
    /// The server does not know the operation, and closes the connection if it does not know its code.
    Unimplemented = -6, "unimplemented";
    /// The server gave up waiting.
    OperationTimeout = -7, "operation timeout";
    /// An argument is not allowed.
    BadArguments = -8, "bad arguments";
    /// The session is not known.
    UnknownSession = -12, "unknown session";
    /// The new configuration has no quorum.
    NewConfigNoQuorum = -13, "new configuration has no quorum";
    /// Another reconfiguration is under way.
    ReconfigInProgress = -14, "reconfiguration in progress";
    /// An error of an operation, not named further.
    ApiError = -100, "api error";
    /// The znode does not exist.
    NoNode = -101, "no node";
    /// The session may not do this.
    NoAuth = -102, "no auth";
    /// The version is not the current one.
    BadVersion = -103, "bad version";
    /// An ephemeral znode has no children.
    NoChildrenForEphemerals = -108, "no children for ephemerals";
    /// The znode exists already.
    NodeExists = -110, "node exists";
    /// The znode has children.
    NotEmpty = -111, "not empty";
    /// The session is over.
    SessionExpired = -112, "session expired";
    /// A callback is invalid.
    InvalidCallback = -113, "invalid callback";
    /// The access list is invalid or empty.
    InvalidAcl = -114, "invalid acl";
    /// Credentials were refused; the server closes the connection.
    AuthFailed = -115, "auth failed";
    /// The session was taken over through another server.
    SessionMoved = -118, "session moved";
    /// A write was sent to a server that only reads.
    NotReadOnly = -119, "not read only";
    /// A local session has no ephemeral znodes.
    EphemeralOnLocalSession = -120, "ephemeral on local session";
    /// There is no such watch to remove.
    NoWatcher = -121, "no watcher";
    /// A request timed out.
    RequestTimeout = -122, "request timeout";
    /// Reconfiguration is switched off.
    ReconfigDisabled = -123, "reconfiguration disabled";
    /// The server insists on SASL and closes the connection.
    SessionClosedRequireSaslAuth = -124, "session closed, sasl auth required";
    /// A quota would be exceeded.
    QuotaExceeded = -125, "quota exceeded";
    /// The server is overloaded and did not execute the operation.
    ThrottledOp = -127, "throttled";
}

impl ErrorCode {
    /// Returns whether this is no error.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok)
    }

    /// Returns whether the answer proves that the operation was not applied.
    ///
    /// An answered error has gone through the ensemble and is final, except where it tells of trouble
    /// inside the server, or of something not known here.
    #[must_use]
    pub const fn proves_not_applied(self) -> bool {
        !matches!(
            self,
            Self::Ok
                | Self::SystemError
                | Self::DataInconsistency
                | Self::ConnectionLoss
                | Self::MarshallingError
                | Self::OperationTimeout
                | Self::RequestTimeout
                | Self::Other(_)
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text(), self.code())
    }
}

impl std::error::Error for ErrorCode {}

impl Fixed for ErrorCode {
    fn put(self, out: &mut &mut [u8]) {
        self.code().put(out);
    }

    fn get(bytes: &mut &[u8]) -> Self {
        Self::from_code(Fixed::get(bytes))
    }
}

impl Codec for ErrorCode {
    const BYTES_MIN: usize = 4;

    fn encode(&self, out: &mut BytesMut) {
        self.code().encode(out);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        i32::decode(reader).map(Self::from_code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_round_trip_named_or_not() {
        for code in -1000..=10 {
            assert_eq!(ErrorCode::from_code(code).code(), code);
        }
        assert_eq!(ErrorCode::from_code(-101).to_string(), "no node (-101)");
        assert_eq!(ErrorCode::from_code(-4711), ErrorCode::Other(-4711));
    }

    #[test]
    fn only_final_answers_prove_that_nothing_was_applied() {
        assert!(ErrorCode::BadVersion.proves_not_applied());
        assert!(ErrorCode::ThrottledOp.proves_not_applied());
        assert!(!ErrorCode::OperationTimeout.proves_not_applied());
        assert!(!ErrorCode::Other(-999).proves_not_applied());
    }
}

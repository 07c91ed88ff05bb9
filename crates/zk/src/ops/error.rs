//! A macro that turns a table of server codes into the error of one operation.

/// Declares the error of an operation: what can happen to it, and everything else. One that is made with a version says
/// so first, in the words of the error that another was found.
macro_rules! operation_error {
    (
        $(#[$meta:meta])*
        pub enum $name:ident $(with $bad_version:ident, $version_text:literal)? {
            $($(#[$variant_meta:meta])* $variant:ident = $code:ident, $text:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, ::thiserror::Error)]
        #[non_exhaustive]
        pub enum $name {
            $(
                /// The version is not the one that was expected.
                #[error($version_text)]
                $bad_version {
                    /// The version asked for.
                    expected: i32,
                    /// The server's answer.
                    source: $crate::error::RequestError,
                },
            )?
            $(
                $(#[$variant_meta])*
                #[error($text)]
                $variant(#[source] $crate::error::RequestError),
            )*
            /// Everything else: what can happen to every operation, and codes that are no answer to this one.
            #[error(transparent)]
            Session(#[from] $crate::error::RequestError),
        }

        impl $name {
            /// Returns the operation, its path, the server's code, and whether it was applied.
            #[must_use]
            pub const fn request_error(&self) -> &$crate::error::RequestError {
                match self {
                    $(Self::$bad_version { source, .. } => source,)?
                    $(Self::$variant(error) |)* Self::Session(error) => error,
                }
            }

            /// Returns whether it may have been applied, or may still be.
            #[must_use]
            pub const fn maybe_applied(&self) -> bool {
                self.request_error().maybe_applied()
            }

            pub(super) fn classify(error: $crate::error::RequestError) -> Self {
                match error.code() {
                    $(Some(::quorate_zk_proto::ErrorCode::$code) => Self::$variant(error),)*
                    _ => Self::Session(error),
                }
            }

            $(
                pub(super) fn classify_versioned(error: $crate::error::RequestError, expected: i32) -> Self {
                    match error.code() {
                        Some(::quorate_zk_proto::ErrorCode::$bad_version) => {
                            Self::$bad_version { expected, source: error }
                        }
                        _ => Self::classify(error),
                    }
                }
            )?
        }
    };
}

pub(super) use operation_error;

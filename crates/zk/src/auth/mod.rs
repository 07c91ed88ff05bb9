//! Who a client says it is.

mod credentials;

pub(crate) use self::credentials::Credentials;

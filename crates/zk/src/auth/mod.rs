//! Who a client says it is.

mod credentials;
mod sasl;

pub(crate) use self::{
    credentials::Credentials,
    sasl::{SaslClient, SaslUser},
};

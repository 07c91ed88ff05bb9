//! Proving an identity in several steps.

use crate::{id::Secret, record::record};

record! {
    /// What a client sends in one step of a SASL exchange. Debug output does not show it.
    pub struct SaslToken {
        /// The mechanism's own bytes; empty to begin with where the server speaks first.
        pub token: Secret,
    }
}

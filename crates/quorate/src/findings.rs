//! What an operator should know of a store that is open.

use std::time::Duration;

/// How a store is reached, and what is wrong with that. What does not apply to a store, or cannot be known, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Findings {
    /// Whether connections are secured by TLS.
    pub is_secure: Option<bool>,
    /// Whether the server only reads at the moment.
    pub is_read_only: Option<bool>,
    /// How long leases outlive a client that is silent.
    pub session_timeout: Option<Duration>,
    /// Who this client is to the server, each as `scheme:user`.
    pub identities: Option<Vec<String>>,
    /// What is wrong, in sentences.
    pub warnings: Vec<String>,
}

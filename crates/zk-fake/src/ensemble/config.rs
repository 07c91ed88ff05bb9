//! What an ensemble is told before it starts.

use quorate_zk_proto::{Id, REQUEST_BYTES_MAX, Secret};

use super::{Membership, Millis, acl::Schemes};
use quorate_zk_proto::ServerVersion;

/// The settings, as the builder collects them.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) version: ServerVersion,
    pub(crate) servers: usize,
    pub(crate) tick: Millis,
    pub(crate) request_bytes_max: usize,
    pub(crate) ttl_nodes: bool,
    pub(crate) sessions_move: bool,
    pub(crate) sessions_resume: bool,
    pub(crate) all_words: bool,
    pub(crate) reconfig: bool,
    pub(crate) quotas: bool,
    /// Who the members are; none for a server alone.
    pub(crate) membership: Option<Membership>,
    /// Who may do everything.
    pub(crate) super_user: Option<Id>,
    pub(crate) sasl_users: Vec<(String, Secret)>,
    /// Whether clients are known by their certificates.
    pub(crate) x509: bool,
    /// Schemes of which every client has to use one; empty if none has to.
    pub(crate) auth_schemes: Vec<String>,
}

impl Config {
    pub(super) fn schemes(&self) -> Schemes {
        Schemes {
            sasl: !self.sasl_users.is_empty(),
            x509: self.x509,
            ipv6: self.version >= ServerVersion::V3_9,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: ServerVersion::V3_8,
            servers: 1,
            tick: 2000,
            request_bytes_max: REQUEST_BYTES_MAX,
            ttl_nodes: false,
            sessions_move: false,
            sessions_resume: true,
            all_words: false,
            reconfig: false,
            quotas: false,
            membership: None,
            super_user: None,
            sasl_users: Vec::new(),
            x509: false,
            auth_schemes: Vec::new(),
        }
    }
}

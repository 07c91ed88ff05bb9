//! The struct that the demo shares.

use serde::{Deserialize, Serialize};

/// Where it lives.
pub(super) const DIRECTORY: &str = "/agents/web";

/// Where its listeners are.
pub(super) const LISTENERS: &str = "/agents/web/listeners";

/// What an agent is told to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Agent {
    /// Which processes to look for.
    pub(super) processes: Vec<String>,
    /// How often.
    pub(super) interval_seconds: u64,
    /// Counts what the competing writers do.
    pub(super) edits: u64,
}

impl Default for Agent {
    fn default() -> Self {
        Self { processes: vec!["systemd*".into(), "rsync*".into()], interval_seconds: 5, edits: 0 }
    }
}

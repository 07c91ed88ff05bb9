//! The JSON lines of `quorate sync`: a contract.

use quorate::{MirrorEvent, MirrorProgress};
use serde::Serialize;

/// One line. What is `None` or false is left out.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line<'a> {
    Put {
        key: &'a str,
        bytes: usize,
        created: bool,
        #[serde(skip_serializing_if = "is_false")]
        dry_run: bool,
    },
    Delete {
        key: &'a str,
        #[serde(skip_serializing_if = "is_false")]
        dry_run: bool,
    },
    Refused {
        key: &'a str,
        error: String,
    },
    Status {
        store: String,
        status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    Progress(Counts),
    InSync(Counts),
}

/// How far it is.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    source_keys: usize,
    target_keys: usize,
    pending: usize,
    written: u64,
    written_bytes: u64,
    deleted: u64,
    refused: usize,
    leased: usize,
    kept: usize,
    /// Nothing was written: the numbers say what would be.
    #[serde(skip_serializing_if = "is_false")]
    dry_run: bool,
}

impl<'a> Line<'a> {
    /// What is printed of an event, if it is one that is printed by itself.
    pub(super) fn of(event: &'a MirrorEvent, dry_run: bool) -> Option<Self> {
        Some(match event {
            MirrorEvent::Written { key, bytes, is_new } => {
                Self::Put { key: key.as_str(), bytes: *bytes, created: *is_new, dry_run }
            }
            MirrorEvent::Deleted { key } => Self::Delete { key: key.as_str(), dry_run },
            MirrorEvent::Refused { key, error } => {
                Self::Refused { key: key.as_str(), error: error.to_string() }
            }
            MirrorEvent::Lost { side, error } => {
                Self::Status { store: side.to_string(), status: "lost", error: Some(error.to_string()) }
            }
            MirrorEvent::Regained { side } => {
                Self::Status { store: side.to_string(), status: "live", error: None }
            }
            _ => return None,
        })
    }
}

impl Counts {
    /// The numbers of a run, or of one that writes nothing.
    pub(super) const fn of(progress: &MirrorProgress, dry_run: bool) -> Self {
        Self {
            source_keys: progress.source_keys,
            target_keys: progress.target_keys,
            pending: progress.pending,
            written: progress.written,
            written_bytes: progress.written_bytes,
            deleted: progress.deleted,
            refused: progress.refused,
            leased: progress.leased,
            kept: progress.kept,
            dry_run,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is called with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

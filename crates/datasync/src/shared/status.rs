//! How a live copy is doing.

use crate::{Link, Moment, Revision};

use super::snapshot::Rejected;

/// How a live copy is doing: independent facts, each as last seen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SharedStatus {
    /// The connection to the store.
    pub link: Link,
    /// What the copy holds.
    pub data: DataStatus,
    /// The newest revision of the struct that was observed.
    pub revision: Revision,
    /// When the proof was asked for that the copy is current; `None` if there was none yet.
    pub proved: Option<Moment>,
}

/// What a live copy holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DataStatus {
    /// Nothing yet: the store was not read, or the struct does not exist.
    Waiting,
    /// A good copy of the newest payload.
    Present,
    /// The newest payload cannot be decoded; the copy is of an earlier one.
    Rejected(Rejected),
    /// The struct was deleted.
    Deleted,
}

impl SharedStatus {
    pub(crate) const fn new(link: Link) -> Self {
        Self { link, data: DataStatus::Waiting, revision: Revision::ZERO, proved: None }
    }
}

//! Events: what a watch tells, once gaps have become resyncs.

use crate::{Entry, Incarnation, Key, Moment, Revision};

/// One step of a watch: first a resync, then changes; after any doubt a new resync.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a replica must treat every event, or it would differ from the store"
)]
pub enum Event {
    /// The complete content follows. It replaces what is held, if the store's incarnation is another one even
    /// where that means to go back.
    ResyncStart {
        /// The life of the store that the content belongs to.
        incarnation: Incarnation,
    },
    /// One entry of the complete content.
    Resync(Entry),
    /// The complete content was told. What was not part of it is gone.
    ResyncDone {
        /// Every change up to this revision is part of the content.
        revision: Revision,
        /// When the content was asked for.
        asked: Moment,
    },
    /// The key has this entry now. It may repeat what was told before.
    Put(Entry),
    /// The key is gone.
    Delete {
        /// The key.
        key: Key,
        /// When it was deleted, or the revision of the read that saw its absence.
        revision: Revision,
    },
    /// Everything at or below this revision has been told. It ends a batch of changes.
    Progress {
        /// Up to where everything has been told.
        revision: Revision,
        /// When the proof was asked for: what was told is how the store was at this moment, or later.
        asked: Moment,
    },
}

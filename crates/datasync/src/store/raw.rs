//! What a store tells a watch.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::BoxStream;

use crate::{Entry, Key, Moment, Prefix, Revision};

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a store must treat every case")]
pub enum Selection {
    /// One key. It never costs the events of its siblings.
    Key(Key),
    /// All keys below a prefix.
    Prefix(Prefix),
}

impl Selection {
    /// Whether `key` is selected.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        match self {
            Self::Key(one) => one == key,
            Self::Prefix(prefix) => prefix.contains(key),
        }
    }
}

/// Where a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a store must treat every case")]
pub enum WatchFrom {
    /// With the first change after the watch was armed.
    Now,
    /// With the first change after this revision. A store that cannot go back so far answers with
    /// [`RawChange::Gap`] at once, or [`RawChange::Dirty`] for a single key.
    After(Revision),
}

/// What a store tells a watch. The resync state machine makes events of it; nobody else does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the resync must treat every case, or a gap would be silent")]
pub enum RawChange {
    /// The key has this entry now.
    Put(Entry),
    /// The key was deleted at this revision.
    Delete(Key, Revision),
    /// Something happened to the key. A read after this sees at least the change that caused it.
    Dirty(Key),
    /// All that happened at or below `revision` has been told.
    Progress {
        /// Up to where everything has been told.
        revision: Revision,
        /// When the proof was asked for: the copy was current at this moment.
        asked: Moment,
    },
    /// Something may have been missed. What comes after it is told again without a hole.
    Gap,
}

impl RawChange {
    /// The key that it is about, if it is about one.
    #[must_use]
    pub const fn key(&self) -> Option<&Key> {
        match self {
            Self::Put(entry) => Some(&entry.key),
            Self::Delete(key, _) | Self::Dirty(key) => Some(key),
            Self::Progress { .. } | Self::Gap => None,
        }
    }

    /// The length of the value that it carries: what it costs while it waits. For stores.
    #[must_use]
    pub const fn value_bytes(&self) -> usize {
        match self {
            Self::Put(entry) => entry.value.len(),
            Self::Delete(..) | Self::Dirty(_) | Self::Progress { .. } | Self::Gap => 0,
        }
    }
}

/// The changes of a watch, in order. Dropping it ends the watch.
///
/// It ends by itself only when the store is closed. A consumer that is too slow is told [`RawChange::Gap`].
pub struct RawChanges(BoxStream<'static, RawChange>);

impl RawChanges {
    /// The changes of a watch from a stream of them. For stores.
    #[must_use]
    pub fn new(changes: impl Stream<Item = RawChange> + Send + 'static) -> Self {
        Self(Box::pin(changes))
    }
}

impl Stream for RawChanges {
    type Item = RawChange;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RawChange>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for RawChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawChanges").finish_non_exhaustive()
    }
}

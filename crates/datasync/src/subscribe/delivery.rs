//! What a subscriber is told, to be answered.

use std::fmt;
use std::sync::Arc;

use super::shared::Shared;
use super::subscriber::SubscriberId;
use super::value::LazyValue;
use crate::{Key, Prefix, Revision};

/// What a subscriber is told at once: a resync, or changes.
///
/// Either way [`changes`](Self::changes) is the net difference to what the subscriber acknowledged last, so a
/// subscriber may look at nothing else. A resync also has the whole [`content`](Self::content) of the prefixes that
/// are told anew. All changes of one commit come in one delivery where the store watches atomically.
///
/// It is answered by [`ack`](Self::ack) or [`nack`](Self::nack); dropped unanswered it counts as refused. The next
/// one comes only after the answer. What was refused is told again, after a wait that grows, as the net difference
/// to what was acknowledged last.
///
/// An answer after the deadline still counts, unless the subscriber took another delivery meanwhile.
#[must_use = "a delivery that is dropped unanswered counts as refused"]
pub struct Delivery {
    told: Told,
    answer: Option<Answer>,
}

/// What a delivery says.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) content: Option<Vec<PrefixContent>>,
    pub(super) changes: Vec<KeyChange>,
    pub(super) revision: Revision,
}

/// Where the answer goes.
struct Answer {
    shared: Arc<Shared>,
    subscriber: SubscriberId,
    delivery: u64,
}

/// One key that is different from what the subscriber acknowledged last.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyChange {
    /// The key.
    pub key: Key,
    /// The value as it is now; `None` if the key is gone.
    pub value: Option<LazyValue>,
    /// The value that this subscriber acknowledged last; `None` if it had none.
    pub previous: Option<LazyValue>,
    /// The revision of the last write, or of the deletion. Of a key that is gone because its prefix was removed:
    /// the revision at which that took effect.
    pub revision: Revision,
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a key has a value or has none")]
pub enum ChangeKind {
    /// It was created, if there is no previous value, or updated.
    Put,
    /// It was deleted, or its prefix was removed from the subscription.
    Delete,
}

/// The whole content of one prefix.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrefixContent {
    /// The prefix.
    pub prefix: Prefix,
    /// The values below it, in the order of their keys. What is not here does not exist. A value below two prefixes
    /// of a subscription is in both.
    pub values: Vec<LazyValue>,
}

impl KeyChange {
    /// What happened to the key.
    #[must_use]
    pub const fn kind(&self) -> ChangeKind {
        if self.value.is_some() { ChangeKind::Put } else { ChangeKind::Delete }
    }
}

impl Delivery {
    pub(super) const fn new(
        told: Told,
        shared: Arc<Shared>,
        subscriber: SubscriberId,
        delivery: u64,
    ) -> Self {
        Self { told, answer: Some(Answer { shared, subscriber, delivery }) }
    }

    /// The whole content of the prefixes that are told anew, in their order; `None` if this is no resync.
    ///
    /// The first delivery is a resync, and so is the first one after every gap, about all prefixes; one after a
    /// prefix was added is about that prefix. A prefix that is not named here is as it was acknowledged last.
    #[must_use]
    pub fn content(&self) -> Option<&[PrefixContent]> {
        self.told.content.as_deref()
    }

    /// Whether this is a resync.
    #[must_use]
    pub const fn is_resync(&self) -> bool {
        self.told.content.is_some()
    }

    /// What is different from what this subscriber acknowledged last, deletions first, then in the order of the
    /// keys.
    #[must_use]
    pub fn changes(&self) -> &[KeyChange] {
        &self.told.changes
    }

    /// Up to where all changes are part of this delivery or of those before.
    ///
    /// Where the store does not watch atomically each key and prefix is at a revision of its own, and this is the newest
    /// that is known of any of them: of a resync it may be lower than that of a delivery before.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.told.revision
    }

    /// Says that it was applied.
    pub fn ack(mut self) {
        self.answer(Ok(()));
    }

    /// Says that it could not be applied, and why. It is told again.
    pub fn nack(mut self, reason: impl fmt::Display) {
        self.answer(Err(reason.to_string().into()));
    }

    fn answer(&mut self, answer: Result<(), Arc<str>>) {
        if let Some(Answer { shared, subscriber, delivery }) = self.answer.take() {
            shared.with(|board, now| board.answer(subscriber, delivery, answer, now));
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.answer(Err("it was dropped unanswered".into()));
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("told", &self.told).finish_non_exhaustive()
    }
}

//! What many events come to, for who did not take them one by one.

use super::diff::{Change, diff};
use super::interest::Interest;
use super::snapshot::{ChangeSet, Rejected, SharedEvent, Snapshot};

/// What came over several revisions: the net change, and the payload that was rejected since.
#[derive(Debug)]
pub(super) struct Net<T> {
    /// Its fields are compared when it is told.
    change: Option<ChangeSet<T>>,
    rejected: Option<Rejected>,
}

impl<T> Net<T> {
    pub(super) fn add(&mut self, event: SharedEvent<T>) {
        match event {
            SharedEvent::Rejected(rejected) => self.rejected = Some(rejected),
            SharedEvent::Changed(set) => {
                self.rejected = None;
                self.change = Some(match self.change.take() {
                    None => set,
                    Some(ChangeSet { previous, origin, .. }) => {
                        ChangeSet { previous, origin: origin.and(set.origin), ..set }
                    }
                });
            }
        }
    }

    /// What there is to be told of it to somebody with this interest.
    pub(super) fn into_events(self, interest: &Interest) -> Vec<SharedEvent<T>> {
        let mut events = Vec::new();
        if let Some(set) = self.change {
            let changes = match interest.is_in_fields() {
                true => changes_between(set.previous.as_ref(), set.current.as_ref()),
                false => Vec::new(),
            };
            if !changes.is_empty() || !interest.is_in_fields() {
                events.push(SharedEvent::Changed(ChangeSet {
                    coalesced: true,
                    changes: changes.into(),
                    ..set
                }));
            }
        }
        events.extend(self.rejected.map(SharedEvent::Rejected));
        events
    }
}

impl<T> Default for Net<T> {
    fn default() -> Self {
        Self { change: None, rejected: None }
    }
}

/// The changes from one snapshot to another, either of which may not exist.
pub(crate) fn changes_between<T>(
    previous: Option<&Snapshot<T>>,
    current: Option<&Snapshot<T>>,
) -> Vec<Change> {
    match (previous, current) {
        (Some(previous), Some(current)) => diff(&previous.document, &current.document),
        (None, Some(current)) => {
            vec![Change::Added { path: String::new(), value: (*current.document).clone() }]
        }
        (Some(previous), None) => {
            vec![Change::Removed { path: String::new(), value: (*previous.document).clone() }]
        }
        (None, None) => Vec::new(),
    }
}

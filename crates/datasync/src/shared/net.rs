//! What many events come to, for who did not take them one by one.

use serde_json::Value;

use super::diff::Change;
use super::interest::Interest;
use super::snapshot::{ChangeSet, Rejected, SharedEvent, Snapshot};

/// What came over several revisions: the net change, and the payload that was rejected since.
#[derive(Debug)]
pub(super) struct Net<T> {
    /// Without the fields once it is of more than one revision: they are compared when it is told.
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
                    Some(first) => ChangeSet {
                        previous: first.previous,
                        origin: first.origin.and(set.origin),
                        coalesced: true,
                        changes: [].into(),
                        ..set
                    },
                });
            }
        }
    }

    /// What there is to be told of it to somebody with this interest.
    pub(super) fn into_events(self, interest: &Interest) -> Vec<SharedEvent<T>> {
        let mut events = Vec::new();
        if let Some(mut set) = self.change {
            let is_open = set.coalesced && interest.is_in_fields();
            if is_open {
                set.changes = changes_between(set.previous.as_ref(), set.current.as_ref()).into();
            }
            if !is_open || !set.changes.is_empty() {
                events.push(SharedEvent::Changed(set));
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
        (Some(previous), Some(current)) => previous.document.diff(&current.document),
        (None, Some(current)) => {
            vec![Change::Added { path: String::new(), value: Value::clone(&current.document) }]
        }
        (Some(previous), None) => {
            vec![Change::Removed { path: String::new(), value: Value::clone(&previous.document) }]
        }
        (None, None) => Vec::new(),
    }
}

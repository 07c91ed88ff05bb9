//! The lines that `quorate watch` prints: JSON for scripts, colours for people.

use quorate::{Change, Origin, Rejected, SharedEvent};
use serde::Serialize;
use serde_json::Value;

use super::anything::Anything;
use super::status::Word;
use crate::exit::Result;
use crate::output::{Output, Sign};

/// One line. Its JSON is a contract.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Line<'a> {
    Snapshot { revision: u64, value: &'a Value },
    Changes { revision: u64, origin: &'static str, coalesced: bool, changes: &'a [Change] },
    Rejected { revision: u64, error: String },
    Deleted { revision: u64 },
    Status { status: Word },
}

impl<'a> Line<'a> {
    pub(super) fn of(event: &'a SharedEvent<Anything>) -> Self {
        match event {
            SharedEvent::Changed(set) if set.current.is_none() => {
                Self::Deleted { revision: set.revision.get() }
            }
            SharedEvent::Changed(set) => Self::Changes {
                revision: set.revision.get(),
                origin: if set.origin == Origin::Local { "local" } else { "remote" },
                coalesced: set.coalesced,
                changes: &set.changes,
            },
            SharedEvent::Rejected(rejected) => Self::rejected(rejected),
            event => Self::Rejected { revision: 0, error: format!("an event of an unknown kind: {event:?}") },
        }
    }

    pub(super) fn rejected(rejected: &Rejected) -> Self {
        Self::Rejected { revision: rejected.revision.get(), error: rejected.error.to_string() }
    }

    /// Prints it in one of the two forms.
    pub(super) fn print(&self, output: &Output, json: bool) -> Result<()> {
        if json {
            return output.json(self);
        }
        match self {
            Self::Snapshot { revision, value } => {
                output.signed(Sign::Whole, format_args!("revision {revision}"))?;
                output.document(value)
            }
            Self::Changes { changes, .. } => changes.iter().try_for_each(|change| print(output, change)),
            Self::Rejected { revision, error } => {
                output.signed(Sign::Rejected, format_args!("revision {revision} is rejected: {error}"))
            }
            Self::Deleted { revision } => {
                output.signed(Sign::Removed, format_args!("deleted at revision {revision}"))
            }
            Self::Status { status } => output.signed(Sign::Status, status.as_str()),
        }
    }
}

fn print(output: &Output, change: &Change) -> Result<()> {
    match change {
        Change::Added { path, value } => output.signed(Sign::Added, format_args!("{} {value}", place(path))),
        Change::Removed { path, value } => {
            output.signed(Sign::Removed, format_args!("{} {value}", place(path)))
        }
        Change::Modified { path, old, new } => {
            output.signed(Sign::Changed, format_args!("{} {old} -> {new}", place(path)))
        }
        // Streams carry nothing else.
        _ => Ok(()),
    }
}

/// The whole document has the empty path, which nobody would see.
const fn place(path: &str) -> &str {
    if path.is_empty() { "(all)" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(line: &Line<'_>) -> String {
        serde_json::to_string(line).unwrap()
    }

    #[test]
    fn lines_are_as_in_the_contract() {
        let changes = [Change::Modified { path: "/interval".into(), old: json!(5), new: json!(10) }];
        let line = Line::Changes { revision: 8, origin: "remote", coalesced: false, changes: &changes };
        assert_eq!(
            text(&line),
            r#"{"type":"changes","revision":8,"origin":"remote","coalesced":false,"changes":[{"kind":"modified","path":"/interval","old":5,"new":10}]}"#
        );
        let value = json!({"a": 1});
        let line = Line::Snapshot { revision: 7, value: &value };
        assert_eq!(text(&line), r#"{"type":"snapshot","revision":7,"value":{"a":1}}"#);
        let line = Line::Rejected { revision: 9, error: "no".into() };
        assert_eq!(text(&line), r#"{"type":"rejected","revision":9,"error":"no"}"#);
        assert_eq!(text(&Line::Deleted { revision: 9 }), r#"{"type":"deleted","revision":9}"#);
        assert_eq!(text(&Line::Status { status: Word::Live }), r#"{"type":"status","status":"live"}"#);
    }
}

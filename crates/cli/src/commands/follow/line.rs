//! The lines that `quorate follow` prints: JSON for scripts, colours for people.

use quorate::FollowEvent;
use serde::Serialize;
use serde_json::Value;

use crate::exit::Result;
use crate::output::{Output, Sign};

/// One line. Its JSON is a contract.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line<'a> {
    New { key: &'a str, revision: u64, value: &'a Value },
    Updated { key: &'a str, revision: u64, previous: &'a Value, value: &'a Value },
    Deleted { key: &'a str, revision: u64, previous: &'a Value },
    Rejected { key: &'a str, revision: u64, error: String },
    Synced { revision: u64 },
    BatchDone { revision: u64 },
}

impl<'a> Line<'a> {
    pub(super) fn of(event: &'a FollowEvent<Value>) -> Self {
        let revision = event.revision().get();
        let key = event.key().map_or("", quorate::Key::as_str);
        match event {
            FollowEvent::New { value, .. } => Self::New { key, revision, value },
            FollowEvent::Updated { previous, value, .. } => Self::Updated { key, revision, previous, value },
            FollowEvent::Deleted { previous, .. } => Self::Deleted { key, revision, previous },
            FollowEvent::Rejected { error, .. } => Self::Rejected { key, revision, error: error.to_string() },
            FollowEvent::Synced { .. } => Self::Synced { revision },
            event => {
                Self::Rejected { key, revision, error: format!("an event of an unknown kind: {event:?}") }
            }
        }
    }

    /// Prints it in one of the two forms.
    pub(super) fn print(&self, output: &Output, json: bool) -> Result<()> {
        if json {
            return output.json(self);
        }
        match self {
            Self::New { key, value, .. } => output.signed(Sign::Added, format_args!("{key} {value}")),
            Self::Updated { key, previous, value, .. } => {
                output.signed(Sign::Changed, format_args!("{key} {previous} -> {value}"))
            }
            Self::Deleted { key, previous, .. } => {
                output.signed(Sign::Removed, format_args!("{key} {previous}"))
            }
            Self::Rejected { key, revision, error } => output
                .signed(Sign::Rejected, format_args!("{key} of revision {revision} is rejected: {error}")),
            Self::Synced { revision } => output.signed(Sign::Whole, format_args!("revision {revision}")),
            // People see where the lines stop.
            Self::BatchDone { .. } => Ok(()),
        }
    }
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
        let (key, revision, one, two) = ("/nodes/a", 5, &json!({"n": 1}), &json!(2));
        let line = Line::New { key, revision, value: one };
        assert_eq!(text(&line), r#"{"type":"new","key":"/nodes/a","revision":5,"value":{"n":1}}"#);
        let line = Line::Updated { key, revision, previous: one, value: two };
        assert_eq!(
            text(&line),
            r#"{"type":"updated","key":"/nodes/a","revision":5,"previous":{"n":1},"value":2}"#
        );
        let line = Line::Deleted { key, revision, previous: two };
        assert_eq!(text(&line), r#"{"type":"deleted","key":"/nodes/a","revision":5,"previous":2}"#);
        let line = Line::Rejected { key, revision, error: "no".into() };
        assert_eq!(text(&line), r#"{"type":"rejected","key":"/nodes/a","revision":5,"error":"no"}"#);
        assert_eq!(text(&Line::Synced { revision }), r#"{"type":"synced","revision":5}"#);
        assert_eq!(text(&Line::BatchDone { revision }), r#"{"type":"batch_done","revision":5}"#);
    }
}

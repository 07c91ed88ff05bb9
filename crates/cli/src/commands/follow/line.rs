//! The lines that `quorate follow` prints: JSON for scripts, colours for people.

use anstyle::AnsiColor;
use quorate::FollowEvent;
use serde::Serialize;
use serde_json::Value;

use crate::exit::Result;
use crate::output::{Output, coloured, one_line};

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

/// Prints lines in one of the two forms.
#[derive(Debug)]
pub(super) struct Printer<'a> {
    output: &'a Output,
    json: bool,
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
}

impl<'a> Printer<'a> {
    pub(super) const fn new(output: &'a Output, json: bool) -> Self {
        Self { output, json }
    }

    pub(super) fn print(&mut self, line: &Line<'_>) -> Result<()> {
        if self.json {
            return self.output.json(line);
        }
        let (colour, text) = match line {
            Line::New { key, value, .. } => (AnsiColor::Green, format!("+ {key} {value}")),
            Line::Updated { key, previous, value, .. } => {
                (AnsiColor::Yellow, format!("~ {key} {previous} -> {value}"))
            }
            Line::Deleted { key, previous, .. } => (AnsiColor::Red, format!("- {key} {previous}")),
            Line::Rejected { key, revision, error } => {
                (AnsiColor::Magenta, format!("! {key} of revision {revision} is rejected: {error}"))
            }
            Line::Synced { revision } => (AnsiColor::Cyan, format!("= revision {revision}")),
            // People see where the lines stop.
            Line::BatchDone { .. } => return Ok(()),
        };
        self.output.line(coloured(colour, &one_line(&text)))
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

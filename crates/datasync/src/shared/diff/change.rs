//! One difference between two documents.

use serde::Serialize;
use serde_json::Value;

/// One field-level change between a previous and a current document.
///
/// Paths are JSON Pointers (RFC 6901); the root is `""`. The paths of `Added` and `Modified` point into the
/// current document, the path of `Removed` into the previous one.
///
/// It serialises as `{"kind":"added","path":"/processes/2","value":..}`,
/// `{"kind":"modified","path":..,"old":..,"new":..}` and `{"kind":"removed","path":..,"value":..}`.
///
/// # Examples
///
/// ```
/// use quorate_datasync::{Change, diff};
/// use serde_json::json;
///
/// let changes = diff(&json!({"interval": 5}), &json!({"interval": 10}));
/// let expected = Change::Modified { path: "/interval".into(), old: json!(5), new: json!(10) };
/// assert_eq!(changes, [expected]);
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Change {
    /// A value is there that was not there before.
    Added {
        /// Where the value is, in the current document.
        path: String,
        /// The value that was added.
        value: Value,
    },
    /// A value took the place of another.
    Modified {
        /// Where the new value is, in the current document.
        path: String,
        /// The value before.
        old: Value,
        /// The value now.
        new: Value,
    },
    /// A value is gone and nothing took its place.
    Removed {
        /// Where the value was, in the previous document.
        path: String,
        /// The value that was removed.
        value: Value,
    },
    /// A value is the same as before. [`diff`](crate::diff) never returns it and streams never carry it.
    Unchanged {
        /// Where the value is, in the current document.
        path: String,
    },
}

impl Change {
    /// Returns the JSON Pointer of the place that changed.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Added { path, .. }
            | Self::Modified { path, .. }
            | Self::Removed { path, .. }
            | Self::Unchanged { path } => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(change: &Change) -> String {
        serde_json::to_string(change).unwrap()
    }

    #[test]
    fn added_serialises_kind_path_and_value() {
        let change = Change::Added { path: "/processes/2".into(), value: json!("firefox*") };
        assert_eq!(text(&change), r#"{"kind":"added","path":"/processes/2","value":"firefox*"}"#);
    }

    #[test]
    fn modified_serialises_kind_path_old_and_new() {
        let change = Change::Modified { path: "/interval".into(), old: json!(5), new: json!(10) };
        assert_eq!(text(&change), r#"{"kind":"modified","path":"/interval","old":5,"new":10}"#);
    }

    #[test]
    fn removed_serialises_kind_path_and_value() {
        let change = Change::Removed { path: String::new(), value: json!(null) };
        assert_eq!(text(&change), r#"{"kind":"removed","path":"","value":null}"#);
    }

    #[test]
    fn every_change_knows_its_path() {
        assert_eq!(Change::Unchanged { path: "/a".into() }.path(), "/a");
        assert_eq!(Change::Removed { path: "/b".into(), value: json!(1) }.path(), "/b");
    }
}

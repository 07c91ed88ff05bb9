//! A document that keeps digests of its parts.

use std::fmt::{self, Debug, Display};
use std::ops::Deref;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::change::Change;
use super::node::Node;
use super::parse::{ParseError, parse};
use super::parts::{Part, parts_of};
use super::walk;

/// From how many bytes of text on digests are made. A smaller document is compared in a microsecond or two as it is.
const DIGESTED_MIN: usize = 4_096;

/// A JSON document that keeps digests of its arrays and objects, so that two of them are compared in the time of their
/// difference: what is the same in both is skipped without a look into it.
///
/// It is a [`Value`] that cannot be changed, and dereferences to it. [`diff`](Self::diff) says exactly what
/// [`diff`](crate::diff) says of the two values, with one reservation. Two different arrays or objects are taken for
/// equal if their digests are, which are SipHash-1-3 of 128 bits under a key that each process draws at random and that
/// never leaves it. The chance is one in 2<sup>128</sup> for each pair that is compared, whatever the documents are:
/// whoever writes them does not know the key, and so cannot raise it.
///
/// A document costs 24 bytes of memory for each array and object that is not empty, beside the value, and digesting it
/// less than a fifth of the time that parsing it takes. One that is parsed from less than 4 KiB has no digests; it is
/// compared as it is, and so is one beside it that has them.
///
/// # Examples
///
/// ```
/// use quorate_datasync::{Change, ParsedDocument};
/// use serde_json::json;
///
/// let previous = ParsedDocument::parse(br#"{"limits": {"low": 1, "high": 2}, "names": ["a", "b"]}"#)?;
/// let current = ParsedDocument::parse(br#"{"limits": {"low": 1, "high": 3}, "names": ["a", "b"]}"#)?;
/// let expected = Change::Modified { path: "/limits/high".into(), old: json!(2), new: json!(3) };
/// assert_eq!(previous.diff(&current), [expected]);
/// assert_eq!(current["names"][1], "b");
/// # Ok::<_, quorate_datasync::ParseError>(())
/// ```
#[derive(Clone)]
pub struct ParsedDocument {
    value: Value,
    /// `None` if no digests were made.
    parts: Option<Box<[Part]>>,
}

impl ParsedDocument {
    /// Reads one JSON document, as [`parse`](crate::parse) does, and digests it.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](crate::parse).
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        Ok(Self::of_text(parse(bytes)?, bytes.len()))
    }

    /// A value that was read from a text of so many bytes.
    pub(crate) fn of_text(value: Value, bytes: usize) -> Self {
        if bytes < DIGESTED_MIN { Self { value, parts: None } } else { Self::from(value) }
    }

    /// Finds the field-level changes that lead from this document to `current`.
    ///
    /// They are those that [`diff`](crate::diff) finds, in the same order and within the same limits.
    #[must_use]
    pub fn diff(&self, current: &Self) -> Vec<Change> {
        let (previous, current) = self.beside(current);
        walk::between(previous, current)
    }

    /// Gives the document back as a value.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The two documents as far as they can be compared: digests help only if both have them.
    fn beside<'a>(&'a self, other: &'a Self) -> (Node<'a>, Node<'a>) {
        match (&self.parts, &other.parts) {
            (Some(left), Some(right)) => {
                (Node::digested(&self.value, left), Node::digested(&other.value, right))
            }
            _ => (Node::bare(&self.value), Node::bare(&other.value)),
        }
    }
}

/// Digests the value, however small it is. One that is nested deeper than [`DEPTH_MAX`](crate::DEPTH_MAX) gets no
/// digests.
impl From<Value> for ParsedDocument {
    fn from(value: Value) -> Self {
        Self { parts: parts_of(&value), value }
    }
}

impl From<ParsedDocument> for Value {
    fn from(document: ParsedDocument) -> Self {
        document.into_value()
    }
}

impl Deref for ParsedDocument {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

/// Equal digests stand for equal documents.
impl PartialEq for ParsedDocument {
    fn eq(&self, other: &Self) -> bool {
        let (left, right) = self.beside(other);
        left.is_same(right)
    }
}

impl Eq for ParsedDocument {}

impl PartialEq<Value> for ParsedDocument {
    fn eq(&self, other: &Value) -> bool {
        self.value == *other
    }
}

impl PartialEq<ParsedDocument> for Value {
    fn eq(&self, other: &ParsedDocument) -> bool {
        *self == other.value
    }
}

/// As that of the value.
impl Debug for ParsedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.value, f)
    }
}

/// As that of the value: JSON.
impl Display for ParsedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.value, f)
    }
}

impl Serialize for ParsedDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

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
/// never leaves it. As far as is known of SipHash, the chance of that is one in 2<sup>128</sup> for each such pair,
/// whatever the documents are: whoever writes them does not know the key, and so cannot raise it.
///
/// The digests take 24 bytes of memory for each array and object that is not empty, and making them about a fifth of the
/// time that parsing takes. A document that is parsed from less than 4 KiB has none: comparing it as it is takes a
/// microsecond or two. They are of use where both documents have them.
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
    #[inline]
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

    /// Whether digests were made.
    #[cfg(test)]
    pub(crate) const fn is_digested(&self) -> bool {
        self.parts.is_some()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::walk::diff;
    use super::*;

    fn digested(value: &Value) -> ParsedDocument {
        let document = ParsedDocument::from(value.clone());
        assert!(document.is_digested());
        document
    }

    #[test]
    fn what_has_the_same_digest_is_not_looked_into() {
        let (value, other) = (json!({"a": [1, [2]], "b": 1}), json!({"a": [1, [3]], "b": 2}));
        let parts = parts_of(&json!({"a": [1, [2]], "b": 2}));
        let forged = ParsedDocument { value: other, parts };
        let changes = digested(&value).diff(&forged);
        assert_eq!(changes, [Change::Modified { path: "/b".into(), old: json!(1), new: json!(2) }]);
    }

    #[test]
    fn numbers_are_equal_if_serde_json_says_so() {
        let numbers = [json!([0.0]), json!([-0.0]), json!([0]), json!([1]), json!([1.0]), json!([1e300])];
        for (left, right) in numbers.iter().flat_map(|left| numbers.iter().map(move |right| (left, right))) {
            let changes = digested(left).diff(&digested(right));
            assert_eq!(changes.is_empty(), left == right, "{left} {right}");
            assert_eq!(digested(left) == digested(right), left == right);
        }
    }

    #[test]
    fn a_small_text_is_not_digested_and_compared_all_the_same() {
        let (small, large) = (json!(["a"]), json!(["b".repeat(DIGESTED_MIN)]));
        let read = |value: &Value| ParsedDocument::parse(value.to_string().as_bytes()).unwrap();
        let documents = [(read(&small), false), (read(&large), true), (digested(&small), true)];
        for (document, is_digested) in &documents {
            assert_eq!(document.is_digested(), *is_digested);
            for (other, _) in &documents {
                assert_eq!(document.diff(other), diff(document, other));
                assert_eq!(document == other, **document == **other);
            }
        }
    }

    #[test]
    fn of_members_with_one_name_the_last_counts_for_the_digests_too() {
        let text = format!(r#"{{"a": [1], "b": [2], "a": [3], "c": "{}"}}"#, "x".repeat(DIGESTED_MIN));
        let document = ParsedDocument::parse(text.as_bytes()).unwrap();
        assert_eq!(document, digested(&json!({"a": [3], "b": [2], "c": "x".repeat(DIGESTED_MIN)})));
    }

    #[test]
    fn members_in_another_order_are_the_same_and_changes_in_them_are_found() {
        let pad = "x".repeat(DIGESTED_MIN);
        let read = |text: String| ParsedDocument::parse(text.as_bytes()).unwrap();
        let left = read(format!(r#"{{"a": {{"b": [1], "c": [2, [3]]}}, "d": [4], "e": "{pad}"}}"#));
        let right = read(format!(r#"{{"d": [4], "e": "{pad}", "a": {{"c": [2, [3]], "b": [1]}}}}"#));
        assert!(left == right && left.diff(&right).is_empty());
        let other = read(format!(r#"{{"d": [5], "e": "{pad}", "a": {{"c": [2, [6]], "b": [1]}}}}"#));
        let changes = left.diff(&other);
        assert_eq!(changes.iter().map(Change::path).collect::<Vec<_>>(), ["/a/c/1/0", "/d/0"]);
    }

    #[test]
    fn a_document_of_the_greatest_depth_is_digested_and_one_of_more_is_too_deep() {
        let nest = |levels: usize, middle: &str| "[".repeat(levels) + middle + &"]".repeat(levels);
        let middle = format!("\"{}\"", "x".repeat(DIGESTED_MIN));
        let document = ParsedDocument::parse(nest(128, &middle).as_bytes()).unwrap();
        assert_eq!(document.parts.as_ref().map(|parts| parts.len()), Some(128));
        let changes = document.diff(&ParsedDocument::parse(nest(128, "1").as_bytes()).unwrap());
        assert_eq!(changes.len(), 1);
        let deeper = ParsedDocument::parse(nest(129, &middle).as_bytes());
        assert!(matches!(deeper, Err(ParseError::TooDeep)));
    }

    #[test]
    fn a_value_that_is_nested_deeper_than_documents_are_is_compared_without_digests() {
        let nest = |middle| ParsedDocument::from((0..200).fold(middle, |inner, _| json!({"n": inner})));
        let (left, right) = (nest(json!(1)), nest(json!(2)));
        assert!(!left.is_digested());
        assert_eq!((left.diff(&right).len(), left == right, left == left.clone()), (1, false, true));
    }

    #[test]
    fn it_reads_and_writes_as_its_value() {
        let value = json!({"a": [1, "x"]});
        let document = digested(&value);
        assert_eq!(
            (document.to_string(), format!("{document:?}")),
            (value.to_string(), format!("{value:?}"))
        );
        assert_eq!(serde_json::to_value(&document).unwrap(), value);
        assert_eq!(document, value);
        assert_eq!(value, document);
        assert_eq!(document["a"][0], 1);
        assert_eq!(Value::from(document), value);
    }
}

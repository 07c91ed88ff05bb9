//! JSON Pointers (RFC 6901).

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

/// A parsed JSON Pointer: the way from the root of a document to one place in it.
///
/// The root is `""`, which is also the default. In an array a segment is an index in decimal without sign or
/// leading zeros; `-` (past the end) names no value.
///
/// # Examples
///
/// ```
/// use quorate_datasync::Pointer;
/// use serde_json::json;
///
/// let pointer = Pointer::parse("/a~1b/0")?;
/// assert_eq!(pointer.resolve(&json!({"a/b": [7]})), Some(&json!(7)));
/// assert_eq!(pointer.to_string(), "/a~1b/0");
/// # Ok::<_, quorate_datasync::PointerError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Pointer {
    /// The segments from the root on, unescaped.
    segments: Vec<String>,
}

/// Why a text is not a JSON Pointer.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum PointerError {
    /// The text is neither empty nor begins with `/`.
    #[error("a JSON pointer is empty or begins with '/'")]
    NoSlash,
    /// A `~` is not followed by `0` or `1`.
    #[error("in a JSON pointer '~' is followed by '0' or '1'")]
    BadEscape,
}

impl Pointer {
    /// Parses a pointer such as `/processes/0`.
    ///
    /// # Errors
    ///
    /// - [`PointerError::NoSlash`] if `text` is neither empty nor begins with `/`.
    /// - [`PointerError::BadEscape`] if a `~` is not followed by `0` or `1`.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let segments = text.strip_prefix('/').ok_or(PointerError::NoSlash)?.split('/');
        let segments = segments.map(|segment| Ok(Self::unescape(segment)?.into_owned()));
        Ok(Self { segments: segments.collect::<Result<_, _>>()? })
    }

    /// Adds a segment, given unescaped, at the end.
    pub fn push(&mut self, segment: impl Into<String>) {
        self.segments.push(segment.into());
    }

    /// Removes the last segment and returns it unescaped; `None` at the root.
    pub fn pop(&mut self) -> Option<String> {
        self.segments.pop()
    }

    /// Returns the unescaped segments from the root on.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.segments.iter().map(String::as_str)
    }

    /// Returns whether this points at the whole document.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// Finds the value that this points at, or `None` if `document` has none there.
    #[must_use]
    pub fn resolve<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.segments.iter().try_fold(document, |value, segment| match value {
            Value::Array(items) => items.get(index(segment)?),
            Value::Object(members) => members.get(segment),
            _ => None,
        })
    }

    /// Finds the value that this points at, to change it, or `None` if `document` has none there.
    #[must_use]
    pub fn resolve_mut<'a>(&self, document: &'a mut Value) -> Option<&'a mut Value> {
        self.segments.iter().try_fold(document, |value, segment| match value {
            Value::Array(items) => items.get_mut(index(segment)?),
            Value::Object(members) => members.get_mut(segment),
            _ => None,
        })
    }

    /// Writes a member name as a segment: `~` becomes `~0` and `/` becomes `~1`.
    #[must_use]
    pub fn escape(segment: &str) -> Cow<'_, str> {
        if segment.contains(['~', '/']) {
            Cow::Owned(segment.replace('~', "~0").replace('/', "~1"))
        } else {
            Cow::Borrowed(segment)
        }
    }

    /// Reads a segment as a member name, the reverse of [`Pointer::escape`].
    ///
    /// # Errors
    ///
    /// - [`PointerError::BadEscape`] if a `~` is not followed by `0` or `1`.
    pub fn unescape(segment: &str) -> Result<Cow<'_, str>, PointerError> {
        let Some((head, escapes)) = segment.split_once('~') else {
            return Ok(Cow::Borrowed(segment));
        };
        let mut plain = String::with_capacity(segment.len());
        plain.push_str(head);
        for part in escapes.split('~') {
            let mut part = part.chars();
            plain.push(match part.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err(PointerError::BadEscape),
            });
            plain.push_str(part.as_str());
        }
        Ok(Cow::Owned(plain))
    }
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        Self::parse(text)
    }
}

impl Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.segments.iter().try_for_each(|segment| write!(f, "/{}", Self::escape(segment)))
    }
}

/// Reads an array index as RFC 6901 writes it: digits only, and no zeros in front.
fn index(segment: &str) -> Option<usize> {
    let digits = segment.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (segment == "0" || !segment.starts_with('0')) { segment.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_of_the_rfc_resolve() {
        let document = json!({
            "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8
        });
        let expected = [
            ("", document.clone()),
            ("/foo", json!(["bar", "baz"])),
            ("/foo/0", json!("bar")),
            ("/", json!(0)),
            ("/a~1b", json!(1)),
            ("/c%d", json!(2)),
            ("/e^f", json!(3)),
            ("/g|h", json!(4)),
            ("/i\\j", json!(5)),
            ("/k\"l", json!(6)),
            ("/ ", json!(7)),
            ("/m~0n", json!(8)),
        ];
        for (text, value) in expected {
            let pointer = Pointer::parse(text).unwrap();
            assert_eq!(pointer.resolve(&document), Some(&value), "{text}");
            assert_eq!(pointer.to_string(), text);
        }
    }

    #[test]
    fn what_is_not_there_resolves_to_nothing() {
        let document = json!({"a": [1], "s": "x"});
        for text in [
            "/b",
            "/a/1",
            "/a/-",
            "/a/01",
            "/a/+0",
            "/a/x",
            "/a/",
            "/s/0",
            "/a/0/0",
            "/a/99999999999999999999",
        ] {
            assert_eq!(Pointer::parse(text).unwrap().resolve(&document), None, "{text}");
        }
    }

    #[test]
    fn text_that_is_no_pointer_is_refused() {
        assert_eq!(Pointer::parse("a"), Err(PointerError::NoSlash));
        assert_eq!(Pointer::parse("/a~"), Err(PointerError::BadEscape));
        assert_eq!(Pointer::parse("/~2"), Err(PointerError::BadEscape));
        assert_eq!("/~~0".parse::<Pointer>(), Err(PointerError::BadEscape));
    }

    #[test]
    fn unescape_reverses_escape() {
        for name in ["", "~", "/", "~1", "~01", "a/b~c", "~~//", "plain"] {
            assert_eq!(Pointer::unescape(&Pointer::escape(name)).unwrap(), name);
        }
        assert_eq!(Pointer::escape("~1/"), "~01~1");
    }

    #[test]
    fn resolve_mut_changes_the_document() {
        let mut document = json!({"a": [1, 2]});
        *Pointer::parse("/a/1").unwrap().resolve_mut(&mut document).unwrap() = json!(3);
        assert_eq!(document, json!({"a": [1, 3]}));
    }

    #[test]
    fn segments_are_pushed_and_popped_unescaped() {
        let mut pointer = Pointer::default();
        assert!(pointer.is_root());
        pointer.push("a/b");
        assert_eq!((pointer.to_string(), pointer.segments().len()), ("/a~1b".into(), 1));
        assert_eq!(pointer.pop().as_deref(), Some("a/b"));
        assert_eq!(pointer.pop(), None);
    }
}

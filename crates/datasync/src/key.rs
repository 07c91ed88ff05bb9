//! Keys: parsed once, at the edge.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::Prefix;

/// The longest key, in bytes of UTF-8.
pub const KEY_BYTES_MAX: usize = 1024;

/// The name of one value in a store: `/` and non-empty segments, as in `/agents/web`.
///
/// At most [`KEY_BYTES_MAX`] bytes, no trailing `/`, no `.` or `..` segment, and none of the characters that
/// some store refuses (U+0000-001F, U+007F-009F, U+D800-F8FF, and all from U+FFF0 on), so that a key that is good
/// for one store is good for all. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

/// Why a text is no key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The text does not begin with `/`.
    #[error("key {0:?} does not start with '/'")]
    NotAbsolute(String),
    /// The text is `/` alone, which names no value.
    #[error("key \"/\" names the whole store, not a value")]
    Root,
    /// Two slashes follow each other, or the last character is one.
    #[error("key {0:?} has an empty segment")]
    EmptySegment(String),
    /// A segment is `.` or `..`.
    #[error("key {0:?} has a relative segment ('.' or '..')")]
    RelativeSegment(String),
    /// A character that not every store can keep.
    #[error("key {key:?} has the forbidden character U+{code:04X}")]
    ForbiddenCharacter {
        /// The offending text.
        key: String,
        /// The character's code point.
        code: u32,
    },
    /// More than [`KEY_BYTES_MAX`] bytes.
    #[error("key of {bytes} bytes is longer than the {KEY_BYTES_MAX} bytes that a key may have")]
    TooLong {
        /// The length of the text in bytes.
        bytes: usize,
    },
}

impl Key {
    /// Parses a key.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        check(text)?;
        Ok(Self(text.into()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The key without its last segment, or `None` for a key of one segment.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let end = self.0.rfind('/').filter(|&at| at > 0)?;
        Some(Self(self.0[..end].into()))
    }

    /// This key with one or more segments added: `/a` and `b/c` give `/a/b/c`.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the segments are not valid, or the result is too long.
    pub fn join(&self, segments: &str) -> Result<Self, KeyError> {
        Self::parse(&format!("{}/{segments}", self.0))
    }

    /// The segments, from the first to the last.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.trim_start_matches('/').split('/')
    }

    /// The prefix that selects what is below this key.
    #[must_use]
    pub fn below(&self) -> Prefix {
        Prefix::below(self.clone())
    }
}

/// The texts above a key, from the root down, of which the first is empty; or above what follows a prefix in a key.
pub(crate) fn above(key: &str) -> impl Iterator<Item = &str> {
    key.match_indices('/').filter_map(|(end, _)| key.get(..end))
}

/// Checks one text against the rules of a key.
fn check(text: &str) -> Result<(), KeyError> {
    if text.len() > KEY_BYTES_MAX {
        return Err(KeyError::TooLong { bytes: text.len() });
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Err(KeyError::NotAbsolute(text.to_owned()));
    };
    if rest.is_empty() {
        return Err(KeyError::Root);
    }
    if let Some(bad) = text.chars().find(|&c| is_forbidden(c)) {
        return Err(KeyError::ForbiddenCharacter { key: text.to_owned(), code: bad.into() });
    }
    for segment in rest.split('/') {
        match segment {
            "" => return Err(KeyError::EmptySegment(text.to_owned())),
            "." | ".." => return Err(KeyError::RelativeSegment(text.to_owned())),
            _ => {}
        }
    }
    Ok(())
}

/// Whether some store refuses this character in a key.
const fn is_forbidden(c: char) -> bool {
    // What lies past U+FFFF is written as two of U+D800-DFFF by a server that counts in UTF-16.
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.0)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Key {
    type Error = KeyError;

    fn try_from(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Key {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        Self::parse(&text)
    }
}

impl From<&Self> for Key {
    fn from(key: &Self) -> Self {
        key.clone()
    }
}

impl From<std::convert::Infallible> for KeyError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    #[test]
    fn bad_keys_are_refused_by_name() {
        assert!(matches!(Key::parse("a"), Err(KeyError::NotAbsolute(_))));
        assert!(matches!(Key::parse(""), Err(KeyError::NotAbsolute(_))));
        assert!(matches!(Key::parse("/"), Err(KeyError::Root)));
        assert!(matches!(Key::parse("/a/"), Err(KeyError::EmptySegment(_))));
        assert!(matches!(Key::parse("/a//b"), Err(KeyError::EmptySegment(_))));
        assert!(matches!(Key::parse("/a/../b"), Err(KeyError::RelativeSegment(_))));
        assert!(matches!(Key::parse("/."), Err(KeyError::RelativeSegment(_))));
        assert!(matches!(Key::parse("/a\0"), Err(KeyError::ForbiddenCharacter { code: 0, .. })));
        assert!(matches!(Key::parse("/a\u{e000}"), Err(KeyError::ForbiddenCharacter { .. })));
        assert!(matches!(Key::parse("/a\u{1f511}"), Err(KeyError::ForbiddenCharacter { code: 0x1f511, .. })));
    }

    #[test]
    fn a_key_may_have_1024_bytes_and_no_more() {
        let longest = format!("/{}", "k".repeat(KEY_BYTES_MAX - 1));
        assert!(Key::parse(&longest).is_ok());
        assert_eq!(Key::parse(&format!("{longest}k")), Err(KeyError::TooLong { bytes: KEY_BYTES_MAX + 1 }));
    }

    #[test]
    fn parents_and_names_take_a_key_apart() {
        let web = key("/agents/web");
        assert_eq!(web.name(), "web");
        assert_eq!(web.parent(), Some(key("/agents")));
        assert_eq!(key("/agents").parent(), None);
        assert_eq!(web.join("payload").unwrap(), key("/agents/web/payload"));
        assert_eq!(web.segments().collect::<Vec<_>>(), ["agents", "web"]);
    }
}

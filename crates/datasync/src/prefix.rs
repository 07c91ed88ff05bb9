//! Prefixes: what is selected of the keys.

use std::fmt;
use std::str::FromStr;

use crate::{Key, KeyError};

/// A subtree of the keys: `/a` and `/a/` select what is *below* `/a`, never `/a` itself and never `/ab`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Option<Key>);

impl Prefix {
    /// Parses a prefix; a trailing `/` does not matter and `/` selects everything.
    ///
    /// # Errors
    ///
    /// [`KeyError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text == "/" {
            return Ok(Self::root());
        }
        Key::parse(text.strip_suffix('/').unwrap_or(text)).map(|key| key.below())
    }

    /// The prefix that selects every key.
    #[must_use]
    pub const fn root() -> Self {
        Self(None)
    }

    /// The key that this prefix is below of; `None` for the root.
    #[must_use]
    pub const fn key(&self) -> Option<&Key> {
        self.0.as_ref()
    }

    /// Whether `key` lies below this prefix.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        self.strip(key).is_some()
    }

    /// What follows the prefix in `key`, without the slash, if `key` lies below it.
    #[must_use]
    pub fn strip<'k>(&self, key: &'k Key) -> Option<&'k str> {
        match &self.0 {
            None => key.as_str().strip_prefix('/'),
            Some(base) => key.as_str().strip_prefix(base.as_str())?.strip_prefix('/'),
        }
    }

    /// The key of one or more segments below this prefix.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the segments are not valid, or the result is too long.
    pub fn join(&self, segments: &str) -> Result<Key, KeyError> {
        match &self.0 {
            None => Key::parse(&format!("/{segments}")),
            Some(base) => base.join(segments),
        }
    }

    /// The text that every key below this prefix begins with, ending in `/`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}/", self.base())
    }

    pub(crate) const fn below(key: Key) -> Self {
        Self(Some(key))
    }

    /// The text of the key that this prefix is below of; empty for the root.
    pub(crate) fn base(&self) -> &str {
        self.0.as_ref().map_or("", Key::as_str)
    }

    /// Whether all that is below `inner` is below this prefix.
    pub(crate) fn covers(&self, inner: &Self) -> bool {
        self == inner || inner.key().is_some_and(|key| self.contains(key))
    }

    /// The deepest prefix that covers both.
    pub(crate) fn common(&self, other: &Self) -> Self {
        let (Some(a), Some(b)) = (self.key(), other.key()) else { return Self::root() };
        let pairs = a.segments().zip(b.segments()).take_while(|(a, b)| a == b);
        let shared: Vec<&str> = pairs.map(|(segment, _)| segment).collect();
        Self::parse(&format!("/{}", shared.join("/"))).unwrap_or_else(|_| Self::root())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or("/", Key::as_str))
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({self})")
    }
}

impl FromStr for Prefix {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Prefix {
    type Error = KeyError;

    fn try_from(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).unwrap()
    }

    #[test]
    fn a_prefix_selects_its_subtree_and_not_its_neighbours() {
        for text in ["/a", "/a/"] {
            let prefix = Prefix::parse(text).unwrap();
            assert!(prefix.contains(&key("/a/b")));
            assert!(prefix.contains(&key("/a/b/c")));
            assert!(!prefix.contains(&key("/a")));
            assert!(!prefix.contains(&key("/ab")));
        }
        assert!(Prefix::root().contains(&key("/a")));
        assert_eq!(Prefix::parse("/a").unwrap().strip(&key("/a/b/c")), Some("b/c"));
    }

    #[test]
    fn the_deepest_common_prefix_covers_both() {
        assert_eq!(prefix("/a/b").common(&prefix("/a/c")), prefix("/a"));
        assert_eq!(prefix("/a").common(&prefix("/a/c")), prefix("/a"));
        assert_eq!(prefix("/ab").common(&prefix("/a")), Prefix::root());
    }
}

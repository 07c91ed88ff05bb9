//! Znode paths, parsed once and valid ever after.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use bytes::BytesMut;
use thiserror::Error;

use crate::{
    codec::{Codec, DecodeError, put_str},
    reader::Reader,
};

/// Why a text is not a znode path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PathError {
    /// The path is empty.
    #[error("path is empty")]
    Empty,
    /// The path does not start with `/`.
    #[error("path does not start with '/'")]
    NotAbsolute,
    /// The path ends with `/`.
    #[error("path ends with '/'")]
    TrailingSlash,
    /// The path has `//` in it.
    #[error("path has an empty segment")]
    EmptySegment,
    /// A segment is `.` or `..`.
    #[error("path has a relative segment")]
    RelativeSegment,
    /// A character that ZooKeeper does not allow.
    #[error("path has the forbidden character {character:?} at byte {index}")]
    ForbiddenCharacter {
        /// The character.
        character: char,
        /// Its offset in bytes.
        index: usize,
    },
}

/// An absolute path that every ZooKeeper server accepts. Cheap to clone.
///
/// It starts with `/`, has no trailing slash, no empty, `.` or `..` segment, and no character of
/// U+0000-001F, U+007F-009F, U+D800-F8FF, U+FFF0-FFFF or beyond the basic plane.
///
/// # Examples
///
/// ```
/// use quorate_zk_proto::ZnodePath;
///
/// let path: ZnodePath = "/app/config".parse()?;
/// assert_eq!(path.name(), Some("config"));
/// assert_eq!(path.parent().as_deref(), Some("/app"));
/// assert_eq!(path.join("if/eth0")?.as_str(), "/app/config/if/eth0");
/// # Ok::<(), quorate_zk_proto::PathError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZnodePath(Arc<str>);

impl ZnodePath {
    /// Parses a path.
    ///
    /// # Errors
    ///
    /// [`PathError`] naming the first rule that it breaks.
    pub fn new(path: &str) -> Result<Self, PathError> {
        validate(path)?;
        Ok(Self(path.into()))
    }

    /// Returns `/`.
    #[must_use]
    pub fn root() -> Self {
        Self("/".into())
    }

    /// Returns the path of a descendant: one or several segments, without a leading slash.
    ///
    /// # Errors
    ///
    /// [`PathError`] if the result would not be a path.
    pub fn join(&self, relative: &str) -> Result<Self, PathError> {
        if relative.is_empty() {
            return Err(PathError::EmptySegment);
        }
        Self::new(&format!("{}/{relative}", self.prefix()))
    }

    /// Returns this path as seen from outside a chroot: `/a` in the chroot `/c` is `/c/a`.
    #[must_use]
    pub fn in_chroot(&self, chroot: &Self) -> Self {
        if chroot.is_root() {
            self.clone()
        } else if self.is_root() {
            chroot.clone()
        } else {
            Self(format!("{chroot}{self}").into())
        }
    }

    /// Returns this path as seen from inside a chroot, or `None` if it lies outside.
    #[must_use]
    pub fn strip_chroot(&self, chroot: &Self) -> Option<Self> {
        if chroot.is_root() {
            return Some(self.clone());
        }
        match self.0.strip_prefix(chroot.as_str())? {
            "" => Some(Self::root()),
            rest if rest.starts_with('/') => Some(Self(rest.into())),
            _ => None,
        }
    }

    /// Returns the path of the parent; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.parent_str().map(|parent| Self(parent.into()))
    }

    /// Returns the path of the parent as text, without making a path of it.
    pub(crate) fn parent_str(&self) -> Option<&str> {
        match self.0.rsplit_once('/')? {
            (_, "") => None,
            ("", _) => Some("/"),
            (parent, _) => Some(parent),
        }
    }

    /// Returns the last segment; `None` for the root.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(_, name)| name).filter(|name| !name.is_empty())
    }

    /// Returns the path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this is `/`.
    #[must_use]
    pub fn is_root(&self) -> bool {
        &*self.0 == "/"
    }

    /// Returns whether this is `base` or lies below it.
    #[must_use]
    pub fn is_within(&self, base: &Self) -> bool {
        match self.0.strip_prefix(base.prefix()) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }

    /// Returns what children's paths have before their slash.
    fn prefix(&self) -> &str {
        if self.is_root() { "" } else { &self.0 }
    }
}

impl FromStr for ZnodePath {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        Self::new(path)
    }
}

impl std::ops::Deref for ZnodePath {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Hashes and compares as its text does, so that maps of paths can be asked by text.
impl Borrow<str> for ZnodePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ZnodePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ZnodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ZnodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Codec for ZnodePath {
    const BYTES_MIN: usize = 4;

    fn encode(&self, out: &mut BytesMut) {
        put_str(out, &self.0);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self::new(reader.text()?)?)
    }
}

fn validate(path: &str) -> Result<(), PathError> {
    if is_plain(path.as_bytes()) { Ok(()) } else { validate_fully(path) }
}

/// Returns whether this is a path beyond doubt: printable ASCII without a segment that starts with a dot. Nearly
/// every path is.
fn is_plain(path: &[u8]) -> bool {
    let [b'/', names @ ..] = path else { return false };
    // Both look at every byte rather than stop at the first bad one, so that many are looked at in one step.
    let is_printable = names.iter().fold(true, |good, byte| good & (b' '..=b'~').contains(byte));
    let starts_well = path
        .iter()
        .zip(names)
        .fold(true, |good, (&before, &byte)| good & !((before == b'/') & ((byte == b'/') | (byte == b'.'))));
    is_printable && starts_well && names.last() != Some(&b'/')
}

/// Names the first rule that is broken.
fn validate_fully(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    let Some(relative) = path.strip_prefix('/') else { return Err(PathError::NotAbsolute) };
    if let Some((index, character)) = path.char_indices().find(|&(_, character)| is_forbidden(character)) {
        return Err(PathError::ForbiddenCharacter { character, index });
    }
    if relative.is_empty() {
        return Ok(());
    }
    let mut segments = relative.split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "" if segments.peek().is_none() => return Err(PathError::TrailingSlash),
            "" => return Err(PathError::EmptySegment),
            "." | ".." => return Err(PathError::RelativeSegment),
            _ => {}
        }
    }
    Ok(())
}

/// The server looks at UTF-16 units, so that what lies beyond the basic plane shows as surrogates.
const fn is_forbidden(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..=char::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ZnodePath {
        ZnodePath::new(text).unwrap()
    }

    #[test]
    fn paths_follow_the_rules_of_the_server() {
        for good in ["/", "/a", "/a/b", "/.a/..b/c.", "/ä/\u{fdff}", "/a b"] {
            assert!(ZnodePath::new(good).is_ok(), "{good:?}");
        }
        let bad = [
            ("", PathError::Empty),
            ("a", PathError::NotAbsolute),
            ("/a/", PathError::TrailingSlash),
            ("//", PathError::EmptySegment),
            ("//a", PathError::EmptySegment),
            ("/a//b", PathError::EmptySegment),
            ("/a/./b", PathError::RelativeSegment),
            ("/..", PathError::RelativeSegment),
            ("/a\0", PathError::ForbiddenCharacter { character: '\0', index: 2 }),
            ("/\u{85}", PathError::ForbiddenCharacter { character: '\u{85}', index: 1 }),
            ("/\u{e000}", PathError::ForbiddenCharacter { character: '\u{e000}', index: 1 }),
            ("/\u{fff0}", PathError::ForbiddenCharacter { character: '\u{fff0}', index: 1 }),
            ("/\u{1f600}", PathError::ForbiddenCharacter { character: '\u{1f600}', index: 1 }),
        ];
        for (text, error) in bad {
            assert_eq!(ZnodePath::new(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn join_parent_and_name_agree() {
        assert_eq!(path("/").join("a").unwrap(), path("/a"));
        assert_eq!(path("/a").join("b/c").unwrap(), path("/a/b/c"));
        assert_eq!(path("/a/b").parent(), Some(path("/a")));
        assert_eq!(path("/a").parent(), Some(ZnodePath::root()));
        assert_eq!((path("/").parent(), path("/").name()), (None, None));
        assert!(path("/a").join("").is_err());
        assert!(path("/a").join("/b").is_err());
    }

    #[test]
    fn a_chroot_is_added_and_stripped_by_whole_segments() {
        let chroot = path("/c");
        assert_eq!(path("/a").in_chroot(&chroot), path("/c/a"));
        assert_eq!(path("/").in_chroot(&chroot), chroot);
        assert_eq!(path("/c/a").strip_chroot(&chroot), Some(path("/a")));
        assert_eq!(chroot.strip_chroot(&chroot), Some(ZnodePath::root()));
        assert_eq!(path("/ca").strip_chroot(&chroot), None);
        assert_eq!(path("/ca").strip_chroot(&ZnodePath::root()), Some(path("/ca")));
    }

    #[test]
    fn within_means_at_or_below() {
        assert!(path("/a").is_within(&path("/a")));
        assert!(path("/a/b").is_within(&path("/a")));
        assert!(path("/a").is_within(&ZnodePath::root()));
        assert!(ZnodePath::root().is_within(&ZnodePath::root()));
        assert!(!path("/ab").is_within(&path("/a")));
        assert!(!path("/a").is_within(&path("/a/b")));
    }
}

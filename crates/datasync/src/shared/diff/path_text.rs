//! The text of a JSON Pointer while a walk goes down and up.

use std::fmt::Write as _;

use super::pointer::Pointer;

/// A pointer under construction: segments are appended on the way down and cut off on the way up, so that a
/// place costs no allocation until a change is found there.
#[derive(Debug, Default)]
pub(super) struct PathText(String);

impl PathText {
    /// Appends a member name and returns the mark to cut back to.
    pub(super) fn push_member(&mut self, name: &str) -> usize {
        let mark = self.0.len();
        self.0.push('/');
        self.0.push_str(&Pointer::escape(name));
        mark
    }

    /// Appends an array index and returns the mark to cut back to.
    pub(super) fn push_index(&mut self, index: usize) -> usize {
        let mark = self.0.len();
        write!(self.0, "/{index}").expect("writing to a string does not fail");
        mark
    }

    /// Cuts off what was appended since `mark`.
    pub(super) fn cut(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    /// Returns the pointer so far.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_escaped_and_cut_off_again() {
        let mut path = PathText::default();
        let root = path.push_member("a/b");
        let member = path.push_index(10);
        assert_eq!(path.as_str(), "/a~1b/10");
        path.cut(member);
        assert_eq!(path.as_str(), "/a~1b");
        path.cut(root);
        assert_eq!(path.as_str(), "");
    }
}

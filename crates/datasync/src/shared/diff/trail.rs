//! Where a walk through two documents is.

use std::fmt::Write as _;

use super::pointer::Pointer;

/// A place in both documents, as the steps that lead to it. It lives on the stack of the walk and refers to the
/// place above it: so going down costs no allocation, and the text of a pointer is made only where a change is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trail<'t> {
    above: Option<&'t Self>,
    step: Step<'t>,
    bytes: usize,
    depth: usize,
}

/// One step down.
#[derive(Clone, Copy, Debug)]
enum Step<'t> {
    /// None: this is the root.
    Root,
    /// To a member of an object.
    Member(&'t str),
    /// To an element of an array, which may have moved.
    Element { old: usize, new: usize },
}

/// Which of the two documents a pointer is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Previous,
    Current,
}

impl<'t> Trail<'t> {
    /// The whole document.
    pub(super) const ROOT: Self = Self { above: None, step: Step::Root, bytes: 0, depth: 0 };

    /// The member of that name here.
    pub(super) const fn member(&'t self, name: &'t str) -> Self {
        self.down(Step::Member(name), 1 + name.len())
    }

    /// The element here that had the one index and has the other.
    pub(super) const fn element(&'t self, old: usize, new: usize) -> Self {
        self.down(Step::Element { old, new }, 2)
    }

    /// The element here that has this index in the only document that has it.
    pub(super) const fn only(&'t self, index: usize) -> Self {
        self.element(index, index)
    }

    const fn down(&'t self, step: Step<'t>, bytes: usize) -> Self {
        Self { above: Some(self), step, bytes: self.bytes + bytes, depth: self.depth + 1 }
    }

    /// How many steps lead here.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// About how long the pointer is: names count without what escapes them, indices as one digit.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The JSON Pointer to this place in one of the documents.
    pub(super) fn pointer(&self, side: Side) -> String {
        // Indices have more digits than were counted, but seldom many.
        let mut text = String::with_capacity(self.bytes + 8);
        self.write(side, &mut text);
        text
    }

    fn write(&self, side: Side, text: &mut String) {
        if let Some(above) = self.above {
            above.write(side, text);
        }
        let index = match (self.step, side) {
            (Step::Root, _) => return,
            (Step::Member(name), _) => {
                text.push('/');
                return text.push_str(&Pointer::escape(name));
            }
            (Step::Element { old, .. }, Side::Previous) => old,
            (Step::Element { new, .. }, Side::Current) => new,
        };
        write!(text, "/{index}").expect("writing to a string does not fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_pointer_into_each_document() {
        let root = Trail::ROOT;
        let member = root.member("a/b");
        let element = member.element(10, 3);
        assert_eq!(root.pointer(Side::Current), "");
        assert_eq!(element.pointer(Side::Previous), "/a~1b/10");
        assert_eq!(element.member("").pointer(Side::Current), "/a~1b/3/");
        assert_eq!(member.pointer(Side::Current), "/a~1b");
    }
}

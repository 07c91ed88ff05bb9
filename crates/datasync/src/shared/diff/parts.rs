//! What is known of the arrays and objects of one document.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::depth::DEPTH_MAX;
use super::seal::{Content, Seal, Sealer};

/// Whether maps are ordered by name. They are, unless the program has switched on serde_json's `preserve_order`.
static IS_ORDERED: LazyLock<bool> = LazyLock::new(|| {
    let map: Map<_, _> = ["b", "a"].into_iter().map(|name| (name.to_owned(), json!(0))).collect();
    map.keys().is_sorted()
});

/// What is known of one array or object that is not empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) seal: Seal,
    /// How many such arrays and objects there are in it, itself included.
    pub(super) extent: usize,
}

/// Lists the arrays and objects of a document that are not empty, in the order in which a walk meets them: each is
/// followed by those inside of it.
///
/// `None` if it is nested too deep to walk.
pub(super) fn parts_of(document: &Value) -> Option<Box<[Part]>> {
    let mut builder = Builder { parts: Vec::new(), is_ordered: *IS_ORDERED };
    builder.content(document, 0)?;
    Some(builder.parts.into_boxed_slice())
}

/// Whether this value is one of the parts of its document.
pub(super) fn is_part(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => false,
    }
}

struct Builder {
    parts: Vec<Part>,
    is_ordered: bool,
}

impl Builder {
    fn content<'a>(&mut self, value: &'a Value, above: usize) -> Option<Content<'a>> {
        match value {
            Value::Array(items) if is_part(value) => self.part(above, |all| all.array(items, above + 1)),
            Value::Object(members) if is_part(value) => {
                self.part(above, |all| all.object(members, above + 1))
            }
            bare => Some(Content::Bare(bare)),
        }
    }

    fn part<'a>(
        &mut self,
        above: usize,
        seal: impl FnOnce(&mut Self) -> Option<Seal>,
    ) -> Option<Content<'a>> {
        if above == DEPTH_MAX {
            return None;
        }
        let place = self.parts.len();
        self.parts.push(Part { seal: Seal::default(), extent: 0 });
        let seal = seal(self)?;
        self.parts[place] = Part { seal, extent: self.parts.len() - place };
        Some(Content::Sealed(seal))
    }

    fn array(&mut self, items: &[Value], depth: usize) -> Option<Seal> {
        let mut sealer = Sealer::new();
        for item in items {
            sealer.tell(self.content(item, depth)?);
        }
        Some(sealer.array())
    }

    fn object(&mut self, members: &Map<String, Value>, depth: usize) -> Option<Seal> {
        let mut sealer = Sealer::new();
        if self.is_ordered {
            for (name, member) in members {
                sealer.text(name);
                sealer.tell(self.content(member, depth)?);
            }
            return Some(sealer.object());
        }
        // The order does not count, so the seal is of the members by name; the parts are in the order of the map.
        let contents = members.iter().map(|(name, member)| Some((name, self.content(member, depth)?)));
        let mut contents: Vec<_> = contents.collect::<Option<_>>()?;
        contents.sort_unstable_by_key(|(name, _)| *name);
        for (name, content) in contents {
            sealer.text(name);
            sealer.tell(content);
        }
        Some(sealer.object())
    }
}

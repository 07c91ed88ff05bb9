//! What is known of the arrays and objects of one document.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::depth::DEPTH_MAX;
use super::seal::{Seal, Sealer};

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
    if is_part(document) {
        builder.part(document, 1)?;
    }
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
    /// Adds a value that is a part, nested so deep, and the parts in it.
    fn part(&mut self, value: &Value, depth: usize) -> Option<Seal> {
        if depth > DEPTH_MAX {
            return None;
        }
        let place = self.parts.len();
        self.parts.push(Part { seal: Seal::default(), extent: 0 });
        let mut sealer = Sealer::new();
        let seal = match value {
            Value::Array(items) => {
                for item in items {
                    self.tell(item, depth, &mut sealer)?;
                }
                sealer.array()
            }
            Value::Object(members) if self.is_ordered => {
                for (name, member) in members {
                    sealer.text(name);
                    self.tell(member, depth, &mut sealer)?;
                }
                sealer.object()
            }
            Value::Object(members) => self.unordered(members, depth, sealer)?,
            _ => return None,
        };
        self.parts[place] = Part { seal, extent: self.parts.len() - place };
        Some(seal)
    }

    /// Tells what is inside of something at that depth.
    #[inline]
    fn tell(&mut self, value: &Value, depth: usize, sealer: &mut Sealer) -> Option<()> {
        if is_part(value) {
            sealer.part(self.part(value, depth + 1)?);
        } else {
            sealer.bare(value);
        }
        Some(())
    }

    /// The seal of an object whose order does not count: it is of the members by name, while the parts are in the
    /// order of the map.
    fn unordered(&mut self, members: &Map<String, Value>, depth: usize, mut sealer: Sealer) -> Option<Seal> {
        let mut contents = Vec::with_capacity(members.len());
        for (name, member) in members {
            let seal = if is_part(member) { Some(self.part(member, depth + 1)?) } else { None };
            contents.push((name, member, seal));
        }
        contents.sort_unstable_by_key(|(name, ..)| *name);
        for (name, member, seal) in contents {
            sealer.text(name);
            match seal {
                Some(seal) => sealer.part(seal),
                None => sealer.bare(member),
            }
        }
        Some(sealer.object())
    }
}

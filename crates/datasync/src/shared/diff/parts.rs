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
#[inline]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn extents(document: &Value) -> Vec<usize> {
        parts_of(document).unwrap().iter().map(|part| part.extent).collect()
    }

    fn seal(document: &Value) -> Seal {
        parts_of(document).unwrap()[0].seal
    }

    #[test]
    fn only_arrays_and_objects_that_hold_something_are_parts() {
        assert!(extents(&json!(1)).is_empty());
        assert!(extents(&json!([])).is_empty());
        assert_eq!(extents(&json!([[], {}, "[1]"])), [1]);
    }

    #[test]
    fn each_part_is_followed_by_those_inside_of_it() {
        assert_eq!(extents(&json!({"a": [[1], 2, {"b": 3}], "c": {}, "d": [4]})), [5, 3, 1, 1, 1]);
    }

    #[test]
    fn what_is_equal_has_one_seal_wherever_it_is() {
        let part = json!({"a": [1, {"b": null}]});
        let parts = parts_of(&json!([part, {"in": part}])).unwrap();
        assert_eq!((parts[1].seal, parts[5].seal), (seal(&part), seal(&part)));
        assert_ne!(seal(&part), seal(&json!({"a": [1, {"b": false}]})));
        assert_ne!(seal(&json!([[1], [2]])), seal(&json!([[2], [1]])));
        assert_ne!(seal(&json!([[1, 2]])), seal(&json!([[1], 2])));
        assert_ne!(seal(&json!({"a": 1})), seal(&json!(["a", 1])));
    }

    #[test]
    fn the_order_of_members_does_not_count() {
        let read = |text| serde_json::from_str(text).unwrap();
        let (left, right): (Value, Value) =
            (read(r#"{"a": 1, "b": {"c": [2], "d": 3}}"#), read(r#"{"b": {"d": 3, "c": [2]}, "a": 1}"#));
        assert_eq!(seal(&left), seal(&right));
    }

    #[test]
    fn maps_that_have_orders_of_their_own_are_sealed_alike() {
        let document = json!({"a": 1, "b": {"c": [2, {"e": {}}], "d": 3}, "f": [[4]]});
        let mut builder = Builder { parts: Vec::new(), is_ordered: false };
        assert_eq!(builder.part(&document, 1), Some(seal(&document)));
        let extents_there: Vec<_> = builder.parts.iter().map(|part| part.extent).collect();
        assert_eq!(extents_there, extents(&document));
    }

    #[test]
    fn a_document_that_is_nested_too_deep_to_walk_has_no_parts() {
        let nest = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(extents(&nest(DEPTH_MAX)).len(), DEPTH_MAX);
        assert!(parts_of(&nest(DEPTH_MAX + 1)).is_none());
    }

    #[test]
    fn a_part_takes_no_more_memory_than_the_documentation_says() {
        assert!(size_of::<Part>() <= 24);
    }
}

//! Gives equal values one number, so that a subtree is compared only once however deep it lies.

use std::collections::{HashMap, HashSet};
use std::ptr;

use serde_json::Value;

/// A number that two values of one [`Interner`] share exactly if they are equal.
pub(super) type ValueId = usize;

/// A set, hashed fast and seeded at random.
pub(super) type IdSet<T> = HashSet<T, foldhash::fast::RandomState>;

/// A map, likewise.
pub(super) type IdMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Numbers for the values of the documents that are being compared.
///
/// A container is looked at once: its number is remembered by its address, which stands still because the
/// documents are borrowed for `'a`. Without it each level of nested arrays would compare its subtrees anew.
#[derive(Debug, Default)]
pub(super) struct Interner<'a> {
    shapes: IdMap<Shape<'a>, ValueId>,
    /// Containers only: a scalar is compared as fast as it is looked up.
    known: IdMap<*const Value, ValueId>,
}

/// A value one level deep: two of them are equal exactly if the values are.
#[derive(Debug, Eq, Hash, PartialEq)]
enum Shape<'a> {
    Scalar(&'a Value),
    Array(Vec<ValueId>),
    /// Sorted by name, because the order of members does not count.
    Object(Vec<(&'a str, ValueId)>),
}

impl<'a> Interner<'a> {
    /// Returns the number of `value`.
    pub(super) fn id(&mut self, value: &'a Value) -> ValueId {
        let address = ptr::from_ref(value);
        let shape = match value {
            Value::Array(_) | Value::Object(_) if self.known.contains_key(&address) => {
                return self.known[&address];
            }
            Value::Array(items) => Shape::Array(items.iter().map(|item| self.id(item)).collect()),
            Value::Object(members) => {
                let named = members.iter().map(|(name, member)| (name.as_str(), self.id(member)));
                let mut named: Vec<_> = named.collect();
                named.sort_unstable();
                Shape::Object(named)
            }
            scalar => Shape::Scalar(scalar),
        };
        let container = !matches!(shape, Shape::Scalar(_));
        let next = self.shapes.len();
        let id = *self.shapes.entry(shape).or_insert(next);
        if container {
            self.known.insert(address, id);
        }
        id
    }

    /// Returns whether two values are equal, from their numbers if both have one already.
    pub(super) fn same(&self, left: &Value, right: &Value) -> bool {
        if !self.known.is_empty() && matches!(left, Value::Array(_) | Value::Object(_)) {
            let known = |value| self.known.get(&ptr::from_ref(value));
            if let (Some(left), Some(right)) = (known(left), known(right)) {
                return left == right;
            }
        }
        left == right
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_share_a_number() {
        let value = json!([{"a": [1, null], "b": {}}, {"b": {}, "a": [1, null]}, 1, 1, "x", "x"]);
        let mut interner = Interner::default();
        for pair in value.as_array().unwrap().chunks(2) {
            assert_eq!(interner.id(&pair[0]), interner.id(&pair[1]));
        }
    }

    #[test]
    fn different_values_have_different_numbers() {
        let value =
            json!([null, false, 0, 0.5, 1, 1.0, "", "1", [], {}, [[]], [1], [1, 1], {"a": 1}, {"b": 1}]);
        let mut interner = Interner::default();
        let mut ids: Vec<_> = value.as_array().unwrap().iter().map(|item| interner.id(item)).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), value.as_array().unwrap().len());
    }

    #[test]
    fn same_agrees_before_and_after_numbering() {
        let (left, right, other) = (json!({"a": [1]}), json!({"a": [1]}), json!({"a": [2]}));
        let mut interner = Interner::default();
        assert!(interner.same(&left, &right) && !interner.same(&left, &other));
        for value in [&left, &right, &other] {
            interner.id(value);
        }
        assert!(interner.same(&left, &right) && !interner.same(&left, &other));
    }
}

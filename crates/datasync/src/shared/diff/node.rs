//! A value of a document, with what is known of its parts.

use serde_json::{Map, Value};

use super::intern::IdMap;
use super::parts::{Part, is_part};
use super::seal::Seal;

/// A value, and what is known of its parts if its document was digested. Of one that was not, nothing is, and it is
/// looked at as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    /// Itself, then those inside of it; empty if it is no part, or nothing is known.
    parts: &'a [Part],
}

impl<'a> Node<'a> {
    /// A value of which nothing is known.
    #[inline]
    pub(super) const fn bare(value: &'a Value) -> Self {
        Self { value, parts: &[] }
    }

    /// A whole document with all of its parts.
    pub(super) const fn digested(value: &'a Value, parts: &'a [Part]) -> Self {
        Self { value, parts }
    }

    /// Its seal, if it has one.
    #[inline]
    pub(super) fn seal(self) -> Option<Seal> {
        self.parts.first().map(|part| part.seal)
    }

    /// Whether two values are equal, by their seals if they have them.
    #[inline]
    pub(super) fn is_same(self, other: Self) -> bool {
        match (self.seal(), other.seal()) {
            (Some(left), Some(right)) => left == right,
            _ => self.value == other.value,
        }
    }

    /// The parts inside of it.
    #[inline]
    fn inner(self) -> &'a [Part] {
        self.parts.get(1..).unwrap_or_default()
    }
}

/// The elements of an array.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    values: &'a [Value],
    parts: &'a [Part],
    /// Where among the parts each element begins; empty if there are none.
    starts: Vec<usize>,
}

impl<'a> Elements<'a> {
    /// The elements of an array of which nothing is known.
    #[inline]
    pub(super) const fn bare(values: &'a [Value]) -> Self {
        Self { values, parts: &[], starts: Vec::new() }
    }

    /// The elements of `values`, the array that `node` is.
    #[inline]
    pub(super) fn of(node: Node<'a>, values: &'a [Value]) -> Self {
        let parts = node.inner();
        if parts.is_empty() {
            return Self::bare(values);
        }
        let mut next = 0;
        let start = |value| {
            let start = next;
            next += if is_part(value) { parts[start].extent } else { 0 };
            start
        };
        Self { values, parts, starts: values.iter().map(start).collect() }
    }

    #[inline]
    pub(super) const fn values(&self) -> &'a [Value] {
        self.values
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.values.len()
    }

    /// The elements from that index on.
    #[inline]
    pub(super) fn from(&self, index: usize) -> impl DoubleEndedIterator<Item = Node<'a>> {
        (index..self.values.len()).map(|at| self.at(at))
    }

    /// The element with that index.
    #[inline]
    pub(super) fn at(&self, index: usize) -> Node<'a> {
        let value = &self.values[index];
        match self.starts.get(index) {
            Some(&start) if is_part(value) => first(value, &self.parts[start..]),
            _ => Node::bare(value),
        }
    }
}

/// The members of an object, in its order or by name.
#[derive(Debug)]
pub(super) struct Members<'a> {
    map: &'a Map<String, Value>,
    parts: &'a [Part],
    /// Made when a part is first looked up by name, which only happens in maps that have orders of their own.
    by_name: Option<IdMap<&'a str, Node<'a>>>,
}

impl<'a> Members<'a> {
    /// The members of `map`, the object that `node` is.
    #[inline]
    pub(super) fn of(node: Node<'a>, map: &'a Map<String, Value>) -> Self {
        Self { map, parts: node.inner(), by_name: None }
    }

    #[inline]
    pub(super) fn contains(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// All members in order.
    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a String, Node<'a>)> + use<'a> {
        // Those of the members that are still to come.
        let mut parts = self.parts;
        self.map.iter().map(move |(name, value)| {
            if parts.is_empty() || !is_part(value) {
                return (name, Node::bare(value));
            }
            let node = first(value, parts);
            parts = &parts[node.parts.len()..];
            (name, node)
        })
    }

    /// The member of that name.
    pub(super) fn find(&mut self, name: &str) -> Option<Node<'a>> {
        if self.parts.is_empty() {
            return self.map.get(name).map(Node::bare);
        }
        if !self.map.contains_key(name) {
            return None;
        }
        let all = self.iter();
        let by_name =
            self.by_name.get_or_insert_with(|| all.map(|(name, node)| (name.as_str(), node)).collect());
        by_name.get(name).copied()
    }
}

/// The node of a value whose parts are the first of these.
#[inline]
fn first<'a>(value: &'a Value, parts: &'a [Part]) -> Node<'a> {
    Node { value, parts: &parts[..parts[0].extent] }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parts::parts_of;
    use super::*;

    /// Checks that every node has the seal of its value, and how many have one.
    fn check(node: Node<'_>) -> usize {
        let own = parts_of(node.value).unwrap();
        assert_eq!(node.seal(), own.first().map(|part| part.seal), "{}", node.value);
        let inner = match node.value {
            Value::Array(values) => {
                let elements = Elements::of(node, values);
                elements.from(0).map(check).sum()
            }
            Value::Object(map) => {
                let mut members = Members::of(node, map);
                for (name, member) in members.iter() {
                    assert_eq!(members.find(name).unwrap().seal(), member.seal());
                }
                assert!(members.find("missing").is_none());
                members.iter().map(|(_, member)| check(member)).sum()
            }
            _ => 0,
        };
        inner + usize::from(node.seal().is_some())
    }

    #[test]
    fn every_part_of_a_document_is_found_with_its_seal() {
        for document in [
            json!(1),
            json!([]),
            json!([1, [], [2, [3], {}], "x", {"a": [4], "b": 5, "c": {"d": [[6]]}}, [7]]),
            json!({"a": {}, "b": [[1], [[2]]], "c": 1, "d": {"e": [3]}}),
        ] {
            let parts = parts_of(&document).unwrap();
            assert_eq!(check(Node::digested(&document, &parts)), parts.len());
        }
    }

    #[test]
    fn nothing_is_known_of_what_is_in_a_bare_value() {
        let document = json!({"a": [[1]]});
        let mut members = Members::of(Node::bare(&document), document.as_object().unwrap());
        let list = members.find("a").unwrap();
        let elements = Elements::of(list, list.value.as_array().unwrap());
        assert_eq!((list.seal(), elements.at(0).seal()), (None, None));
    }
}

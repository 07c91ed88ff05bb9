//! Which parts of a document a set of changes touches, without a look at the document.

use super::change::Change;

/// The places that changes touched, sorted. Built once for a set of changes; each question costs no more than a
/// few look-ups for each segment of the pointer, however many changes there are.
#[derive(Debug)]
pub(crate) struct Touched<'a>(Vec<&'a str>);

impl<'a> Touched<'a> {
    /// Notes where `changes` are.
    pub(crate) fn by(changes: &'a [Change]) -> Self {
        let mut places: Vec<_> = changes.iter().map(place).collect();
        places.sort_unstable();
        places.dedup();
        Self(places)
    }

    /// Whether what `pointer` points at may differ. If not, it does not; if so, it mostly does.
    pub(crate) fn touches(&self, pointer: &str) -> bool {
        let is_at_or_above = |end: usize| self.0.binary_search(&&pointer[..end]).is_ok();
        let mut ends = pointer.match_indices('/').map(|(at, _)| at).chain([pointer.len()]);
        if ends.any(is_at_or_above) {
            return true;
        }
        let below = |place: &&str| place.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/'));
        // The places below sort together, but names that go on with a byte before '/' come first.
        let first = self.0.partition_point(|place| before(place, pointer));
        self.0.get(first).is_some_and(below)
    }
}

/// Whether `place` sorts before everything below `pointer`.
fn before(place: &str, pointer: &str) -> bool {
    place.bytes().lt(pointer.bytes().chain([b'/']))
}

/// The place that a change touches. What comes into an array or leaves it moves its neighbours: then that is the
/// array, or an object whose members have numbers for names.
fn place(change: &Change) -> &str {
    let path = change.path();
    match change {
        Change::Added { .. } | Change::Removed { .. } => match path.rsplit_once('/') {
            Some((above, name)) if name.bytes().all(|byte| byte.is_ascii_digit()) => above,
            _ => path,
        },
        Change::Modified { .. } | Change::Unchanged { .. } => path,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::pointer::Pointer;
    use super::super::walk::diff;
    use super::*;

    #[test]
    fn what_is_at_above_or_below_a_change_is_touched_and_nothing_else() {
        let changes = diff(
            &json!({"a": {"b": {"c": 1}}, "ab": 0, "a-": 0, "x": 1}),
            &json!({"a": {"b": {"c": 2}}, "ab": 0, "a-": 1, "x": 1}),
        );
        let touched = Touched::by(&changes);
        for pointer in ["", "/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a-", "/a-/0"] {
            assert!(touched.touches(pointer), "{pointer}");
        }
        for pointer in ["/ab", "/x", "/a/", "/a/b/", "/a/b/cd", "/a-b", "/", "/b"] {
            assert!(!touched.touches(pointer), "{pointer}");
        }
    }

    #[test]
    fn what_enters_or_leaves_an_array_touches_its_neighbours() {
        let (short, long) =
            (json!({"l": [1, 2, {"n": 3}], "m": 1}), json!({"l": [0, 1, 2, {"n": 3}], "m": 1}));
        for changes in [diff(&short, &long), diff(&long, &short)] {
            let touched = Touched::by(&changes);
            assert!(touched.touches("/l/2/n") && touched.touches("/l") && !touched.touches("/m"));
        }
    }

    /// Small documents with few names, so that much is shared and much moves.
    fn document() -> impl Strategy<Value = Value> {
        (0..3).prop_map(Value::from).prop_recursive(4, 24, 4, |inner| {
            let name = prop::sample::select(vec!["a", "b", "0", "a/b", "-"]).prop_map(String::from);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn pointers(value: &Value, here: &mut Pointer, all: &mut Vec<Pointer>) {
        all.push(here.clone());
        let children: Vec<_> = match value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
            }
            Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
            _ => return,
        };
        for (name, child) in children {
            here.push(name);
            pointers(child, here, all);
            here.pop();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_differs_is_touched(previous in document(), current in document()) {
            let changes = diff(&previous, &current);
            let (touched, mut all) = (Touched::by(&changes), Vec::new());
            pointers(&previous, &mut Pointer::default(), &mut all);
            pointers(&current, &mut Pointer::default(), &mut all);
            for pointer in all {
                let differs = pointer.resolve(&previous) != pointer.resolve(&current);
                prop_assert!(!differs || touched.touches(&pointer.to_string()), "{pointer} of {changes:?}");
            }
        }
    }

    #[test]
    fn no_changes_touch_nothing() {
        assert!(!Touched::by(&[]).touches(""));
    }
}

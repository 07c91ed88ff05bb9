//! Carries a change over to a stored document that may hold more than its reader knows.

use std::mem;

use serde_json::{Map, Value};

use super::align::Aligner;
use super::correspond;
use super::node::{Elements, Node};

/// Applies the difference between `before` and `after` to `document`.
///
/// `document` is what is stored; `before` is what a type read from it, written out again, and `after` the same
/// once it was changed. So `document` may have fields that `before` lacks, because the type does not know
/// them, and lack fields that `before` has, because they are defaults.
///
/// Where `before` and `after` agree, `document` stays as it is, and fields that `before` does not know
/// survive. A changed field that `document` lacks is created. Where the shapes disagree, `after` wins at that
/// place. If `document` equals `before`, it equals `after` afterwards.
///
/// An array that did not change stays as it is. In one that did, the elements are lined up by longest common
/// subsequence and keep their unknown fields where they live on, also if the type reorders them (a set does).
/// An element whose stored form does not agree with `before` at all, and every element of an array that is too
/// different to be lined up in bounded time, is replaced by that of `after`.
///
/// # Examples
///
/// ```
/// use quorate_datasync::overlay;
/// use serde_json::json;
///
/// let mut document = json!({"interval": 5, "colour": "red"});
/// overlay(&mut document, &json!({"interval": 5}), &json!({"interval": 10}));
/// assert_eq!(document, json!({"interval": 10, "colour": "red"}));
/// ```
pub fn overlay(document: &mut Value, before: &Value, after: &Value) {
    Overlay::default().value(document, before, after, Origin::Unproved);
}

#[derive(Debug, Default)]
struct Overlay<'a> {
    aligner: Aligner<'a>,
}

/// What is known of how the elements of arrays in the document correspond to those of `before`.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// Nothing: each array has to find out.
    Unproved,
    /// An array around this place found that everything in it agrees index by index.
    ByIndex,
}

impl<'a> Overlay<'a> {
    fn value(&mut self, document: &mut Value, before: &'a Value, after: &'a Value, origin: Origin) {
        match (&mut *document, before, after) {
            (Value::Object(document), Value::Object(before), Value::Object(after)) => {
                self.object(document, before, after, origin);
            }
            (Value::Array(document), Value::Array(before), Value::Array(after)) => {
                self.array(document, before, after, origin);
            }
            _ if self.same(before, after) => {}
            _ => *document = after.clone(),
        }
    }

    fn object(
        &mut self,
        document: &mut Map<String, Value>,
        before: &'a Map<String, Value>,
        after: &'a Map<String, Value>,
        origin: Origin,
    ) {
        for (name, old) in before {
            match (document.get_mut(name), after.get(name)) {
                (_, None) => {
                    document.remove(name);
                }
                (Some(stored), Some(new)) => self.value(stored, old, new, origin),
                (None, Some(new)) if self.same(old, new) => {}
                (None, Some(new)) => {
                    document.insert(name.clone(), new.clone());
                }
            }
        }
        for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
            match document.get_mut(name) {
                Some(stored) => merge(stored, new),
                None => {
                    document.insert(name.clone(), new.clone());
                }
            }
        }
    }

    fn same(&self, before: &Value, after: &Value) -> bool {
        self.aligner.same(Node::bare(before), Node::bare(after))
    }

    fn array(&mut self, document: &mut Vec<Value>, before: &'a [Value], after: &'a [Value], origin: Origin) {
        let Some(gaps) = self.aligner.gaps(&Elements::bare(before), &Elements::bare(after)) else {
            *document = after.to_vec();
            return;
        };
        if gaps.is_empty() {
            return;
        }
        let origins = match origin {
            Origin::Unproved => correspond::origins(document, before),
            Origin::ByIndex => (0..before.len()).map(Some).collect(),
        };
        let mut stored: Vec<_> = mem::take(document).into_iter().map(Some).collect();
        let mut take = |old: usize| origins[old].and_then(|at| stored.get_mut(at)).and_then(Option::take);

        self.aligner.enter();
        let mut next = 0;
        for gap in gaps {
            document.extend(
                (next..gap.old.start).zip(document.len()..).map(|(old, new)| keep(take(old), &after[new])),
            );
            let (was, is) = (&before[gap.old.clone()], &after[gap.new.clone()]);
            let successors = correspond::successors(&mut self.aligner, was, is);
            for (new, old) in gap.new.zip(successors) {
                let old = old.map(|old| gap.old.start + old);
                let element = old.and_then(|old| Some((old, take(old)?)));
                document.push(match element {
                    Some((old, mut element)) => {
                        self.value(&mut element, &before[old], &after[new], Origin::ByIndex);
                        element
                    }
                    None => after[new].clone(),
                });
            }
            next = gap.old.end;
        }
        self.aligner.leave();
        document.extend(
            (next..before.len()).zip(document.len()..).map(|(old, new)| keep(take(old), &after[new])),
        );
    }
}

/// An element that did not change stays as it is stored, if it was found.
fn keep(stored: Option<Value>, after: &Value) -> Value {
    stored.unwrap_or_else(|| after.clone())
}

/// Writes a value that `before` did not have over one that the document has all the same, which happens where
/// a type leaves defaults out: what the value does not know survives.
fn merge(document: &mut Value, after: &Value) {
    match (&mut *document, after) {
        (Value::Object(document), Value::Object(after)) => {
            for (name, value) in after {
                match document.get_mut(name) {
                    Some(stored) => merge(stored, value),
                    None => {
                        document.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        _ => *document = after.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "the calls read as tables without borrows")]
    fn check(mut document: Value, before: Value, after: Value, expected: Value) {
        overlay(&mut document, &before, &after);
        assert_eq!(document, expected);
    }

    #[test]
    fn unknown_fields_survive_at_every_depth() {
        check(
            json!({"a": 1, "x": 9, "in": {"b": 2, "y": 8}}),
            json!({"a": 1, "in": {"b": 2}}),
            json!({"a": 3, "in": {"b": 4, "c": 5}}),
            json!({"a": 3, "x": 9, "in": {"b": 4, "c": 5, "y": 8}}),
        );
    }

    #[test]
    fn what_did_not_change_stays_as_it_is_stored() {
        check(
            json!({"time": "60s", "list": ["60s"], "n": 1}),
            json!({"time": "1m", "list": ["1m"], "n": 1, "default": {}}),
            json!({"time": "1m", "list": ["1m"], "n": 2, "default": {}}),
            json!({"time": "60s", "list": ["60s"], "n": 2}),
        );
    }

    #[test]
    fn a_changed_default_is_created() {
        check(
            json!({}),
            json!({"limits": {"low": 1, "high": 2}, "list": []}),
            json!({"limits": {"low": 1, "high": 3}, "list": [1]}),
            json!({"limits": {"low": 1, "high": 3}, "list": [1]}),
        );
    }

    #[test]
    fn a_removed_field_is_removed() {
        check(
            json!({"a": 1, "b": 2, "x": 3}),
            json!({"a": 1, "b": 2}),
            json!({"a": 1}),
            json!({"a": 1, "x": 3}),
        );
        check(json!({"x": 3}), json!({"default": 2}), json!({}), json!({"x": 3}));
    }

    #[test]
    fn after_wins_where_shapes_disagree() {
        check(
            json!({"a": "1,2", "x": 0}),
            json!({"a": [1, 2]}),
            json!({"a": [1]}),
            json!({"a": [1], "x": 0}),
        );
        check(json!({"a": {"old": 1}}), json!({"a": {"old": 1}}), json!({"a": [1]}), json!({"a": [1]}));
        check(json!([1]), json!({}), json!({"a": 1}), json!({"a": 1}));
    }

    #[test]
    fn a_field_that_before_left_out_is_merged_with_what_is_stored() {
        check(
            json!({"a": {"x": 1, "n": {"y": 2}}, "b": 1}),
            json!({}),
            json!({"a": {"k": 1, "n": {"l": 1}}, "b": {}}),
            json!({"a": {"x": 1, "n": {"y": 2, "l": 1}, "k": 1}, "b": {}}),
        );
    }

    #[test]
    fn elements_keep_their_unknown_fields_when_others_come_and_go() {
        check(
            json!([{"id": 1, "x": 1}, {"id": 2, "x": 2}, {"id": 3, "x": 3}]),
            json!([{"id": 1}, {"id": 2}, {"id": 3}]),
            json!([{"id": 0}, {"id": 2}, {"id": 3}, {"id": 4}]),
            json!([{"id": 0, "x": 1}, {"id": 2, "x": 2}, {"id": 3, "x": 3}, {"id": 4}]),
        );
        check(
            json!([{"id": 1, "x": 1}, {"id": 2, "x": 2}]),
            json!([{"id": 1}, {"id": 2}]),
            json!([{"id": 5}, {"id": 6}, {"id": 1}]),
            json!([{"id": 5}, {"id": 6}, {"id": 1, "x": 1}]),
        );
    }

    #[test]
    fn a_changed_element_keeps_its_unknown_fields_at_every_depth() {
        check(
            json!([{"id": 1, "n": 1, "x": 1}, {"id": 2, "n": 2, "in": [{"k": 1, "y": 1}], "x": 2}]),
            json!([{"id": 1, "n": 1, "in": []}, {"id": 2, "n": 2, "in": [{"k": 1}]}]),
            json!([{"id": 2, "n": 3, "in": [{"k": 0}, {"k": 1}]}]),
            json!([{"id": 2, "n": 3, "in": [{"k": 0}, {"k": 1, "y": 1}], "x": 2}]),
        );
    }

    #[test]
    fn a_set_that_was_read_in_another_order_ends_as_after() {
        check(json!(["b", "a"]), json!(["a", "b"]), json!(["b"]), json!(["b"]));
        check(
            json!([{"id": 1, "x": 1}, {"id": 2, "x": 2}]),
            json!([{"id": 2}, {"id": 1}]),
            json!([{"id": 2}, {"id": 3}, {"id": 1}]),
            json!([{"id": 2, "x": 2}, {"id": 3}, {"id": 1, "x": 1}]),
        );
    }

    #[test]
    fn an_array_past_the_work_limit_becomes_that_of_after() {
        let before: Vec<_> = (0..5_000).collect();
        let after: Vec<_> = before.iter().rev().collect();
        check(json!(before), json!(before), json!(after), json!(after));
    }
}

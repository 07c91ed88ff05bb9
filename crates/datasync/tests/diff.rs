//! What holds for the diff of any two documents, with the `json-patch` crate as the judge of patches.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quorate_datasync::{Change, DEPTH_MAX, ParsedDocument, Pointer, depth, diff, overlay, parse, to_patch};
use serde_json::{Value, json};

/// Few different scalars and names, so that equal values and shared names are common.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (0..4).prop_map(Value::from),
        Just(json!(1.0)),
        prop::sample::select(vec!["", "a", "b"]).prop_map(Value::from),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b", "c", "0", "1", "-", "/", "~", "~1", "a/b"]).prop_map(String::from)
}

fn document() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            1 => prop::collection::btree_map(name(), inner, 0..5).prop_map(object),
        ]
    })
}

fn object(members: BTreeMap<String, Value>) -> Value {
    Value::Object(members.into_iter().collect())
}

/// One edit: which container (counted along the walk), where in it, what, and how.
type Edit = (prop::sample::Index, prop::sample::Index, u8, String, Value);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8, name(), document()),
        0..6,
    )
}

/// A document and a relative of it, as updates make them.
fn relatives() -> impl Strategy<Value = (Value, Value)> {
    (document(), edits()).prop_map(|(previous, edits)| {
        let mut current = previous.clone();
        edits.into_iter().for_each(|edit| apply(&mut current, edit));
        (previous, current)
    })
}

fn apply(root: &mut Value, (container, place, kind, name, value): Edit) {
    let mut containers = Vec::new();
    collect(root, &mut Pointer::default(), &mut containers);
    if containers.is_empty() {
        *root = value;
        return;
    }
    match containers[container.index(containers.len())].resolve_mut(root) {
        Some(Value::Array(items)) => edit_array(items, place, kind, value),
        Some(Value::Object(members)) if kind == 0 => drop(members.remove(&name)),
        Some(Value::Object(members)) => drop(members.insert(name, value)),
        _ => unreachable!("only containers were collected"),
    }
}

fn edit_array(items: &mut Vec<Value>, place: prop::sample::Index, kind: u8, value: Value) {
    if items.is_empty() || kind == 1 {
        return items.insert(place.index(items.len() + 1), value);
    }
    let at = place.index(items.len());
    match kind {
        0 => drop(items.remove(at)),
        2 => items[at] = value,
        _ => items.rotate_left(at),
    }
}

fn collect(value: &Value, here: &mut Pointer, containers: &mut Vec<Pointer>) {
    let children: Vec<_> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        _ => return,
    };
    containers.push(here.clone());
    for (segment, child) in children {
        here.push(segment);
        collect(child, here, containers);
        here.pop();
    }
}

fn digested(value: &Value) -> ParsedDocument {
    ParsedDocument::from(value.clone())
}

/// Applies the patch of the changes as a stranger would who knows only RFC 6902.
fn patched(previous: &Value, changes: &[Change]) -> Value {
    let patch: json_patch::Patch = serde_json::from_value(to_patch(changes)).expect("it is a patch");
    let mut document = previous.clone();
    json_patch::patch(&mut document, &patch).expect("it applies");
    document
}

/// Checks that every change tells the truth about the two documents.
fn check_paths(previous: &Value, current: &Value, changes: &[Change]) {
    for change in changes {
        let pointer = Pointer::parse(change.path()).expect("paths are pointers");
        assert_eq!(pointer.to_string(), change.path());
        match change {
            Change::Added { value, .. } => assert_eq!(pointer.resolve(current), Some(value)),
            Change::Modified { old, new, .. } => {
                assert_eq!(pointer.resolve(current), Some(new));
                assert_ne!(old, new);
            }
            Change::Removed { value, .. } => assert_eq!(pointer.resolve(previous), Some(value)),
            other => panic!("{other:?} is not in a diff"),
        }
    }
}

/// Adds a field that no type knows to every object.
fn with_unknown_fields(value: &Value, next: &mut u32) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| with_unknown_fields(item, next)).collect(),
        Value::Object(members) => {
            *next += 1;
            let own = ("unknown".to_owned(), json!(*next));
            members
                .iter()
                .map(|(name, member)| (name.clone(), with_unknown_fields(member, next)))
                .chain([own])
                .collect()
        }
        scalar => scalar.clone(),
    }
}

/// What a type that does not know those fields reads.
fn without_unknown_fields(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_unknown_fields).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "unknown")
            .map(|(name, member)| (name.clone(), without_unknown_fields(member)))
            .collect(),
        scalar => scalar.clone(),
    }
}

/// A document at the depth limit, as arrays in objects in arrays, around `middle`.
fn deepest(middle: &Value) -> Value {
    let wrap = |inner: Value, level: usize| {
        if level.is_multiple_of(2) { json!([0, inner, 1]) } else { json!({"in": inner}) }
    };
    (depth(middle)..DEPTH_MAX).fold(middle.clone(), wrap)
}

#[test]
fn documents_at_the_depth_limit_are_compared_on_a_small_stack() {
    let work = || {
        let (before, after) = (deepest(&json!([1, 2])), deepest(&json!([1, 3])));
        let changes = diff(&before, &after);
        assert_eq!(changes.len(), 1);
        assert_eq!(digested(&before).diff(&digested(&after)), changes);
        assert_eq!(patched(&before, &changes), after);
        let mut stored = parse(before.to_string().as_bytes()).unwrap();
        overlay(&mut stored, &before, &after);
        assert_eq!(stored, after);
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_large_list_deep_down_is_told_by_its_few_edits() {
    let mut list: Vec<_> = (0..4_000).map(|id| json!({"id": id, "tags": ["a", "b"]})).collect();
    let before = deepest(&json!(list));
    list.insert(0, json!("first"));
    list[3_000]["id"] = json!(0);
    list.swap(1_000, 1_001);
    list.pop();
    let after = deepest(&json!(list));
    let changes = diff(&before, &after);
    assert_eq!(changes.len(), 5);
    assert_eq!(patched(&before, &changes), after);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_patch_of_relatives_is_exact((previous, current) in relatives()) {
        let changes = diff(&previous, &current);
        check_paths(&previous, &current, &changes);
        prop_assert_eq!(patched(&previous, &changes), current);
    }

    #[test]
    fn the_patch_of_strangers_is_exact(previous in document(), current in document()) {
        let changes = diff(&previous, &current);
        check_paths(&previous, &current, &changes);
        prop_assert_eq!(patched(&previous, &changes), current);
    }

    #[test]
    fn a_diff_is_empty_exactly_if_the_documents_are_equal((previous, current) in relatives()) {
        prop_assert!(diff(&previous, &previous).is_empty());
        prop_assert_eq!(diff(&previous, &current).is_empty(), previous == current);
    }

    #[test]
    fn digests_make_no_difference_to_relatives((previous, current) in relatives()) {
        let (left, right) = (digested(&previous), digested(&current));
        prop_assert_eq!(left.diff(&right), diff(&previous, &current));
        prop_assert_eq!(left == right, previous == current);
    }

    #[test]
    fn digests_make_no_difference_to_strangers(previous in document(), current in document()) {
        let (left, right) = (digested(&previous), digested(&current));
        prop_assert_eq!(left.diff(&right), diff(&previous, &current));
        prop_assert_eq!(left == right, previous == current);
    }

    #[test]
    fn digests_make_no_difference_deep_down((previous, current) in relatives()) {
        let (previous, current) = (deepest(&previous), deepest(&current));
        prop_assert_eq!(digested(&previous).diff(&digested(&current)), diff(&previous, &current));
    }

    #[test]
    fn one_insertion_into_a_list_is_one_change(
        list in prop::collection::vec(document(), 0..20),
        at: prop::sample::Index,
        new in document(),
    ) {
        let mut longer = list.clone();
        longer.insert(at.index(list.len() + 1), new);
        let (shorter, longer) = (Value::from(list), Value::from(longer));
        prop_assert_eq!(diff(&shorter, &longer).len(), 1);
        prop_assert_eq!(diff(&longer, &shorter).len(), 1);
    }

    #[test]
    fn overlay_on_what_was_read_gives_what_is_written((before, after) in relatives()) {
        let mut stored = before.clone();
        overlay(&mut stored, &before, &after);
        prop_assert_eq!(stored, after);
    }

    #[test]
    fn overlay_without_a_change_changes_nothing(stored in document(), value in document()) {
        let mut document = stored.clone();
        overlay(&mut document, &value, &value);
        prop_assert_eq!(document, stored);
    }

    #[test]
    fn overlay_on_unknown_fields_reads_back_as_what_is_written((before, after) in relatives()) {
        let mut stored = with_unknown_fields(&before, &mut 0);
        overlay(&mut stored, &before, &after);
        prop_assert_eq!(without_unknown_fields(&stored), after);
    }

    #[test]
    fn overlay_keeps_unknown_fields_when_elements_are_inserted(
        before in document(),
        new in scalar(),
        at: prop::sample::Index,
    ) {
        let stored = with_unknown_fields(&before, &mut 0);
        let insert = |value: &Value| match value {
            Value::Array(items) => {
                let mut items = items.clone();
                items.insert(at.index(items.len() + 1), new.clone());
                Value::from(items)
            }
            other => other.clone(),
        };
        let mut document = stored.clone();
        overlay(&mut document, &before, &insert(&before));
        prop_assert_eq!(document, insert(&stored));
    }

    #[test]
    fn overlay_on_a_shuffled_set_gives_what_is_written(
        (before, stored) in prop::collection::vec(0..20_i32, 0..40)
            .prop_flat_map(|set| (Just(set.clone()), Just(set).prop_shuffle())),
        after in prop::collection::vec(0..20_i32, 0..40),
    ) {
        let mut document = json!(stored);
        overlay(&mut document, &json!(before), &json!(after));
        prop_assert_eq!(document, if before == after { json!(stored) } else { json!(after) });
    }

    #[test]
    fn parse_reads_what_serde_json_writes(value in document()) {
        prop_assert_eq!(parse(value.to_string().as_bytes()).unwrap(), value);
    }

    #[test]
    fn parse_at_the_depth_limit_reads_the_same_as_one_level_below(value in document(), array: bool) {
        let levels = DEPTH_MAX - 1 - depth(&value);
        let inside = "[".repeat(levels) + &value.to_string() + &"]".repeat(levels);
        let inner = parse(inside.as_bytes()).unwrap();
        let (text, expected) = if array {
            (format!("[1, {inside} ,2]"), json!([1, inner, 2]))
        } else {
            (format!("{{\"a:\": {inside} , \",\" : \"}}\"}}"), json!({"a:": inner, ",": "}"}))
        };
        let parsed = parse(text.as_bytes()).unwrap();
        prop_assert_eq!(depth(&parsed), DEPTH_MAX);
        prop_assert_eq!(parsed, expected);
    }

    #[test]
    fn parse_never_panics(
        bytes in prop::collection::vec(prop::sample::select(b"[]{}:,\"\\ 1a".to_vec()), 0..40),
        deep: bool,
    ) {
        let levels = if deep { DEPTH_MAX - 1 } else { 0 };
        let text = [b"[".repeat(levels), bytes, b"]".repeat(levels)].concat();
        let _ = parse(&text);
    }

    #[test]
    fn every_text_is_escaped_and_unescaped(name in ".*") {
        let segment = Pointer::escape(&name);
        prop_assert!(!segment.contains('/'));
        prop_assert_eq!(Pointer::unescape(&segment).unwrap(), name.as_str());
    }
}

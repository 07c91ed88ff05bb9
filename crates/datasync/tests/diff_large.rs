//! Large and hostile documents: the diff stays exact, and its work stays bounded.

use std::time::{Duration, Instant};

use fastrand::Rng;
use proptest::prelude::*;
use quorate_datasync::{Change, DEPTH_MAX, ParsedDocument, depth, diff, overlay, to_patch};
use serde_json::{Value, json};

/// About how long the random documents are as text.
const BYTES: usize = 1 << 20;

/// The longest that one hostile comparison may take without optimisation. What is quadratic in these documents
/// takes minutes.
const TIME_MAX: Duration = Duration::from_secs(20);

fn scalar(random: &mut Rng) -> Value {
    match random.u8(0..5) {
        0 => json!(null),
        1 => json!(random.bool()),
        2 => json!(random.u16(0..50)),
        3 => json!(random.f64()),
        _ => json!((0..random.usize(0..20)).map(|_| random.alphanumeric()).collect::<String>()),
    }
}

fn container(random: &mut Rng, levels: usize) -> Value {
    let width = random.usize(0..12);
    if random.bool() {
        (0..width).map(|_| node(random, levels)).collect()
    } else {
        let names = ["a", "b", "id", "a/b", "~", "", "0", "name", "of the rack", "x", "-"];
        let members = (0..width).map(|at| (names[at % names.len()].to_owned(), node(random, levels)));
        Value::Object(members.collect())
    }
}

fn node(random: &mut Rng, levels: usize) -> Value {
    if levels == 0 || random.u8(0..3) == 0 { scalar(random) } else { container(random, levels - 1) }
}

/// A list of random documents, as long as a megabyte.
fn large(random: &mut Rng) -> Value {
    let (mut items, mut bytes) = (Vec::new(), 0);
    while bytes < BYTES {
        let item = container(random, 4);
        bytes += item.to_string().len() + 1;
        items.push(item);
    }
    json!({"items": items, "name": "large"})
}

/// Changes something somewhere below.
fn edit(value: &mut Value, random: &mut Rng) {
    match value {
        Value::Array(items) if items.is_empty() || random.u8(0..6) == 0 => {
            let at = random.usize(0..=items.len());
            items.insert(at, node(random, 2));
        }
        Value::Array(items) if random.u8(0..6) == 0 => drop(items.remove(random.usize(0..items.len()))),
        Value::Array(items) => {
            let at = random.usize(0..items.len());
            edit(&mut items[at], random);
        }
        Value::Object(members) if members.is_empty() || random.u8(0..6) == 0 => {
            members.insert(random.u8(..).to_string(), node(random, 1));
        }
        Value::Object(members) => {
            let at = random.usize(0..members.len());
            let name = members.keys().nth(at).cloned().expect("it is there");
            if random.u8(0..6) == 0 {
                members.remove(&name);
            } else {
                edit(&mut members[&name], random);
            }
        }
        scalar => *scalar = json!(random.u32(..)),
    }
}

fn patched(previous: &Value, changes: &[Change]) -> Value {
    let patch: json_patch::Patch = serde_json::from_value(to_patch(changes)).expect("it is a patch");
    let mut document = previous.clone();
    json_patch::patch(&mut document, &patch).expect("it applies");
    document
}

/// Compares both ways, checks the patches, and lets nothing take too long.
fn check(old: &Value, new: &Value) {
    let start = Instant::now();
    let (there, back) = (diff(old, new), diff(new, old));
    let mut stored = old.clone();
    overlay(&mut stored, old, new);
    let took = start.elapsed();
    assert!(took < TIME_MAX, "{took:?}");
    assert_eq!(stored, *new);
    check_digested(old, new, &there);
    // The judge takes one step at a time, which is not what is measured here.
    if there.len() < 10_000 {
        assert_eq!(patched(old, &there), *new);
        assert_eq!(patched(new, &back), *old);
    }
}

/// Compares with digests, which must not make a difference and not take too long either.
fn check_digested(old: &Value, new: &Value, changes: &[Change]) {
    let start = Instant::now();
    let (old, new) = (ParsedDocument::from(old.clone()), ParsedDocument::from(new.clone()));
    assert!(old.diff(&new) == changes, "digests make a difference");
    let took = start.elapsed();
    assert!(took < TIME_MAX, "{took:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_patch_of_a_megabyte_is_exact(seed: u64, edits in 0..1_500_usize) {
        let mut random = Rng::with_seed(seed);
        let old = large(&mut random);
        let mut new = old.clone();
        (0..edits).for_each(|_| edit(&mut new, &mut random));
        let changes = diff(&old, &new);
        prop_assert_eq!(changes.is_empty(), old == new);
        check_digested(&old, &new, &changes);
        prop_assert_eq!(patched(&old, &changes), new);
    }
}

#[test]
fn lists_in_which_everything_differs_are_bounded() {
    let list = |tag: &str| (0..100_000).map(|at| json!(format!("{tag}{at}"))).collect::<Value>();
    check(&list("a"), &list("b"));
    let records = |tag: &str| (0..20_000).map(|at| json!({"id": at, "tag": tag})).collect::<Value>();
    check(&records("a"), &records("b"));
}

#[test]
fn lists_of_few_values_that_repeat_are_bounded() {
    let repeated = |pattern: &[u32], times: usize| json!(pattern.repeat(times));
    check(&repeated(&[0], 100_000), &repeated(&[0], 99_000));
    check(&repeated(&[0, 1], 50_000), &repeated(&[1, 0], 50_000));
    check(&repeated(&[0, 1, 2], 30_000), &repeated(&[2, 1], 45_000));
    check(&repeated(&[0], 100_000), &json!([vec![0; 50_000], vec![1; 50_000]].concat()));
}

#[test]
fn a_list_that_was_shuffled_is_bounded() {
    let mut list: Vec<_> = (0..100_000).collect();
    let old = json!(list);
    Rng::with_seed(7).shuffle(&mut list);
    check(&old, &json!(list));
    list.sort_unstable();
    list.rotate_left(33_333);
    check(&old, &json!(list));
}

#[test]
fn a_deep_nest_with_much_beside_every_level_is_bounded() {
    // The difference is innermost, and what is equal lies before it and behind it on every level.
    let beside: Value = (0..300).map(|at| json!([at, "beside"])).collect();
    let nest = |innermost: Value, in_array: bool| {
        (1..DEPTH_MAX - 2).fold(innermost, |inner, _| match in_array {
            true => json!([beside, inner, beside]),
            false => json!({"a": beside, "m": inner, "z": beside}),
        })
    };
    for in_array in [true, false] {
        let (old, new) = (nest(json!(1), in_array), nest(json!(2), in_array));
        assert!(depth(&old) <= DEPTH_MAX);
        check(&old, &new);
        assert_eq!(diff(&old, &new).len(), 1);
    }
}

#[test]
fn a_deep_nest_that_grows_on_every_level_is_bounded() {
    let nest = |extra: bool| {
        (1..DEPTH_MAX).fold(json!([0]), |inner, level| match extra {
            true => json!([level, inner, {"n": level}]),
            false => json!([inner, {"n": level}]),
        })
    };
    check(&nest(false), &nest(true));
}

#[test]
fn an_object_in_which_every_other_member_was_replaced_is_exact() {
    let object = |of: usize| -> Value {
        let members =
            (0..50_000).filter(|at| at % 2 == 0 || at % 4 == of).map(|at| (format!("m{at}"), json!(at)));
        Value::Object(members.collect())
    };
    let (old, new) = (object(1), object(3));
    let changes = diff(&old, &new);
    assert_eq!(changes.len(), 25_000);
    check(&old, &new);
}

#[test]
fn many_lists_that_were_shuffled_are_bounded_together() {
    let list = |from: usize| (0..900).map(|at| at + from).collect::<Vec<_>>();
    let old: Vec<_> = (0..250).map(list).collect();
    let new: Vec<_> = old.iter().map(|list| list.iter().rev().copied().collect::<Vec<_>>()).collect();
    check(&json!(old), &json!(new));
    let named = |lists: &[Vec<usize>]| {
        let lists = lists.iter().enumerate().map(|(at, list)| (at.to_string(), json!(list)));
        Value::Object(lists.collect())
    };
    check(&named(&old), &named(&new));
}

#[test]
fn documents_of_nothing_but_brackets_are_bounded() {
    let nest = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let list = |item: &str| format!("[{}1]", format!("{item},").repeat(BYTES / item.len()));
    let members = |count: usize| -> String {
        (0..count).map(|at| format!("\"same\":[{at}],")).collect::<String>() + "\"same\":[1]"
    };
    let texts = [
        list(&nest(DEPTH_MAX - 1)),
        list("[]"),
        list("{}"),
        list("[1]"),
        list("{\"\":[[]]}"),
        format!("{{{}}}", members(60_000)),
        list(&format!("{{{}}}", members(3))),
    ];
    for text in texts {
        let start = Instant::now();
        let document = ParsedDocument::parse(text.as_bytes()).expect("it is a document");
        let took = start.elapsed();
        assert!(took < TIME_MAX, "{took:?}");
        let mut value = document.into_value();
        let old = value.clone();
        if let Value::Array(items) = &mut value {
            items[7] = json!("changed");
            items.remove(9);
        } else {
            value["same"][0] = json!("changed");
        }
        check_digested(&old, &value, &diff(&old, &value));
        check_digested(&old, &old, &[]);
    }
}

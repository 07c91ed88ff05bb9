//! `follow`: one process follows, others write.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Place, Running, finish};

/// Starts to follow and waits until the initial content was told.
fn follow(place: &Place, prefix: &str) -> (Running, Vec<Value>) {
    let follow = place.start(["follow", prefix, "--json"]);
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line: &Value| line["type"] != "batch_done") {
        lines.push(follow.json());
    }
    (follow, lines)
}

fn revision(place: &Place, key: &str) -> Value {
    place.json(["kv", "get", key, "--json"])["revision"].clone()
}

#[test]
fn what_is_there_is_new_then_synced_then_a_batch() {
    let place = Place::new();
    place.ok(["kv", "put", "/nodes/a", r#"{"n":1}"#]);
    place.ok(["kv", "put", "/nodes/b", "2"]);
    place.ok(["kv", "put", "/nodes-not", "3"]);
    let (_follow, lines) = follow(&place, "/nodes");
    let (a, b) = (revision(&place, "/nodes/a"), revision(&place, "/nodes/b"));
    assert_eq!(lines[0], json!({"type": "new", "key": "/nodes/a", "revision": a, "value": {"n": 1}}));
    assert_eq!(lines[1], json!({"type": "new", "key": "/nodes/b", "revision": b, "value": 2}));
    let revision = &lines[2]["revision"];
    assert_eq!(lines[2], json!({"type": "synced", "revision": revision}));
    assert_eq!(lines[3..], [json!({"type": "batch_done", "revision": revision})]);
}

#[test]
fn changes_are_told_with_what_was_before() {
    let place = Place::new();
    place.ok(["kv", "put", "/nodes/a", "1"]);
    let (follow, _) = follow(&place, "/nodes/");
    place.ok(["kv", "put", "/nodes/a", "2"]);
    let at = revision(&place, "/nodes/a");
    let updated = json!({"type": "updated", "key": "/nodes/a", "revision": at, "previous": 1, "value": 2});
    assert_eq!(follow.json(), updated);
    assert_eq!(follow.json(), json!({"type": "batch_done", "revision": at}));
    place.ok(["kv", "delete", "/nodes/a"]);
    let deleted = follow.json();
    let at = &deleted["revision"];
    assert_eq!(deleted, json!({"type": "deleted", "key": "/nodes/a", "revision": at, "previous": 2}));
    assert_eq!(follow.json(), json!({"type": "batch_done", "revision": at}));
}

#[test]
fn a_value_that_is_no_json_is_rejected_and_the_one_before_stays() {
    let place = Place::new();
    place.ok(["kv", "put", "/nodes/a", "1"]);
    let (follow, _) = follow(&place, "/nodes");
    place.ok(["kv", "put", "/nodes/a", "not json"]);
    let rejected = follow.json();
    assert_eq!((&rejected["type"], &rejected["key"]), (&json!("rejected"), &json!("/nodes/a")));
    assert!(rejected["error"].is_string() && rejected["revision"] == revision(&place, "/nodes/a"));
    follow.line();
    place.ok(["kv", "put", "/nodes/a", "3"]);
    assert_eq!(follow.json()["previous"], 1);
}

#[test]
fn equal_content_and_keys_elsewhere_tell_nothing() {
    let place = Place::new();
    place.ok(["kv", "put", "/nodes/a", r#"{"n":1,"m":2}"#]);
    let (follow, _) = follow(&place, "/nodes");
    place.ok(["kv", "put", "/nodes/a", r#"{"m": 2, "n": 1}"#]);
    place.ok(["kv", "put", "/nodes", "0"]);
    place.ok(["kv", "put", "/nodes/b", "123456789012345678901234567890"]);
    assert!(follow.line().ends_with("\"value\":123456789012345678901234567890}"));
}

#[test]
fn an_empty_prefix_is_followed_and_an_interrupt_ends_it_with_130() {
    let place = Place::new();
    let (mut follow, lines) = follow(&place, "/");
    assert_eq!(lines[0]["type"], "synced");
    follow.signal(Signal::INT);
    assert_eq!(follow.code(), 130);
}

#[test]
fn people_read_one_line_for_each_node() {
    let place = Place::new();
    place.ok(["kv", "put", "/nodes/a", r#"{"n":1}"#]);
    let follow = place.start(["follow", "/nodes"]);
    assert_eq!(follow.line(), r#"+ /nodes/a {"n":1}"#);
    assert!(follow.line().starts_with("= revision "));
    place.ok(["kv", "put", "/nodes/a", "2"]);
    place.ok(["kv", "delete", "/nodes/a"]);
    assert_eq!([follow.line(), follow.line()], [r#"~ /nodes/a {"n":1} -> 2"#, "- /nodes/a 2"]);
}

#[test]
fn a_bad_prefix_is_a_usage_error_and_a_store_that_is_not_there_times_out() {
    let place = Place::new();
    assert_eq!(place.run(["follow", "nodes"]).code, 2);
    let nowhere = Place::at("zk://127.0.0.1:1".into());
    assert_eq!(nowhere.run(["follow", "/nodes", "--timeout", "300ms"]).code, 5);
}

#[test]
fn following_ends_when_its_reader_went_away() {
    let place = Place::new();
    place.ok(["kv", "put", "/nodes/a", "1"]);
    let done = finish(&mut place.shell("\"$QUORATE_BIN\" follow /nodes --json | head -n 1"));
    assert_eq!((done.out.lines().count(), done.err.as_str()), (1, ""));
}

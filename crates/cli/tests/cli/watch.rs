//! `watch`: one process watches, others write.

use rustix::process::Signal;
use serde_json::json;

use crate::support::Place;

#[test]
fn changes_of_another_process_are_told_field_by_field() {
    let place = Place::new();
    place.ok(["set", "/a", r#"{"interval":5,"note":"x","processes":["a","b"]}"#]);
    let watch = place.start(["watch", "/a", "--json"]);
    let value = json!({"interval": 5, "note": "x", "processes": ["a", "b"]});
    let revision = place.revision("/a");
    assert_eq!(watch.json(), json!({"type": "snapshot", "revision": revision, "value": value}));
    place.ok(["set", "/a", r#"{"interval":10,"processes":["a","b","firefox*"]}"#]);
    let changes = json!([
        {"kind": "modified", "path": "/interval", "old": 5, "new": 10},
        {"kind": "removed", "path": "/note", "value": "x"},
        {"kind": "added", "path": "/processes/2", "value": "firefox*"},
    ]);
    let revision = place.revision("/a");
    let line = json!({"type": "changes", "revision": revision, "origin": "remote", "coalesced": false, "changes": changes});
    assert_eq!(watch.json(), line);
}

#[test]
fn until_ends_after_that_many_changes() {
    let place = Place::new();
    place.ok(["set", "/a", "0"]);
    let mut watch = place.start(["watch", "/a", "--json", "--until", "2"]);
    watch.line();
    place.ok(["set", "/a", "1"]);
    place.ok(["kv", "put", "/a/payload", "bad"]);
    place.ok(["set", "/a", "2"]);
    let types: Vec<_> = (0..3).map(|_| watch.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(types, ["changes", "rejected", "changes"]);
    assert!(watch.has_no_more());
    assert_eq!(watch.code(), 0);
}

#[test]
fn a_missing_struct_is_waited_for() {
    let place = Place::new();
    let watch = place.start(["watch", "/a", "--json"]);
    assert_eq!(watch.json(), json!({"type": "status", "status": "live"}));
    place.ok(["set", "/a", "1"]);
    assert_eq!(watch.json(), json!({"type": "snapshot", "revision": place.revision("/a"), "value": 1}));
    place.ok(["set", "/a", "2"]);
    assert_eq!(watch.json()["changes"], json!([{"kind": "modified", "path": "", "old": 1, "new": 2}]));
}

#[test]
fn a_deletion_is_told_and_a_recreation_is_an_addition() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let watch = place.watch("/a");
    place.ok(["delete", "/a"]);
    let deleted = watch.json();
    assert_eq!((&deleted["type"], deleted["revision"].is_u64()), (&json!("deleted"), true));
    place.ok(["set", "/a", "2"]);
    assert_eq!(watch.json()["changes"], json!([{"kind": "added", "path": "", "value": 2}]));
}

#[test]
fn a_bad_payload_is_told_and_survived() {
    let place = Place::new();
    let put = place.json(["kv", "put", "/a/payload", "not json", "--json"]);
    let watch = place.start(["watch", "/a", "--json"]);
    let rejected = watch.json();
    assert_eq!((&rejected["type"], &rejected["revision"]), (&json!("rejected"), &put["revision"]));
    assert!(rejected["error"].is_string());
    place.ok(["set", "/a", "1"]);
    let mut line = watch.json();
    while line["type"] == "status" {
        line = watch.json();
    }
    assert_eq!((&line["type"], &line["value"]), (&json!("snapshot"), &json!(1)));
}

#[test]
fn a_watcher_is_a_listener_before_its_snapshot_line() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let watches: Vec<_> = (0..3).map(|_| place.watch("/a")).collect();
    assert_eq!(place.ok(["listeners", "/a"]).lines().count(), watches.len());
}

#[test]
fn an_interrupt_ends_a_watch_with_130_and_its_presence_at_once() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let mut watch = place.watch("/a");
    watch.signal(Signal::INT);
    assert_eq!(watch.code(), 130);
    assert_eq!(place.ok(["kv", "list", "/a/listeners"]), "");
    let mut watch = place.watch("/a");
    watch.signal(Signal::TERM);
    assert_eq!(watch.code(), 143);
    let mut waiting = place.start(["watch", "/b", "--json"]);
    waiting.line();
    waiting.signal(Signal::INT);
    assert_eq!(waiting.code(), 130);
}

#[test]
fn a_watch_whose_reader_went_away_ends() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let both =
        "\"$QUORATE_BIN\" watch /a --json | head -n 1; \"$QUORATE_BIN\" kv watch /a/payload | head -n 1";
    let done = crate::support::finish(&mut place.shell(both));
    assert_eq!((done.out.lines().count(), done.err.as_str()), (2, ""));
    assert_eq!(place.ok(["listeners", "/a"]), "");
}

#[test]
fn people_read_one_line_for_each_change() {
    let place = Place::new();
    place.ok(["set", "/a", r#"{"n":1,"x":0}"#]);
    let watch = place.start(["watch", "/a"]);
    assert_eq!(watch.line(), format!("= revision {}", place.revision("/a")));
    assert_eq!(watch.line(), r#"{"n":1,"x":0}"#);
    place.ok(["set", "/a", r#"{"n":2,"new":[true]}"#]);
    assert_eq!([watch.line(), watch.line(), watch.line()], ["~ /n 1 -> 2", "- /x 0", "+ /new [true]"]);
}

#[test]
fn no_change_is_lost_between_the_snapshot_and_the_changes() {
    let place = Place::new();
    place.ok(["set", "/a", "0"]);
    let mut writer = place.start(["lock", "/a", "--", "sh", "-c", WRITER]);
    for _ in 0..5 {
        let watch = place.start(["watch", "/a", "--json"]);
        let first = watch.json();
        let mut value = first["value"].clone();
        for _ in 0..3 {
            let changes = watch.json()["changes"].clone();
            assert_eq!(changes[0]["old"], value);
            value = changes[0]["new"].clone();
        }
    }
    writer.signal(Signal::TERM);
    assert_eq!(writer.code(), 143);
}

/// Counts up through the lock that is held around it, until it is told to end.
const WRITER: &str = "n=1; while :; do \"$QUORATE_BIN\" set /a $n; n=$((n + 1)); done";

#[test]
fn numbers_of_any_size_are_told_as_they_are() {
    let place = Place::new();
    place.ok(["set", "/a", "123456789012345678901234567890"]);
    let watch = place.start(["watch", "/a", "--json"]);
    assert!(watch.line().ends_with("\"value\":123456789012345678901234567890}"));
    place.ok(["set", "/a", "0.10"]);
    assert!(watch.line().contains("\"old\":123456789012345678901234567890,\"new\":0.10}"));
}

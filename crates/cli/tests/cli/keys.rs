//! `kv`: raw keys and their bytes.

use serde_json::json;

use crate::support::Place;

#[test]
fn bytes_come_back_as_they_were_put() {
    let place = Place::new();
    let revision = place.json(["kv", "put", "/k", "hello", "--json"])["revision"].clone();
    assert_eq!(place.ok(["kv", "get", "/k"]), "hello");
    let line = json!({"key": "/k", "revision": revision, "value": "hello"});
    assert_eq!(place.json(["kv", "get", "/k", "--json"]), line);
    assert_eq!(place.run_with("two\nlines\n", ["kv", "put", "/k", "-"]).code, 0);
    assert_eq!(place.ok(["kv", "get", "/k"]), "two\nlines\n");
}

#[test]
fn bytes_that_are_no_text_are_shown_as_base64() {
    let place = Place::new();
    let file = place.dir.path().join("bytes");
    std::fs::write(&file, [0xff, 0x00, 0x10]).unwrap();
    place.ok(["kv", "put", "/k", &format!("@{}", file.display())]);
    assert_eq!(place.json(["kv", "get", "/k", "--json"])["value_base64"], "/wAQ");
    let raw = place.command(["kv", "get", "/k"]).output().unwrap();
    assert_eq!(raw.stdout, [0xff, 0x00, 0x10]);
}

#[test]
fn absent_keys_are_not_found_and_empty_values_are_refused() {
    let place = Place::new();
    assert_eq!(place.run(["kv", "get", "/k"]).code, 4);
    assert_eq!(place.run(["kv", "delete", "/k"]).code, 4);
    assert_eq!(place.run(["kv", "put", "/k", ""]).code, 2);
    assert_eq!(place.run(["kv", "put", "k", "v"]).code, 2);
    assert_eq!(place.run(["kv", "list", "/k"]).code, 0);
}

#[test]
fn revisions_guard_puts_and_deletes() {
    let place = Place::new();
    assert_eq!(place.run(["kv", "put", "/k", "v", "--if-revision", "1"]).code, 3);
    let first = place.json(["kv", "put", "/k", "v", "--if-revision", "0", "--json"])["revision"].to_string();
    assert_eq!(place.run(["kv", "put", "/k", "v", "--if-revision", "0"]).code, 3);
    place.ok(["kv", "put", "/k", "w", "--if-revision", &first]);
    assert_eq!(place.run(["kv", "put", "/k", "x", "--if-revision", &first]).code, 3);
    assert_eq!(place.run(["kv", "delete", "/k", "--if-revision", &first]).code, 3);
    place.ok(["kv", "delete", "/k"]);
}

#[test]
fn a_list_has_what_is_below_a_prefix() {
    let place = Place::new();
    for key in ["/a/x", "/a/y/z", "/ab"] {
        place.ok(["kv", "put", key, "v"]);
    }
    assert_eq!(place.ok(["kv", "list", "/a"]), "/a/x\n/a/y/z\n");
    assert_eq!(place.ok(["kv", "list", "/a/"]), "/a/x\n/a/y/z\n");
    assert_eq!(place.ok(["kv", "list", "/"]).lines().count(), 3);
    assert_eq!(place.ok(["kv", "list", "/a", "--json"]).lines().count(), 2);
    assert_eq!(place.run(["kv", "delete", "/a"]).code, 4);
}

#[test]
fn a_key_with_keys_below_it_is_not_deleted() {
    let place = Place::new();
    place.ok(["kv", "put", "/a", "v"]);
    place.ok(["kv", "put", "/a/x", "v"]);
    assert_eq!(place.run(["kv", "delete", "/a"]).code, 3);
}

#[test]
fn a_watched_prefix_tells_puts_and_deletes() {
    let place = Place::new();
    place.ok(["kv", "put", "/a/x", "1"]);
    let watch = place.start(["kv", "watch", "/a/", "--json"]);
    let line = watch.json();
    assert_eq!((&line["type"], &line["key"], &line["value"]), (&json!("put"), &json!("/a/x"), &json!("1")));
    place.ok(["kv", "put", "/a/y", "2"]);
    assert_eq!(watch.json()["key"], "/a/y");
    place.ok(["kv", "delete", "/a/x"]);
    let line = watch.json();
    assert_eq!((&line["type"], &line["key"]), (&json!("delete"), &json!("/a/x")));
    let one = place.start(["kv", "watch", "/a/y"]);
    assert_eq!(one.line(), "+ /a/y 2");
}

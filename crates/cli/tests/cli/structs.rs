//! `get`, `set`, `patch`, `delete`, `listeners`.

use serde_json::json;

use crate::support::Place;

#[test]
fn a_struct_is_set_and_printed() {
    let place = Place::new();
    assert_eq!(place.ok(["set", "/a", r#"{"n": 1}"#]), "");
    assert_eq!(place.ok(["get", "/a"]), "{\"n\":1}\n");
    let revision = place.revision("/a");
    assert_eq!(
        place.ok(["get", "/a", "--json"]),
        format!("{{\"revision\":{revision},\"value\":{{\"n\":1}}}}\n")
    );
    assert_eq!(place.ok(["get", "/a", "--consistent"]), "{\"n\":1}\n");
}

#[test]
fn a_part_is_printed_and_a_missing_one_is_not_found() {
    let place = Place::new();
    place.ok(["set", "/a", r#"{"l": ["x", {"y/z": null}]}"#]);
    assert_eq!(place.ok(["get", "/a", "--path", "/l/0"]), "\"x\"\n");
    assert_eq!(place.ok(["get", "/a", "--path", "/l/1/y~1z"]), "null\n");
    assert_eq!(place.json(["get", "/a", "--path", "/l/0", "--json"])["value"], "x");
    let missing = place.run(["get", "/a", "--path", "/l/2"]);
    assert_eq!((missing.code, missing.out.as_str()), (4, ""));
    assert_eq!(place.run(["get", "/a", "--path", "l"]).code, 2);
}

#[test]
fn a_missing_struct_is_not_found() {
    let place = Place::new();
    assert_eq!(place.run(["get", "/a"]).code, 4);
    assert_eq!(place.run(["patch", "/a", "[]"]).code, 4);
    assert_eq!(place.run(["delete", "/a"]).code, 4);
    assert_eq!(place.run(["listeners", "/a"]).code, 4);
    assert_eq!(place.run(["set", "/a", "1", "--path", "/n"]).code, 4);
    assert_eq!(place.run(["watch", "/a", "--wait=no"]).code, 4);
}

#[test]
fn bad_keys_and_bad_json_are_usage_errors() {
    let place = Place::new();
    for key in ["a", "/", "/a/", "/a//b", "/a/../b", ""] {
        assert_eq!(place.run(["get", key]).code, 2, "{key}");
    }
    assert_eq!(place.run(["set", "/a", "{"]).code, 2);
    assert_eq!(place.run(["set", "/a", ""]).code, 2);
    assert_eq!(place.run(["set", "/a", "@/nowhere/at/all"]).code, 2);
    assert_eq!(place.run(["get", &format!("/{}", "k".repeat(1020))]).code, 2);
    assert!(place.run(["get", "/a/../b"]).err.contains("relative segment"));
}

#[test]
fn the_value_comes_from_standard_input_or_a_file() {
    let place = Place::new();
    assert_eq!(place.run_with("[1]\n", ["set", "/a", "-"]).code, 0);
    assert_eq!(place.ok(["get", "/a"]), "[1]\n");
    let file = place.dir.path().join("value.json");
    std::fs::write(&file, "{\"from\": \"a file\"}\n").unwrap();
    place.ok(["set", "/a", &format!("@{}", file.display())]);
    assert_eq!(place.json(["get", "/a"]), json!({"from": "a file"}));
    assert_eq!(place.run_with("[1", ["set", "/a", "-"]).code, 2);
}

#[test]
fn the_same_content_keeps_its_revision() {
    let place = Place::new();
    let first = place.json(["set", "/a", "{\"n\":1}", "--json"]);
    assert_eq!(place.json(["set", "/a", "{ \"n\" : 1 }", "--json"]), first);
    let second = place.json(["set", "/a", "{\"n\":2}", "--json"]);
    assert!(second["revision"].as_u64() > first["revision"].as_u64());
}

#[test]
fn a_part_is_set_where_its_parent_exists() {
    let place = Place::new();
    place.ok(["set", "/a", r#"{"l":[1]}"#]);
    place.ok(["set", "/a", "-2", "--path", "/l/-"]);
    place.ok(["set", "/a", "0", "--path", "/l/0"]);
    place.ok(["set", "/a", "{}", "--path", "/m"]);
    assert_eq!(place.ok(["get", "/a"]), "{\"l\":[0,-2],\"m\":{}}\n");
    assert_eq!(place.run(["set", "/a", "1", "--path", "/x/y"]).code, 4);
    assert_eq!(place.run(["set", "/a", "1", "--path", "/l/7"]).code, 4);
}

#[test]
fn a_revision_that_does_not_match_is_a_conflict() {
    let place = Place::new();
    assert_eq!(place.run(["set", "/a", "1", "--if-revision", "5"]).code, 3);
    let made = place.json(["set", "/a", "1", "--if-revision", "0", "--json"])["revision"].to_string();
    assert_eq!(place.run(["set", "/a", "2", "--if-revision", "0"]).code, 3);
    place.ok(["set", "/a", "2", "--if-revision", &made]);
    assert_eq!(place.run(["set", "/a", "3", "--if-revision", &made]).code, 3);
    assert_eq!(place.run(["delete", "/a", "--if-revision", &made]).code, 3);
    assert_eq!(place.ok(["get", "/a"]), "2\n");
    let now = place.revision("/a").to_string();
    place.ok(["delete", "/a", "--if-revision", &now]);
}

#[test]
fn a_patch_is_applied_whole_or_not_at_all() {
    let place = Place::new();
    place.ok(["set", "/a", r#"{"n":1}"#]);
    let patch = r#"[{"op":"test","path":"/n","value":1},{"op":"add","path":"/m","value":2}]"#;
    let revision = place.json(["patch", "/a", patch, "--json"]);
    assert_eq!(revision, json!({"revision": place.revision("/a")}));
    let half = r#"[{"op":"remove","path":"/m"},{"op":"remove","path":"/m"}]"#;
    assert_eq!(place.run(["patch", "/a", half]).code, 1);
    let test = r#"[{"op":"remove","path":"/m"},{"op":"test","path":"/n","value":7}]"#;
    assert_eq!(place.run(["patch", "/a", test]).code, 3);
    for bad in
        ["{}", "[{\"op\":\"grow\",\"path\":\"/n\"}]", "[{\"op\":\"add\",\"path\":\"n\",\"value\":1}]", "["]
    {
        assert_eq!(place.run(["patch", "/a", bad]).code, 2, "{bad}");
    }
    assert_eq!(place.ok(["get", "/a"]), "{\"m\":2,\"n\":1}\n");
}

#[test]
fn a_payload_that_cannot_be_decoded_is_said_with_its_revision_and_can_be_replaced() {
    let place = Place::new();
    let put = place.json(["kv", "put", "/a/payload", "not json", "--json"]);
    let read = place.run(["get", "/a"]);
    assert_eq!((read.code, read.out.as_str()), (1, ""));
    assert!(read.err.contains(&format!("revision {}", put["revision"])), "{}", read.err);
    assert_eq!(place.run(["patch", "/a", "[]"]).code, 1);
    assert_eq!(place.run(["set", "/a", "1", "--path", "/n"]).code, 1);
    place.ok(["set", "/a", "{\"n\":1}"]);
    assert_eq!(place.ok(["get", "/a"]), "{\"n\":1}\n");
}

#[test]
fn numbers_of_any_size_survive_a_rewrite() {
    let place = Place::new();
    let numbers = "[123456789012345678901234567890,0.10,-1.5e-400]";
    place.ok(["set", "/a", &format!("{{\"big\":{numbers}}}")]);
    place.ok(["set", "/a", "1", "--path", "/n"]);
    place.ok(["patch", "/a", "[{\"op\":\"copy\",\"from\":\"/big\",\"path\":\"/copy\"}]"]);
    assert_eq!(place.ok(["get", "/a", "--path", "/copy"]), format!("{numbers}\n"));
}

#[test]
fn a_value_that_is_too_large_is_refused_with_both_sizes() {
    let place = Place::new();
    let limit = place.json(["doctor", "--json"])["capabilities"]["value_bytes_max"].as_u64().unwrap();
    let bytes = usize::try_from(limit).unwrap() + 1;
    let value = format!("\"{}\"", "x".repeat(bytes - 2));
    let done = place.run_with(&value, ["set", "/a", "-"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert!(done.err.contains(&limit.to_string()) && done.err.contains(&bytes.to_string()), "{}", done.err);
}

#[test]
fn a_document_that_is_nested_too_deeply_is_never_written() {
    let place = Place::new();
    let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
    place.ok(["set", "/a", &nested(128)]);
    assert_eq!(place.run(["set", "/a", &nested(129)]).code, 2);
    place.ok(["set", "/a", "[0]"]);
    assert_eq!(place.run(["set", "/a", &nested(128), "--path", "/0"]).code, 1);
    assert_eq!(place.ok(["get", "/a"]), "[0]\n");
}

#[test]
fn a_deleted_struct_leaves_no_keys() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    assert_eq!(place.ok(["delete", "/a"]), "");
    assert_eq!(place.run(["get", "/a"]).code, 4);
    assert_eq!(place.ok(["kv", "list", "/"]), "");
}

#[test]
fn listeners_are_those_who_watch_and_one_shot_commands_are_not() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    assert_eq!(place.ok(["listeners", "/a"]), "");
    let watch = place.watch("/a");
    let listener = place.json(["listeners", "/a", "--json"]);
    let id = listener["id"].as_str().unwrap();
    assert_eq!(id.len(), 26);
    assert_eq!(listener["process"], format!("quorate[{}]", watch.pid().as_raw_nonzero()));
    assert!(listener["host"].is_string() && listener["since"].as_str().unwrap().ends_with('Z'));
    assert!(place.ok(["listeners", "/a"]).starts_with(id));
    drop(watch);
    assert_eq!(place.ok(["listeners", "/a"]), "");
}

//! What is said when something fails: it names the place, and what can be done.

use quorate_zk_fake::FakeZooKeeper;
use tokio::runtime::Runtime;

use crate::support::{Place, finish};

#[test]
fn a_store_that_cannot_be_opened_is_named() {
    let place = Place::new();
    let file = place.dir.path().join("notes.txt");
    std::fs::write(&file, "these are notes, and no database at all").unwrap();
    let store = format!("sqlite:{}", file.display());
    let done = place.run(["--store", &store, "get", "/a"]);
    assert!(done.err.contains(&store), "{}", done.err);
}

#[test]
fn a_lock_that_others_hold_says_how_to_wait_longer() {
    let place = Place::new();
    let inner = r#"QUORATE_LOCK= "$QUORATE_BIN" --timeout 50ms lock /a -- true"#;
    let done = place.run(["lock", "/a", "--", "sh", "-c", inner]);
    assert_eq!(done.code, 5, "{}", done.err);
    assert!(done.err.contains("/a/write_lock") && done.err.contains("--timeout"), "{}", done.err);
}

#[test]
fn a_place_that_cannot_be_set_or_patched_is_said() {
    let place = Place::new();
    place.ok(["set", "/a", r#"{"l":[]}"#]);
    let set = place.run(["set", "/a", "1", "--path", "/l/7"]);
    assert_eq!(set.code, 4);
    assert!(set.err.contains("/l/7") && set.err.contains("/-"), "{}", set.err);
    let patch = place.run(["patch", "/a", r#"[{"op":"remove","path":"/nope"}]"#]);
    assert_eq!(patch.code, 1);
    assert!(patch.err.contains("\"/nope\": there is no such place"), "{}", patch.err);
}

#[test]
fn a_negative_revision_is_told_as_one() {
    let done = Place::new().run(["set", "/a", "1", "--if-revision", "-1"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("'-1' for '--if-revision"), "{}", done.err);
}

#[test]
fn a_struct_that_is_waited_for_is_named() {
    let place = Place::new();
    // The line that it is live comes after the words.
    let script = r#""$QUORATE_BIN" watch /b --until 0 | { read -r live; "$QUORATE_BIN" set /b 1; cat >&2; }"#;
    let done = finish(&mut place.shell(script));
    assert!(done.err.contains("there is no struct at /b yet"), "{}", done.err);
    assert!(done.err.contains("= revision"), "{}", done.err);
}

#[test]
fn whoever_said_not_who_they_are_is_told_how_to_when_refused() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(FakeZooKeeper::builder().start()).unwrap();
    let stranger = Place::at(format!("zk://{}/app", server.connect_string()));
    let login = stranger.dir.path().join("zk.login");
    std::fs::write(&login, "alice:secret").unwrap();
    let alice = format!("{}?auth=digest:@{}&acl=creator", stranger.url(), login.display());
    assert_eq!(stranger.run(["--store", &alice, "set", "/a", "1"]).code, 0);
    for args in [["get", "/a"], ["watch", "/a"], ["follow", "/a"]] {
        let done = stranger.run(args);
        assert_eq!(done.code, 1);
        assert!(done.err.contains("not allowed") && done.err.contains("auth="), "{}", done.err);
    }
}

//! `lock`: exit codes, fencing, signals, loss.

use rustix::process::Signal;
use serde_json::json;

use crate::support::Place;

#[test]
fn the_exit_code_is_that_of_the_command() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    assert_eq!(place.ok(["lock", "/a", "--", "echo", "hello"]), "hello\n");
    assert_eq!(place.run(["lock", "/a", "--", "sh", "-c", "exit 7"]).code, 7);
    assert_eq!(place.run(["lock", "/a", "--", "sh", "-c", "kill -9 $$"]).code, 137);
    assert_eq!(place.run(["lock", "/a", "--", "/nowhere/at/all"]).code, 127);
    assert_eq!(place.run(["lock", "/a", "--", "/etc/passwd"]).code, 126);
    assert_eq!(place.run(["lock", "/a"]).code, 2);
    assert_eq!(place.ok(["kv", "list", "/a/write_lock"]), "");
}

#[test]
fn the_command_is_told_the_lock_the_token_and_the_store() {
    let place = Place::new();
    let print = "echo $QUORATE_LOCK; echo $QUORATE_TOKEN; echo $QUORATE_STORE";
    let out = place.ok(["lock", "/a", "--", "sh", "-c", print]);
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].starts_with("/a/write_lock/"));
    assert!(lines[1].parse::<u64>().is_ok());
    assert_eq!(lines[2], place.url());
    let token = |out: String| out.trim().parse::<u64>().unwrap();
    let next = place.ok(["lock", "/a", "--", "sh", "-c", "echo $QUORATE_TOKEN"]);
    assert!(token(next) > token(lines[1].to_owned()));
}

#[test]
fn writes_inside_commit_through_the_lock() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    place.ok(["set", "/b", "1"]);
    let inside = r#"
        "$QUORATE_BIN" set /a '{"n":1}' &&
        "$QUORATE_BIN" patch /a '[{"op":"add","path":"/m","value":2}]' &&
        "$QUORATE_BIN" set /b 2 &&
        "$QUORATE_BIN" set /a '{}' --path /x"#;
    place.ok(["lock", "/a", "--", "sh", "-c", inside]);
    assert_eq!(place.json(["get", "/a"]), json!({"n": 1, "m": 2, "x": {}}));
    assert_eq!(place.ok(["get", "/b"]), "2\n");
    place.ok(["lock", "/a", "--", "sh", "-c", "\"$QUORATE_BIN\" delete /a"]);
    assert_eq!(place.run(["get", "/a"]).code, 4);
    place.ok(["lock", "/new", "--", "sh", "-c", "\"$QUORATE_BIN\" set /new 1 --if-revision 0"]);
    assert_eq!(place.ok(["get", "/new"]), "1\n");
}

#[test]
fn a_lock_that_others_hold_is_not_had_in_time() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let _holder = place.hold("/a");
    for args in [vec!["lock", "/a", "--", "true"], vec!["set", "/a", "2"], vec!["delete", "/a"]] {
        let args = [vec!["--timeout", "300ms"], args].concat();
        assert_eq!(crate::support::finish(&mut place.command(&args)).code, 5, "{args:?}");
    }
    assert_eq!(place.ok(["get", "/a"]), "1\n");
    assert_eq!(place.ok(["kv", "list", "/a/write_lock"]).lines().count(), 1);
}

#[test]
fn a_write_through_a_lock_that_is_gone_is_refused() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let gone = |token: &str| {
        let mut set = place.command(["set", "/a", "2"]);
        set.env("QUORATE_LOCK", "/a/write_lock/_c_x-lock-0000000000").env("QUORATE_TOKEN", token);
        crate::support::finish(&mut set)
    };
    let done = gone("3");
    assert_eq!(done.code, 1);
    assert!(done.err.contains("not held any more"), "{}", done.err);
    assert_eq!(gone("x").code, 2);
    assert_eq!(place.ok(["get", "/a"]), "1\n");
}

#[test]
fn a_command_whose_lock_is_lost_is_ended() {
    let place = Place::new();
    let script = "trap 'echo told; exit 0' TERM; echo $QUORATE_LOCK; while :; do sleep 0.05; done";
    let mut lock = place.start(["lock", "/a", "--", "sh", "-c", script]);
    let entry = lock.line();
    place.ok(["kv", "delete", &entry]);
    assert_eq!(lock.line(), "told");
    assert_eq!(lock.code(), 1);
}

#[test]
fn a_command_that_will_not_end_is_killed_with_its_group() {
    let place = Place::new();
    let script = "trap '' TERM; sh -c 'trap \"\" TERM; echo $QUORATE_LOCK; while :; do sleep 1; done' & wait";
    let mut lock = place.start(["lock", "/a", "--", "sh", "-c", script]);
    let entry = lock.line();
    place.ok(["kv", "delete", &entry]);
    assert_eq!(lock.code(), 1);
    // The pipe is closed only when nobody of the group is left.
    assert!(lock.has_no_more());
}

#[test]
fn signals_go_to_the_command() {
    let place = Place::new();
    let script = "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.05; done";
    let mut lock = place.start(["lock", "/a", "--", "sh", "-c", script]);
    assert_eq!(lock.line(), "ready");
    lock.signal(Signal::INT);
    assert_eq!(lock.line(), "interrupted");
    assert_eq!(lock.code(), 9);
    let mut lock = place.start(["lock", "/a", "--", "sh", "-c", "echo ready; sleep 100"]);
    lock.line();
    lock.signal(Signal::TERM);
    assert_eq!(lock.code(), 143);
    assert_eq!(place.ok(["kv", "list", "/a/write_lock"]), "");
}

#[test]
fn an_interrupt_while_waiting_for_the_lock_leaves_the_queue() {
    let place = Place::new();
    let _holder = place.hold("/a");
    let watch = place.start(["kv", "watch", "/a/write_lock/"]);
    watch.line();
    let mut waiting = place.start(["--timeout", "1m", "lock", "/a", "--", "true"]);
    let entered = watch.line();
    waiting.signal(Signal::INT);
    assert_eq!(waiting.code(), 130);
    assert!(entered.starts_with("+ "));
    assert_eq!(place.ok(["kv", "list", "/a/write_lock"]).lines().count(), 1);
}

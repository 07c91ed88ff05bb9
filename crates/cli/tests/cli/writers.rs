//! Many processes at once: no update is lost.

use serde_json::json;

use crate::support::Place;

/// How many processes write at once.
const WRITERS: usize = 8;

/// How often each of them writes.
const WRITES: usize = 10;

#[test]
fn appends_of_many_processes_are_all_there() {
    let place = Place::new();
    place.ok(["set", "/a", "[]"]);
    let append = format!(
        "for i in $(seq {WRITES}); do \"$QUORATE_BIN\" --timeout 1m set /a --path /- 1 || exit 1; done"
    );
    let writers: Vec<_> = (0..WRITERS).map(|_| place.shell(&append).spawn().unwrap()).collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_eq!(place.json(["get", "/a"]), json!(vec![1; WRITERS * WRITES]));
}

#[test]
fn increments_under_the_lock_are_all_counted() {
    let place = Place::new();
    place.ok(["set", "/n", "0"]);
    let once = "\"$QUORATE_BIN\" set /n $(($(\"$QUORATE_BIN\" get /n) + 1))";
    let many =
        "for i in $(seq 5); do \"$QUORATE_BIN\" --timeout 1m lock /n -- sh -c \"$ONCE\" || exit 1; done";
    let writers: Vec<_> = (0..4).map(|_| place.shell(many).env("ONCE", once).spawn().unwrap()).collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_eq!(place.ok(["get", "/n"]), "20\n");
}

#[test]
fn of_many_who_create_a_struct_one_does() {
    let place = Place::new();
    let set = |n: usize| place.command(["set", "/a", &n.to_string(), "--if-revision", "0"]).spawn().unwrap();
    let children: Vec<_> = (0..WRITERS).map(set).collect();
    let codes: Vec<_> = children.into_iter().map(|mut child| child.wait().unwrap().code()).collect();
    assert_eq!(codes.iter().filter(|&&code| code == Some(0)).count(), 1);
    assert!(codes.iter().all(|&code| code == Some(0) || code == Some(3)));
}

//! The program as a whole: options, help, the default store, pipes, unreachable stores.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::support::{Place, finish};

#[test]
fn help_and_version_are_data() {
    let place = Place::new();
    for args in [vec!["--help"], vec!["--version"], vec!["get", "--help"], vec!["help", "kv", "put"]] {
        let done = finish(&mut place.command(&args));
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{args:?}");
        assert!(!done.out.is_empty());
    }
    assert!(!place.ok(["--help"]).contains("terminal"));
    assert!(!finish(&mut place.command::<&str>([])).err.contains(", terminal"));
}

#[test]
fn what_is_not_understood_is_a_usage_error() {
    let place = Place::new();
    let table = [
        vec![],
        vec!["frobnicate"],
        vec!["get"],
        vec!["get", "/a", "--frobnicate"],
        vec!["--timeout", "10", "get", "/a"],
        vec!["--timeout", "0s", "get", "/a"],
        vec!["--store", "redis://h", "get", "/a"],
        vec!["--store", "sqlite:x?mode=ro", "get", "/a"],
        vec!["--store", "state.db", "get", "/a"],
    ];
    for args in table {
        let done = finish(&mut place.command(&args));
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{args:?}");
    }
    assert!(place.run(["--store", "redis://h", "get", "/a"]).err.contains("sqlite:PATH"));
}

#[test]
fn the_default_store_is_a_private_file_of_the_user() {
    let place = Place::new();
    let run = |args: &[&str]| {
        let mut command = place.command(args);
        finish(command.env_remove("QUORATE_STORE"))
    };
    assert_eq!(run(&["set", "/a", "1"]).code, 0);
    assert_eq!(run(&["get", "/a"]).out, "1\n");
    let file = place.dir.path().join(".local/share/quorate/quorate.db");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let data = place.dir.path().join("data");
    let mut elsewhere = place.command(["get", "/a"]);
    assert_eq!(finish(elsewhere.env("QUORATE_STORE", "").env("XDG_DATA_HOME", &data)).code, 4);
    assert!(data.join("quorate/quorate.db").exists());
}

#[test]
fn an_option_goes_before_the_environment() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let other = format!("sqlite:{}", place.dir.path().join("other.db").display());
    assert_eq!(place.run(["--store", &other, "get", "/a"]).code, 4);
    assert_eq!(place.run(["get", "/a", "--store", &place.url()]).code, 0);
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let place = Place::new();
    let file = place.dir.path().join("notes.txt");
    std::fs::write(&file, "these are notes, not a database, and they are long enough to be read").unwrap();
    let before = std::fs::read(&file).unwrap();
    let url = format!("sqlite:{}", file.display());
    let done = place.run(["--store", &url, "set", "/a", "1"]);
    assert_eq!(done.code, 1, "{}", done.err);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = finish(place.command(["get", "/a"]).stdout(writer));
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[test]
fn an_output_that_cannot_be_written_is_a_failure() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = finish(place.command(["get", "/a"]).stdout(Stdio::from(full)));
    assert_eq!(done.code, 1);
    assert!(done.err.contains("standard output"), "{}", done.err);
}

#[test]
fn the_doctor_names_the_store_and_leaves_nothing_behind() {
    let place = Place::new();
    let report = place.json(["doctor", "--json"]);
    assert_eq!(report["reached"], true);
    assert!(report["server"].as_str().unwrap().starts_with("SQLite"));
    assert!(report["latency_ms"]["commit"].as_f64().unwrap() > 0.0);
    assert_eq!(report["problems"], serde_json::json!([]));
    assert!(place.ok(["doctor"]).contains("problems          none"));
    assert_eq!(place.ok(["kv", "list", "/"]), "");
}

#[test]
fn words_about_the_inside_go_to_standard_error_when_asked_for() {
    let place = Place::new();
    place.ok(["set", "/a", "1"]);
    assert_eq!(place.run(["-vv", "get", "/a"]).out, "1\n");
}

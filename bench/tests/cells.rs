//! That every client does every work, and none is measured failing. How fast does not matter here.

use std::process::Command;

/// Runs each client and work once, for a moment, in one way. So many lines must come of it.
fn assert_lines(count: usize, way: &[&str]) {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_quorate-bench"));
    bench.args(["--json", "--no-counts", "--all", "--rounds", "1", "--warm-up", "0", "--measured", "100"]);
    let works = ["get-1", "get-128", "get-16k-128", "set-128", "create-delete-128", "multi-4"];
    for work in works.into_iter().chain(["watches-armed", "watches-fired"]) {
        bench.args(["--work", work]);
    }
    let output = bench.args(way).output().expect("the benchmark starts");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    // A client that fails is no line; the words say why.
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), count, "{words}");
}

/// Raw and four clients at eight works; one of them has no multi.
const CELLS: usize = 5 * 8 - 1;

#[test]
fn every_client_does_every_work_in_a_window() {
    assert_lines(CELLS, &["--mode", "window", "--threads", "current", "--cores", "apart"]);
}

#[test]
fn every_client_does_every_work_out_of_order() {
    // One request in flight is no work for this mode, but raw has no modes.
    assert_lines(CELLS - 4, &["--mode", "unordered", "--threads", "multi(2)", "--cores", "free"]);
}

#[test]
fn every_client_does_every_work_in_tasks() {
    // Watches are no work for this mode, but raw has no modes.
    assert_lines(CELLS - 8, &["--mode", "tasks", "--threads", "multi(2)", "--cores", "free"]);
}

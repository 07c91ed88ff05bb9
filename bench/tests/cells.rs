//! That every client does every work, and none is measured failing. How fast does not matter here.

use std::process::Command;

/// Each client and work once, for a moment, in one way.
fn lines(way: &[&str]) -> Vec<String> {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_quorate-bench"));
    bench.args(["--json", "--no-counts", "--all", "--rounds", "1", "--warm-up", "0", "--measured", "30"]);
    let works = ["get-1", "get-128", "get-16k-128", "set-128", "create-delete-128", "multi-4"];
    for work in works.into_iter().chain(["watches-armed", "watches-fired"]) {
        bench.args(["--work", work]);
    }
    let output = bench.args(way).output().expect("the benchmark starts");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Raw and four clients at eight works; one of them has no multi.
const CELLS: usize = 5 * 8 - 1;

#[test]
fn every_client_does_every_work_in_a_window() {
    let lines = lines(&["--mode", "window", "--threads", "current", "--cores", "apart"]);
    assert_eq!(lines.len(), CELLS, "{lines:#?}");
}

#[test]
fn every_client_does_every_work_out_of_order() {
    let lines = lines(&["--mode", "unordered", "--threads", "multi(2)", "--cores", "free"]);
    // One request in flight is no work for this mode, but raw has no modes.
    assert_eq!(lines.len(), CELLS - 4, "{lines:#?}");
}

#[test]
fn every_client_does_every_work_in_tasks() {
    let lines = lines(&["--mode", "tasks", "--threads", "multi(2)", "--cores", "free"]);
    // Watches are no work for this mode, but raw has no modes.
    assert_eq!(lines.len(), CELLS - 8, "{lines:#?}");
}

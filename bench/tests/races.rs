//! That every race is run to its end, and none of our own rows is empty. How fast does not matter here.

use std::process::Command;

/// The rows of a race, as lines of JSON.
fn rows(words: &[&str]) -> Vec<String> {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_quorate-bench"));
    let output = bench.args(words).arg("--json").output().expect("the benchmark starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Curator and kazoo may be missing where this runs, and then their rows say so.
fn assert_ours_are_measured(rows: &[String]) {
    for row in rows.iter().filter(|row| !row.contains("Curator") && !row.contains("kazoo")) {
        assert!(row.contains("\"note\":\"\""), "{row}");
    }
}

#[test]
fn every_way_to_share_in_a_process_is_read() {
    let rows = rows(&["reads", "--rounds", "1", "--warm-up", "1", "--measured", "5"]);
    assert_eq!(rows.len(), 7, "{rows:#?}");
    assert!(rows.iter().all(|row| !row.contains("null")), "{rows:#?}");
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn every_client_increments_and_no_increment_is_lost() {
    let rows = rows(&["updates", "--rounds", "1", "--warm-up", "50", "--measured", "100"]);
    // Three cases of four clients, and two of three: a document has no optimistic update. In one a bare one takes part,
    // and in two of one client it is also one that looks for answers.
    assert_eq!(rows.len(), 3 * 4 + 2 * 3 + 1 + 2, "{rows:#?}");
    assert_ours_are_measured(&rows);
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn every_client_loads_all_nodes_and_is_told_of_each_write() {
    let rows = rows(&["follow", "--quick"]);
    assert_eq!(rows.len(), 2 * 6, "{rows:#?}");
    assert_ours_are_measured(&rows);
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn every_way_to_write_is_told_to_another_process() {
    let rows = rows(&["delay", "--quick"]);
    assert_eq!(rows.len(), 5 + 3, "{rows:#?}");
    assert_ours_are_measured(&rows);
}

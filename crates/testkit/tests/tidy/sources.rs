//! How a source file is written.

use crate::assert_none;
use crate::tree::{File, rust, top};

/// Past this a file holds a second concept.
const FILE_LINES_MAX: usize = 600;

/// The Rust files of the project, but these: they must write down what they look for.
fn sources() -> Vec<File> {
    let mut files = rust("");
    files.retain(|file| !file.path.starts_with("crates/testkit/tests/tidy/"));
    files
}

#[test]
fn files_stay_short() {
    let long = |file: &File| file.path.contains("src/") && file.text.lines().count() > FILE_LINES_MAX;
    let found: Vec<_> = sources().iter().filter(|file| long(file)).map(|file| file.path.clone()).collect();
    assert_none(&found);
}

#[test]
fn a_module_with_children_is_a_folder_with_a_mod_file() {
    let twin = |file: &File| top().join(file.path.trim_end_matches(".rs")).is_dir();
    let found: Vec<_> = sources().iter().filter(|file| twin(file)).map(|file| file.path.clone()).collect();
    assert_none(&found);
}

#[test]
fn library_roots_hold_no_logic() {
    let logic = ["fn", "struct", "enum", "trait", "impl", "const", "static", "type", "macro_rules!"];
    let mut found = Vec::new();
    for file in sources().iter().filter(|file| file.name() == "lib.rs") {
        for (number, line) in file.code() {
            let line = line.trim_start_matches("pub ").trim_start_matches("async ");
            if line.split_whitespace().next().is_some_and(|word| logic.contains(&word)) {
                found.push(format!("{}:{number}: {line}", file.path));
            }
        }
    }
    assert_none(&found);
}

/// What is public all the same: its names are those of the root again, for programs without a runtime.
const TWIN: &str = "pub mod blocking;";

/// So every public item has one path: that of its crate's root. The testkit is nobody's interface.
#[test]
fn modules_of_libraries_are_private() {
    let mut found = Vec::new();
    let interface = |file: &&File| file.name() == "lib.rs" && !file.path.starts_with("crates/testkit/");
    for file in sources().iter().filter(interface) {
        let public = file.code().filter(|(_, line)| line.starts_with("pub mod ") && *line != TWIN);
        found.extend(public.map(|(number, line)| format!("{}:{number}: {line}", file.path)));
    }
    assert_none(&found);
}

#[test]
fn ignored_tests_say_what_they_need() {
    let mut found = Vec::new();
    for file in sources() {
        let ignored = file
            .code()
            .map(|(number, line)| (number, line.trim()))
            .filter(|(_, line)| line.starts_with("#[ignore"));
        let silent = ignored.filter(|(_, line)| !line.starts_with("#[ignore = \"needs "));
        found.extend(silent.map(|(number, line)| format!("{}:{number}: {line}", file.path)));
    }
    assert_none(&found);
}

#[test]
fn tests_are_named_as_claims() {
    let found: Vec<_> = sources().iter().flat_map(|file| file.code_with(&["fn test_"])).collect();
    assert_none(&found);
}

#[test]
fn lints_are_silenced_with_a_reason() {
    let found: Vec<_> =
        sources().iter().flat_map(|file| file.code_with(&["#[allow(", "#![allow("])).collect();
    assert_none(&found);
    let mut silent = Vec::new();
    for file in sources() {
        for (at, _) in file.text.match_indices("[expect(") {
            let attribute = file.text[at..].split(")]").next().unwrap_or_default();
            if !attribute.contains("reason = ") {
                silent.push(format!("{}: {attribute}", file.path));
            }
        }
    }
    assert_none(&silent);
}

#[test]
fn queues_have_limits() {
    let found: Vec<_> =
        sources().iter().flat_map(|file| file.code_with(&["unbounded_channel", "mpsc::unbounded"])).collect();
    assert_none(&found);
}

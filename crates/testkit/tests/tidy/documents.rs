//! What the project says in words.

use std::path::Path;

use crate::assert_none;
use crate::tree::{File, files, top};

/// Beginnings of paths that exist on one machine only. Split, so that this file does not contain them.
const MACHINE_PATHS: [&str; 3] = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];

#[test]
fn no_file_names_a_path_of_one_machine() {
    let here = top().display().to_string();
    let mut found = Vec::new();
    for file in files("") {
        for (number, line) in file.lines() {
            let foreign = MACHINE_PATHS.iter().any(|path| stands_in(line, path));
            if foreign || stands_in(line, &here) {
                found.push(format!("{}:{number}: {line}", file.path));
            }
        }
    }
    assert_none(&found);
}

/// Whether `path` begins somewhere in `line`, rather than going on a longer path.
fn stands_in(line: &str, path: &str) -> bool {
    let begins = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/".contains(c));
    line.match_indices(path).any(|(at, _)| begins(at))
}

#[test]
fn links_between_documents_resolve() {
    let mut found = Vec::new();
    for file in files("").iter().filter(|file| file.path.ends_with(".md")) {
        for link in links(file) {
            let folder = top().join(&file.path).parent().map(Path::to_owned).unwrap_or_default();
            let target = match link.strip_prefix('/') {
                Some(below_top) => top().join(below_top),
                None => folder.join(&link),
            };
            if !target.exists() {
                found.push(format!("{}: {link}", file.path));
            }
        }
    }
    assert_none(&found);
}

/// The links of a document to files, without those in code, and without the place within the file.
fn links(file: &File) -> Vec<String> {
    let mut links = Vec::new();
    let mut fenced = false;
    for line in file.text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second part stands between back-ticks.
        let prose: String = line.split('`').step_by(2).collect();
        for after in prose.split("](").skip(1) {
            let target = after.split([')', ' ']).next().unwrap_or_default();
            let path = target.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:") {
                links.push(path.to_owned());
            }
        }
    }
    links
}

#[test]
fn links_are_found_outside_code_only() {
    let text = "[a](a.md#part) `[b](b.md)` [c](https://c) [`d`](../d \"title\") [e](#e)\n```\n[f](f)\n```\n"
        .to_owned();
    assert_eq!(links(&File { path: String::new(), text }), ["a.md", "../d"]);
}

#[test]
fn machine_paths_are_told_from_longer_ones() {
    assert!(stands_in("see /x/y", "/x/"));
    assert!(stands_in("\"/x/y\"", "/x/"));
    assert!(!stands_in("a/x/y", "/x/"));
}

#[test]
fn the_licenses_are_there() {
    for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(top().join(license).exists(), "{license}");
    }
}

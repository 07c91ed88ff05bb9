//! How a Cargo.toml is written.

use std::collections::BTreeMap;

use crate::assert_none;
use crate::packages::workspace;
use crate::tree::{File, files};

/// The fields that the workspace decides.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "repository"];

/// A key of a manifest, the text of its value on that line, and whether an empty line stands before it.
struct Entry {
    key: String,
    value: String,
    begins_group: bool,
}

/// The keys of a manifest by section. Values over several lines are cut after the first.
fn sections(text: &str) -> BTreeMap<String, Vec<Entry>> {
    let mut sections = BTreeMap::<_, Vec<Entry>>::new();
    let mut section = String::new();
    let mut begins_group = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = name.to_owned();
        } else if let Some((key, value)) = line.split_once('=')
            && line.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '"')
        {
            let entry = Entry { key: key.trim().to_owned(), value: value.trim().to_owned(), begins_group };
            sections.entry(section.clone()).or_default().push(entry);
        }
        begins_group = line.is_empty();
    }
    sections
}

/// The manifests of the members.
fn members() -> Vec<File> {
    let folders: Vec<_> =
        workspace().into_iter().map(|package| format!("{}/Cargo.toml", package.folder)).collect();
    files("").into_iter().filter(|file| folders.contains(&file.path)).collect()
}

fn is_dependencies(section: &str) -> bool {
    section.ends_with("dependencies")
}

#[test]
fn dependencies_are_sorted() {
    let mut found = Vec::new();
    for file in files("").iter().filter(|file| file.name() == "Cargo.toml") {
        for (section, entries) in sections(&file.text).iter().filter(|(section, _)| is_dependencies(section))
        {
            for pair in entries.windows(2) {
                let [a, b] = pair else { continue };
                let names = (a.key.split('.').next(), b.key.split('.').next());
                if names.0 >= names.1 && !b.begins_group {
                    found.push(format!("{} [{section}]: {} stands after {}", file.path, b.key, a.key));
                }
            }
        }
    }
    assert_none(&found);
}

#[test]
fn members_inherit_from_the_workspace() {
    let mut found = Vec::new();
    for file in members() {
        let sections = sections(&file.text);
        let has = |section: &str, key: &str| {
            sections
                .get(section)
                .is_some_and(|entries| entries.iter().any(|e| e.key == key && e.value == "true"))
        };
        let missing = INHERITED.iter().filter(|key| !has("package", &format!("{key}.workspace")));
        found.extend(missing.map(|key| format!("{}: {key}.workspace = true", file.path)));
        if !has("lints", "workspace") {
            found.push(format!("{}: [lints] workspace = true", file.path));
        }
    }
    assert_none(&found);
}

/// A dependency by path alone is one that is never published.
#[test]
fn versions_stand_in_the_workspace_only() {
    let mut found = Vec::new();
    for file in members() {
        for (section, entries) in sections(&file.text).iter().filter(|(section, _)| is_dependencies(section))
        {
            for entry in entries {
                let inherited = entry.key.ends_with(".workspace") || entry.value.contains("workspace = true");
                let by_path = entry.value.contains("path = ") && !entry.value.contains("version = ");
                if !inherited && !by_path {
                    found.push(format!("{} [{section}]: {}", file.path, entry.key));
                }
            }
        }
    }
    assert_none(&found);
}

#[test]
fn foreign_dependencies_choose_their_features() {
    let root =
        files("").into_iter().find(|file| file.path == "Cargo.toml").expect("the workspace has a manifest");
    let sections = sections(&root.text);
    let dependencies = sections.get("workspace.dependencies").expect("versions stand there");
    let foreign = dependencies.iter().filter(|entry| !entry.value.contains("path = "));
    let silent = foreign.filter(|entry| !entry.value.contains("default-features = false"));
    assert_none(&silent.map(|entry| entry.key.clone()).collect::<Vec<_>>());
}

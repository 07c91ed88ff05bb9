//! What Cargo says of the workspace and of what it depends on.

use std::process::Command;

use serde_json::Value;

use crate::assert_none;
use crate::tree::top;

/// The sections in which a dependency can stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

/// A package of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder below the top.
    pub(crate) folder: String,
    pub(crate) published: bool,
    dependencies: Vec<(Kind, String)>,
    metadata: Value,
}

impl Package {
    pub(crate) fn dependencies(&self, kind: Kind) -> impl Iterator<Item = &String> {
        self.dependencies.iter().filter(move |(k, _)| *k == kind).map(|(_, name)| name)
    }

    pub(crate) fn all_dependencies(&self) -> impl Iterator<Item = &String> {
        self.dependencies.iter().map(|(_, name)| name)
    }
}

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .current_dir(top())
        .output()
        .expect("cargo ran this test, so it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn packages(metadata: &Value) -> &[Value] {
    metadata["packages"].as_array().expect("cargo lists packages")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The packages of the workspace.
pub(crate) fn workspace() -> Vec<Package> {
    let metadata = metadata(&["--no-deps"]);
    packages(&metadata).iter().map(parse).collect()
}

fn parse(package: &Value) -> Package {
    let manifest = text(&package["manifest_path"]);
    let below = manifest.strip_prefix(&format!("{}/", top().display())).expect("members lie below the top");
    let dependencies = package["dependencies"].as_array().expect("cargo lists dependencies");
    Package {
        name: text(&package["name"]),
        folder: below.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned(),
        // `null` means every registry, and an empty list none.
        published: package["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
        dependencies: dependencies.iter().map(|d| (kind(&d["kind"]), text(&d["name"]))).collect(),
        metadata: package.clone(),
    }
}

fn kind(value: &Value) -> Kind {
    match value.as_str() {
        Some("dev") => Kind::Dev,
        Some("build") => Kind::Build,
        _ => Kind::Normal,
    }
}

#[test]
fn every_published_crate_says_what_it_is() {
    let mut found = Vec::new();
    for package in workspace().iter().filter(|package| package.published) {
        for key in ["description", "license", "repository", "rust_version"] {
            if text(&package.metadata[key]).is_empty() {
                found.push(format!("{}: {key}", package.name));
            }
        }
    }
    assert_none(&found);
}

#[test]
fn tests_depend_on_the_testkit_without_its_version() {
    let mut found = Vec::new();
    for package in workspace() {
        for dependency in package.metadata["dependencies"].as_array().into_iter().flatten() {
            // With a version, publishing would look for it in the registry.
            if dependency["name"] == "quorate-testkit" && dependency["req"] != "*" {
                found.push(package.name.clone());
            }
        }
    }
    assert_none(&found);
}

/// `rust-version` is a promise, and a dependency that needs more breaks it.
#[test]
fn no_dependency_needs_a_newer_rust_than_we_promise() {
    let host = host();
    let metadata = metadata(&["--filter-platform", &host.0]);
    let (ours, others): (Vec<_>, Vec<_>) =
        packages(&metadata).iter().partition(|package| package["source"].is_null());
    let promised =
        ours.iter().map(|package| version(&text(&package["rust_version"]))).min().expect("there are members");
    let newer = others.iter().filter(|package| version(&text(&package["rust_version"])) > promised);
    assert_none(&newer.map(|p| format!("{} needs {}", p["name"], p["rust_version"])).collect::<Vec<_>>());
    assert!(host.1 >= promised, "this is Rust {:?}, and {promised:?} is promised", host.1);
}

/// The platform and the version of the compiler that Cargo uses.
fn host() -> (String, [u32; 3]) {
    let output = Command::new("rustc").arg("-vV").current_dir(top()).output().expect("rustc runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    let field = |name: &str| {
        printed.lines().find_map(|line| line.strip_prefix(name)).expect("rustc names itself").to_owned()
    };
    (field("host: "), version(&field("release: ")))
}

/// A version without what follows a `-`. What is not said is 0.
fn version(text: &str) -> [u32; 3] {
    let mut parts =
        text.split('-').next().unwrap_or_default().split('.').map(|part| part.parse().unwrap_or_default());
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

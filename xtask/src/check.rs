//! What needs nothing but Rust.

use std::fs;

use anyhow::Result;

use crate::run::{Run, cargo, root, run};

/// The quick half of CI.
pub(crate) fn all(steps: &mut Run) -> Result<()> {
    steps.step("formatting", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    steps.step("clippy", || {
        run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
    })?;
    steps.step("documentation", || {
        let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--all-features"]);
        run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    steps.step("tests, with doc tests", || {
        run(&mut cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]))
    })
}

/// Builds the facade without backends and with each one alone: the other steps have them all.
pub(crate) fn facade_features(steps: &mut Run) -> Result<()> {
    let manifest = root().join("crates/quorate/Cargo.toml");
    if !manifest.exists() {
        return Ok(());
    }
    let none = ["check", "--package", "quorate", "--no-default-features"];
    steps.step("the facade without backends", || run(&mut cargo(&none)))?;
    for feature in features(&fs::read_to_string(manifest)?) {
        steps.step(&format!("the facade with {feature} alone"), || {
            run(cargo(&none).args(["--features", &feature]))
        })?;
    }
    Ok(())
}

/// The features that a manifest declares, but the default.
fn features(manifest: &str) -> Vec<String> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[features]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric()))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim().to_owned())
        .filter(|name| name != "default")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_the_keys_of_their_section() {
        let manifest = "[package]\nname = \"x\"\n\n[features]\ndefault = [\"a\"]\n# why\na = [\n    \"dep:a\",\n]\n\
                        b = []\n\n[lints]\nworkspace = true\n";
        assert_eq!(features(manifest), ["a", "b"]);
        assert!(features("[package]\nname = \"x\"\n").is_empty());
    }
}

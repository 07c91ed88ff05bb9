//! The crates as they would be published.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::run::{Run, cargo, root, run};

/// Folders that hold crates, one each.
const CRATES: [&str; 3] = ["crates", "backends", "examples"];

/// Packs every crate to be published and builds each from its package, against the packages of the others.
pub(crate) fn all(steps: &mut Run) -> Result<()> {
    steps.step("packages", || {
        let mut package = cargo(&["package", "--workspace", "--allow-dirty", "--offline"]);
        for name in unpublished(&root())? {
            package.args(["--exclude", &name]);
        }
        run(&mut package)
    })
}

/// The names of the crates that say `publish = false`.
fn unpublished(top: &Path) -> Result<Vec<String>> {
    let mut manifests = vec![top.join("xtask/Cargo.toml")];
    for folder in CRATES {
        let Ok(entries) = fs::read_dir(top.join(folder)) else { continue };
        for entry in entries {
            manifests.push(entry?.path().join("Cargo.toml"));
        }
    }
    let mut names = Vec::new();
    for manifest in manifests.iter().filter(|path| path.exists()) {
        let text = fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
        if text.lines().any(|line| line == "publish = false") {
            names.push(name(&text).with_context(|| format!("{} names no package", manifest.display()))?);
        }
    }
    Ok(names)
}

fn name(manifest: &str) -> Option<String> {
    let value = manifest.lines().find_map(|line| line.strip_prefix("name = "))?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_crate_is_not_published() {
        assert!(unpublished(&root()).unwrap().contains(&"xtask".to_owned()));
    }
}

//! The crates as they would be published.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::run::{Run, cargo, root, run};

/// Folders that hold crates, one each.
const CRATES: [&str; 3] = ["crates", "backends", "examples"];

/// Packs every crate to be published and builds each from its package, against the packages of the others.
pub(crate) fn all(steps: &mut Run) -> Result<()> {
    steps.step("packages", || {
        let mut package = cargo(&["package", "--workspace", "--allow-dirty", "--offline"]);
        package.env("CARGO_HOME", fresh_home(&root())?);
        for name in unpublished(&root())? {
            package.args(["--exclude", &name]);
        }
        run(&mut package)
    })
}

/// A home for cargo that has unpacked nothing yet.
///
/// Cargo keeps what it unpacked by the path that it came from and the version. A second run at the same path would
/// build against the packages of the first. Everything else is that of the real home.
fn fresh_home(top: &Path) -> Result<PathBuf> {
    let real = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().context("there is no home directory")?.join(".cargo"),
    };
    let fresh = top.join("target/package-home");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| fresh.display().to_string())?;
    }
    fs::create_dir_all(fresh.join("registry")).with_context(|| fresh.display().to_string())?;
    for part in ["registry/index", "registry/cache", "config.toml", "credentials.toml"] {
        let from = real.join(part);
        if from.exists() {
            symlink(&from, fresh.join(part)).with_context(|| from.display().to_string())?;
        }
    }
    Ok(fresh)
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

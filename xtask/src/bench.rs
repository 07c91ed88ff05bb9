//! The clients side by side: a workspace of its own, so that what they depend on stays out of ours.

use anyhow::Result;

use crate::run::{Run, cargo, run};

const MANIFEST: [&str; 2] = ["--manifest-path", "bench/Cargo.toml"];

/// Fetches the crates of their lock file.
pub(crate) fn crates(steps: &mut Run) -> Result<()> {
    steps.step("crates of the benchmarks", || run(cargo(&["fetch", "--locked"]).args(MANIFEST)))
}

/// Runs the benchmarks, with what they are told. Their lock file follows the project's manifests.
pub(crate) fn all(steps: &mut Run, arguments: &[String]) -> Result<()> {
    steps.step("benchmarks", || {
        run(cargo(&["run", "--quiet", "--release"]).args(MANIFEST).arg("--").args(arguments))
    })
}

/// Keeps them from rotting: each is run for a moment, and nothing is measured. Servers must be there.
pub(crate) fn check(steps: &mut Run) -> Result<()> {
    steps.step("formatting of the benchmarks", || run(cargo(&["fmt"]).args(MANIFEST).arg("--check")))?;
    steps.step("clippy on the benchmarks", || {
        run(cargo(&["clippy", "--locked", "--all-targets"]).args(MANIFEST).args(["--", "-D", "warnings"]))
    })?;
    steps.step("tests of the benchmarks", || {
        run(cargo(&["test", "--locked"]).args(MANIFEST).args(["--", "--include-ignored"]))
    })
}

//! The tests that are ignored by default: against real servers, and with processes of their own.

use anyhow::Result;

use crate::run::{Run, cargo, run};

/// Runs every ignored test of the workspace. None is skipped: what a test needs and does not find is its failure.
pub(crate) fn all(steps: &mut Run) -> Result<()> {
    steps.step("tests against real servers", || {
        let ignored =
            ["test", "--workspace", "--all-features", "--tests", "--no-fail-fast", "--", "--ignored"];
        run(&mut cargo(&ignored))
    })
}

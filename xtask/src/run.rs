//! Steps one after the other, each announced, the first failure named.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

/// A run of steps.
#[derive(Debug)]
pub(crate) struct Run {
    started: Instant,
    steps: usize,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), steps: 0 }
    }

    /// Announces a step and does it.
    pub(crate) fn step(&mut self, name: &str, act: impl FnOnce() -> Result<()>) -> Result<()> {
        self.steps += 1;
        say(&format!("\n=== {} === {name}", self.clock()));
        act().with_context(|| format!("step {} failed: {name}", self.steps))
    }

    /// Prints the summary line.
    pub(crate) fn finish(&self, task: &str, done: Result<()>) -> ExitCode {
        match done {
            Ok(()) => {
                say(&format!("\n=== {} === {task}: all {} steps passed", self.clock(), self.steps));
                ExitCode::SUCCESS
            }
            Err(error) => {
                say(&format!("\n=== {} === {task}: FAILED, {error:#}", self.clock()));
                ExitCode::FAILURE
            }
        }
    }

    fn clock(&self) -> String {
        let seconds = self.started.elapsed().as_secs();
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    }
}

/// Prints a line between the lines of the tools that run here. They write to standard error, and so does this.
pub(crate) fn say(line: &str) {
    // If nobody can read the words, the exit code still speaks.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The top of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies below the top").to_owned()
}

/// A cargo command at the top of the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command whose output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    let status = command.status().with_context(|| format!("`{line}` does not start"))?;
    ensure!(status.success(), "`{line}` ended with {status}");
    Ok(())
}

/// Whether a command can be run and succeeds. What it prints is nobody's concern.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

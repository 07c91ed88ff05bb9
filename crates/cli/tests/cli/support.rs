//! A store in a temporary directory, and the program run on it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many lines of a child wait to be looked at.
const LINES_MAX: usize = 1024;

/// A fresh store.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    url: String,
}

/// What a finished program left.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A program that runs, and its lines.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("state.db").display());
        Self { dir, url }
    }

    /// A store that is somewhere else.
    pub(crate) fn at(url: String) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), url }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// The program with these arguments, on this store and in no other environment that it knows.
    pub(crate) fn command<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_quorate"));
        command.args(args);
        command
    }

    /// A shell script that finds the program as `$QUORATE_BIN`.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut command = self.program("sh");
        command.args(["-c", script]);
        command
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        for name in ["QUORATE_LOCK", "QUORATE_TOKEN", "XDG_DATA_HOME"] {
            command.env_remove(name);
        }
        command.env("QUORATE_BIN", env!("CARGO_BIN_EXE_quorate"));
        command.env("QUORATE_STORE", self.url()).env("HOME", self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run<const N: usize>(&self, args: [&str; N]) -> Done {
        finish(&mut self.command(args))
    }

    /// Runs with something on standard input.
    pub(crate) fn run_with<const N: usize>(&self, input: &str, args: [&str; N]) -> Done {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Done::of(child.wait_with_output().unwrap())
    }

    /// Runs what must succeed, and gives its output.
    pub(crate) fn ok<const N: usize>(&self, args: [&str; N]) -> String {
        let done = self.run(args);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{args:?}");
        done.out
    }

    /// Runs what must succeed, and gives its output as JSON.
    pub(crate) fn json<const N: usize>(&self, args: [&str; N]) -> Value {
        serde_json::from_str(&self.ok(args)).unwrap()
    }

    /// The revision of a struct.
    pub(crate) fn revision(&self, dir: &str) -> u64 {
        self.json(["get", dir, "--json"])["revision"].as_u64().unwrap()
    }

    pub(crate) fn start<const N: usize>(&self, args: [&str; N]) -> Running {
        Running::of(&mut self.command(args))
    }

    /// Starts a watch and waits for its snapshot.
    pub(crate) fn watch(&self, dir: &str) -> Running {
        let watch = self.start(["watch", dir, "--json"]);
        assert_eq!(watch.json()["type"], "snapshot");
        watch
    }

    /// Holds the lock of a struct until the result is dropped.
    pub(crate) fn hold(&self, dir: &str) -> Running {
        let mut lock = self.command(["lock", dir, "--", "sh", "-c", "echo held; read nothing"]);
        let held = Running::of(lock.stdin(Stdio::piped()));
        assert_eq!(held.line(), "held");
        held
    }
}

impl Done {
    fn of(output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Running {
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = sync_channel(LINES_MAX);
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines }
    }

    /// The next line.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line was expected")
    }

    /// The next line as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Whether there will be no more lines.
    pub(crate) fn has_no_more(&self) -> bool {
        self.lines.recv_timeout(PATIENCE).is_err()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// The exit code of a program that ends by itself.
    pub(crate) fn code(&mut self) -> i32 {
        self.status().code().unwrap_or(-1)
    }

    fn status(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the program does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn finish(command: &mut Command) -> Done {
    Done::of(command.output().unwrap())
}

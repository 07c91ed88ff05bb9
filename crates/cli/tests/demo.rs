//! Runs the real demo: it ends well, and however it ends it leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// What the demo promises to stay under.
const DEMO_TIME: Duration = Duration::from_secs(20);

/// A demo that runs in a temporary directory of its own.
struct Demo {
    temporary: TempDir,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Demo {
    fn start() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_quorate"))
            .arg("demo")
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { temporary, child, lines }
    }

    /// Reads on to the line that has these words in it.
    async fn says(&mut self, words: &str) -> String {
        let said = async {
            loop {
                let line = self.lines.next_line().await.unwrap().unwrap_or_else(|| panic!("no {words:?}"));
                if line.contains(words) {
                    return line;
                }
            }
        };
        tokio::time::timeout(DEMO_TIME, said).await.unwrap()
    }

    fn signal(&self, signal: Signal) {
        signal_to(&self.child.id().unwrap().to_string(), signal);
    }

    /// Waits for the end of the demo, and of every process it started: they all hold its standard error.
    async fn end(mut self) -> (ExitStatus, String, TempDir) {
        let ended = async {
            let mut errors = String::new();
            let mut stderr = self.child.stderr.take().unwrap();
            while self.lines.next_line().await.unwrap().is_some() {}
            stderr.read_to_string(&mut errors).await.unwrap();
            (self.child.wait().await.unwrap(), errors)
        };
        let (status, errors) = tokio::time::timeout(DEMO_TIME, ended).await.unwrap();
        (status, errors, self.temporary)
    }
}

fn signal_to(id: &str, signal: Signal) {
    kill_process(Pid::from_raw(id.parse().unwrap()).unwrap(), signal).unwrap();
}

#[track_caller]
fn assert_empty(directory: &TempDir) {
    let left: Vec<_> = directory.path().read_dir().unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_demo_tells_its_story_in_time_and_leaves_nothing() {
    let mut demo = Demo::start();
    for words in [
        "web-2    | added /processes/2 \"firefox*\"",
        "The consistent read saw the write",
        "from 0 to exactly 50",
        "later that its listener is gone",
        "web-1    | rejected: ",
        "recovered by itself",
        "Try it yourself",
    ] {
        demo.says(words).await;
    }
    let (status, errors, temporary) = demo.end().await;
    assert!(status.success(), "{errors}");
    assert_eq!(errors, "");
    assert_empty(&temporary);
}

#[tokio::test]
async fn ctrl_c_ends_it_with_130_and_leaves_nothing() {
    let mut demo = Demo::start();
    demo.says("web-1    | snapshot").await;
    demo.signal(Signal::INT);
    let (status, errors, temporary) = demo.end().await;
    assert_eq!(status.code(), Some(130), "{errors}");
    assert_empty(&temporary);
}

#[tokio::test]
async fn a_claim_that_does_not_hold_is_said_and_leaves_nothing() {
    let mut demo = Demo::start();
    let line = demo.says("processes of their own").await;
    let id = line.split_whitespace().find_map(|word| word.trim_end_matches(',').parse::<u32>().ok()).unwrap();
    demo.says("web-1    | snapshot").await;
    signal_to(&id.to_string(), Signal::KILL);
    let (status, errors, temporary) = demo.end().await;
    assert_eq!(status.code(), Some(1), "{errors}");
    assert!(errors.contains("web-1"), "{errors}");
    assert_empty(&temporary);
}

#[tokio::test]
async fn a_reader_who_leaves_ends_it_and_nothing_is_left() {
    let mut demo = Demo::start();
    demo.says("A store and a struct").await;
    let Demo { temporary, mut child, lines } = demo;
    drop(lines);
    let mut errors = String::new();
    let ended = async {
        child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
        child.wait().await.unwrap()
    };
    tokio::time::timeout(DEMO_TIME, ended).await.unwrap();
    assert_empty(&temporary);
}

#[tokio::test]
async fn the_agents_end_with_a_demo_that_is_killed() {
    let mut demo = Demo::start();
    demo.says("web-1    | snapshot").await;
    demo.signal(Signal::KILL);
    let (status, errors, _temporary) = demo.end().await;
    assert_eq!(status.code(), None, "{errors}");
}

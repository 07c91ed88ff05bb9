//! Another process: this test binary again, told by its environment what to do.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use quorate::Shared;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

pub(crate) const DIRECTORY: &str = "/counter";
/// Tells a child process which store to write to; without it the child's part is no test of its own.
const STORE: &str = "QUORATE_TEST_STORE";
const INCREMENTS: &str = "QUORATE_TEST_INCREMENTS";
/// Stands before the number that each increment made, among the lines of the test harness.
const MARK: &str = "counted:";
/// How long an increment may take before it counts as never.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Counter {
    pub(crate) n: u64,
}

/// A process that increments the counter, and says which number each increment made.
pub(crate) struct Writer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// The numbers that it said it made.
    pub(crate) counted: Vec<u64>,
}

impl Writer {
    pub(crate) fn start(url: &str, increments: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a test knows its own file"))
            .args(["--exact", "writer::increments_as_a_child_process", "--nocapture"])
            .env(STORE, url)
            .env(INCREMENTS, increments.to_string())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a writer starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe")).lines();
        Self { child, lines, counted: Vec::new() }
    }

    /// Waits until it has acknowledged so many increments, or has ended. Half a line, which a killed process may
    /// leave, is no acknowledgement.
    pub(crate) async fn wait_counted(&mut self, count: usize) {
        while self.counted.len() < count {
            let line = timeout(PATIENCE, self.lines.next_line()).await.expect("the writer goes on");
            let Some(line) = line.expect("its output is text") else { return };
            // The harness may have begun the line already.
            let number = line.split_once(MARK).and_then(|(_, number)| number.strip_suffix('.'));
            self.counted.extend(number.map(|number| number.parse::<u64>().expect("it counts in numbers")));
        }
    }

    /// Lets it finish, and waits for its end.
    pub(crate) async fn finish(mut self) -> Vec<u64> {
        self.wait_counted(usize::MAX).await;
        assert!(self.child.wait().await.expect("a writer ends").success());
        self.counted
    }

    /// Lets it acknowledge so many increments, kills it a moment later, and gives back all that it acknowledged.
    pub(crate) async fn finish_killed(mut self, after: usize) -> Vec<u64> {
        self.wait_counted(after).await;
        // What an increment takes, or a little longer: the moment may be anywhere in the next one.
        tokio::time::sleep(Duration::from_micros(fastrand::u64(0..5_000))).await;
        self.child.kill().await.expect("a child can be killed");
        // What was said before the end still counts.
        self.wait_counted(usize::MAX).await;
        self.counted
    }
}

fn told(name: &str) -> Option<String> {
    Some(std::env::var_os(name)?.into_string().expect("what a test says is text"))
}

/// One writer. It does nothing unless a test started it.
#[tokio::test]
async fn increments_as_a_child_process() {
    let (Some(url), Some(increments)) = (told(STORE), told(INCREMENTS)) else { return };
    let increments: usize = increments.parse().unwrap();
    let store = quorate::open(&url).await.unwrap();
    let counter = Shared::<Counter>::open(&store, DIRECTORY).unlisted().join().await.unwrap();
    for _ in 0..increments {
        let count = |counter: &mut Counter| {
            counter.n += 1;
            counter.n
        };
        let made = counter.update(count).await.unwrap().output;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{MARK}{made}.").unwrap();
        stdout.flush().unwrap();
    }
    store.close().await;
}

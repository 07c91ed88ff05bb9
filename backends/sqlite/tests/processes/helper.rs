//! Other processes: this test binary again, told by its environment what to do.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::pending;
use quorate_datasync::{Conflict, Key, Moment, Store, StoreExt, Txn};
use quorate_sqlite::Sqlite;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::{PATIENCE, key, number};

const ROLE: &str = "QUORATE_TEST_ROLE";
const FILE: &str = "QUORATE_TEST_FILE";

/// What each line of a helper begins with, among those of the test harness.
const MARK: &str = "helper:";

/// What another process does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// Adds one to a counter fifty times.
    Increment,
    /// Writes growing numbers and says which ones are committed, without end.
    Write,
    /// Holds a key under a lease.
    Hold,
    /// Writes the time, says how long the commit took, and waits for a word before the next.
    Stamp,
}

/// Another process.
pub(crate) struct Helper {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Helper {
    pub(crate) fn start(role: Role, file: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "helper::play", "--nocapture"])
            .env(ROLE, format!("{role:?}"))
            .env(FILE, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, lines }
    }

    /// The next line that the process says; `None` once it has ended.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            let line =
                timeout(PATIENCE, self.lines.next_line()).await.expect("the helper goes on").unwrap()?;
            // The harness may have begun the line already.
            if let Some((_, said)) = line.split_once(MARK) {
                return Some(said.to_owned());
            }
        }
    }

    pub(crate) async fn go_on(&mut self) {
        self.input.write_all(b".").await.unwrap();
    }

    /// Kills the process and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) async fn ended(&mut self) {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("the helper ends").unwrap();
        assert!(status.success());
    }
}

/// Says something that is not a failure.
#[expect(clippy::print_stderr, reason = "a measurement is for whoever runs the test by hand")]
pub(crate) fn report(line: &str) {
    eprintln!("{line}");
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{MARK}{line}").and_then(|()| out.flush()).unwrap();
}

/// What the other process runs. In the tests' own process it does nothing.
#[tokio::test]
async fn play() {
    let (Some(role), Some(file)) = (std::env::var_os(ROLE), std::env::var_os(FILE)) else { return };
    let store = Sqlite::open(Path::new(&file)).await.unwrap();
    match role.to_str().unwrap() {
        "Increment" => increment(&store).await,
        "Write" => write(&store).await,
        "Hold" => hold(&store).await,
        "Stamp" => stamp(&store).await,
        other => panic!("no role {other}"),
    }
    store.close().await;
}

async fn increment(store: &Sqlite) {
    let counter = key("/counter");
    let mut done = 0;
    while done < 50 {
        let entry = store.entry(&counter).await.unwrap().unwrap();
        let value: u64 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
        match store.put_at(&counter, (value + 1).to_string(), entry.version).await {
            Ok(_) => done += 1,
            Err(error) => assert_eq!(error.as_conflict(), Some(Conflict::Version), "{error:?}"),
        }
    }
    say("done");
}

async fn write(store: &Sqlite) {
    let (first, second): (Key, Key) = (key("/first"), key("/second"));
    let mut next = match store.entry(&first).await.unwrap() {
        Some(_) => number(store, "/first").await + 1,
        None => 0,
    };
    loop {
        let text = next.to_string();
        store.commit(Txn::new().put(&first, text.clone()).put(&second, text.clone())).await.unwrap();
        say(&text);
        next += 1;
    }
}

async fn hold(store: &Sqlite) {
    let lease = store.grant(Duration::from_secs(10)).await.unwrap();
    store.commit(Txn::new().put_under(&key("/held/key"), "", &lease.reference())).await.unwrap();
    say("held");
    pending::<()>().await;
}

async fn stamp(store: &Sqlite) {
    let (stamp, mut input) = (key("/stamp"), std::io::stdin());
    loop {
        let before = Moment::now();
        store.put(&stamp, before.as_nanos().to_string()).await.unwrap();
        say(&before.elapsed().as_nanos().to_string());
        // Nothing else runs in this process, so it may wait here.
        input.read_exact(&mut [0]).unwrap();
    }
}

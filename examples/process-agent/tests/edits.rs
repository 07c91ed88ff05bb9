//! Runs the agent and edits its list from outside.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use quorate::{Document, Key, Shared, Store};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long a line may take. It is there to end a test that hangs, not to measure.
const PATIENCE: Duration = Duration::from_secs(20);

const DIRECTORY: &str = "/agents/test";

/// The list as this outsider knows it. The fields that it does not know survive its edits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct List {
    processes: Vec<String>,
}

struct Agent {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    store: Arc<dyn Store>,
}

impl Agent {
    async fn start(directory: &Path) -> Self {
        let url = format!("sqlite:{}", directory.join("state.db").display());
        let mut child = Command::new(env!("CARGO_BIN_EXE_process-agent"))
            .args(["--store", &url, "--dir", DIRECTORY])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, store: quorate::open(&url).await.unwrap() }
    }

    async fn says(&mut self, line: &str) {
        let said = async {
            while let Some(said) = self.lines.next_line().await.unwrap() {
                if said.trim() == line {
                    return;
                }
            }
            panic!("the agent ended");
        };
        tokio::time::timeout(PATIENCE, said)
            .await
            .unwrap_or_else(|_| panic!("the agent did not say {line:?}"));
    }

    async fn add(&self, glob: &str) {
        let list = Shared::<List>::open(&self.store, DIRECTORY).unlisted().expect(PATIENCE).await.unwrap();
        list.update(|list| list.processes.push(glob.to_owned())).await.unwrap();
    }
}

/// Starts a process that sleeps under another name.
fn sleeper(directory: &Path, name: &str) -> Child {
    let path = directory.join(name);
    symlink("/bin/sleep", &path).unwrap();
    Command::new(path).arg0("sleep").arg("60").kill_on_drop(true).spawn().unwrap()
}

#[tokio::test]
async fn an_edit_from_outside_is_told_and_the_new_match_found_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let sleeper = sleeper(directory.path(), "quorate-nap");
    let mut agent = Agent::start(directory.path()).await;
    agent.says("the list is at /agents/test").await;
    agent.add("quorate-na*").await;
    agent.says("added /processes/2 \"quorate-na*\"").await;
    agent.says(&format!("quorate-na*: quorate-nap ({})", sleeper.id().unwrap())).await;
}

#[tokio::test]
async fn a_wrong_glob_does_not_end_the_agent() {
    let directory = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(directory.path()).await;
    agent.says("the list is at /agents/test").await;
    agent.add("[").await;
    agent.says("added /processes/2 \"[\"").await;
    agent.add("no-such-process").await;
    agent.says("no-such-process: nothing").await;
}

#[tokio::test]
async fn ctrl_c_takes_the_listener_away() {
    let directory = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(directory.path()).await;
    agent.says("the list is at /agents/test").await;
    let document = Document::below(&agent.store, Key::parse(DIRECTORY).unwrap()).unwrap();
    assert_eq!(document.listeners().await.unwrap().len(), 1);
    let id = i32::try_from(agent.child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::INT).unwrap();
    let status = tokio::time::timeout(PATIENCE, agent.child.wait()).await.unwrap().unwrap();
    assert!(status.success());
    assert_eq!(document.listeners().await.unwrap(), []);
}

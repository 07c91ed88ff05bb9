//! Runs the program and changes the nodes from outside.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use quorate::{Key, Store, StoreExt, Txn};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long a line may take. It is there to end a test that hangs, not to measure.
const PATIENCE: Duration = Duration::from_secs(20);

struct Place {
    folder: TempDir,
    store: Arc<dyn Store>,
}

struct Program {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = quorate::open(&url(&folder)).await.unwrap();
        Self { folder, store }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("hosts")
    }

    /// The lines of the file that name addresses.
    fn hosts(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.file()).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.replace('\t', " ")).collect()
    }

    async fn put(&self, name: &str, value: &str) {
        self.store.put(&key(name), value.to_owned()).await.unwrap();
    }

    fn start(&self) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hosts-file"))
            .args(["--store", &url(&self.folder), "--file", self.file().to_str().unwrap()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Program { _child: child, lines }
    }
}

impl Program {
    /// Waits for a line that begins like this.
    async fn says(&mut self, begin: &str) {
        let said = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.starts_with(begin) {
                    return;
                }
            }
            panic!("the program ended");
        };
        tokio::time::timeout(PATIENCE, said).await.unwrap_or_else(|_| panic!("it did not say {begin:?}"));
    }
}

fn url(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("state.db").display())
}

fn key(name: &str) -> Key {
    Key::parse(&format!("/nodes/{name}")).unwrap()
}

#[tokio::test]
async fn the_file_follows_the_nodes_and_keeps_the_lines_of_others() {
    let place = Place::new().await;
    std::fs::write(place.file(), "127.0.0.1 localhost\n").unwrap();
    place.put("web1", r#"{"address":"10.0.0.1","cores":8}"#).await;
    place.put("web2", r#"{"address":"fd00::2"}"#).await;
    let mut program = place.start();
    program.says("2 nodes").await;
    assert_eq!(place.hosts(), ["127.0.0.1 localhost", "10.0.0.1 web1", "fd00::2 web2"]);
    // The address moves to another node in one commit.
    let txn = Txn::new().put(&key("web3"), r#"{"address":"10.0.0.1"}"#).delete(&key("web1"));
    place.store.commit(txn).await.unwrap();
    program.says("2 nodes").await;
    assert_eq!(place.hosts(), ["127.0.0.1 localhost", "fd00::2 web2", "10.0.0.1 web3"]);
}

#[tokio::test]
async fn a_node_that_cannot_be_read_keeps_its_last_address() {
    let place = Place::new().await;
    place.put("web1", r#"{"address":"10.0.0.1"}"#).await;
    let mut program = place.start();
    program.says("1 nodes").await;
    place.put("web1", r#"{"address":"nowhere"}"#).await;
    program.says("/nodes/web1 is rejected").await;
    program.says("1 nodes").await;
    assert_eq!(place.hosts(), ["10.0.0.1 web1"]);
    place.put("web1", r#"{"address":"10.0.0.2"}"#).await;
    program.says("1 nodes").await;
    assert_eq!(place.hosts(), ["10.0.0.2 web1"]);
}

#[tokio::test]
async fn what_was_deleted_while_the_program_was_down_is_gone_once_it_is_back() {
    let place = Place::new().await;
    place.put("web1", r#"{"address":"10.0.0.1"}"#).await;
    let mut program = place.start();
    program.says("1 nodes").await;
    drop(program);
    place.store.delete(&key("web1")).await.unwrap();
    place.start().says("0 nodes").await;
    assert!(place.hosts().is_empty());
}

#[tokio::test]
async fn a_name_that_would_be_a_line_of_its_own_is_not_written() {
    let place = Place::new().await;
    place.put("evil 127.0.0.1", r#"{"address":"10.0.0.1"}"#).await;
    place.start().says("0 nodes").await;
    assert!(place.hosts().is_empty());
}

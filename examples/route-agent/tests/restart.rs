//! Runs the agent, changes its configuration from outside, and takes its store away for a while.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use quorate::{Publisher, Store};
use quorate_zk_fake::FakeZooKeeper;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long a line may take. It is there to end a test that hangs, not to measure.
const PATIENCE: Duration = Duration::from_secs(30);

struct Agent {
    lines: Lines<BufReader<ChildStdout>>,
    publisher: Publisher,
    _store: Arc<dyn Store>,
    _child: Child,
}

impl Agent {
    async fn start(url: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_route-agent"))
            .args(["--store", url])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let store = quorate::open(url).await.unwrap();
        Self { lines, publisher: Publisher::new(&store), _store: store, _child: child }
    }

    async fn says(&mut self, line: &str) {
        let said = async {
            while let Some(said) = self.lines.next_line().await.unwrap() {
                if said == line {
                    return;
                }
            }
            panic!("the agent ended");
        };
        tokio::time::timeout(PATIENCE, said)
            .await
            .unwrap_or_else(|_| panic!("the agent did not say {line:?}"));
    }

    async fn interface(&self, name: &str, address: &str) {
        let key = format!("/config/if/{name}");
        self.publisher.put(key.as_str(), &json!({ "address": address })).await.unwrap();
    }

    async fn route(&self, name: &str, via: &str) {
        let key = format!("/config/route/{name}");
        self.publisher.put(key.as_str(), &json!({ "via": via })).await.unwrap();
    }
}

#[tokio::test]
async fn a_route_that_comes_before_its_interface_is_configured_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::start(&format!("sqlite:{}", folder.path().join("state.db").display())).await;
    agent.says("ready").await;
    agent.route("10.1.0.0", "eth0").await;
    agent.interface("eth0", "10.0.0.1/24").await;
    agent.says("+ interface eth0 10.0.0.1/24").await;
    agent.says("+ route 10.1.0.0 via eth0").await;
}

#[tokio::test]
async fn the_agent_survives_a_restart_of_its_store_and_applies_only_the_difference() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut agent = Agent::start(&format!("zk://{}?session_timeout=4s", server.connect_string())).await;
    agent.says("ready").await;
    agent.interface("eth0", "10.0.0.1/24").await;
    agent.says("+ interface eth0 10.0.0.1/24").await;
    agent.route("10.1.0.0", "eth0").await;
    agent.says("+ route 10.1.0.0 via eth0").await;
    server.stop_listening().await.unwrap();
    server.drop_connections();
    server.expire_all();
    server.delete_raw("/config/route/10.1.0.0").unwrap();
    server.set_raw("/config/if/eth0", r#"{"address":"10.0.0.2/24"}"#).unwrap();
    server.listen_again().await.unwrap();
    agent.says("+ interface eth0 10.0.0.2/24").await;
    agent.says("- route 10.1.0.0").await;
    let is_back = server.wait_until(|server| server.node("/status/route-agent").is_some());
    tokio::time::timeout(PATIENCE, is_back).await.expect("the status comes back");
}

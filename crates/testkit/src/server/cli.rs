//! ZooKeeper's own command line: a client that knows nothing of us.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::time::timeout;

use super::install;

/// Starting Java, one session and one command. A server that never answers ends it.
const COMMAND_MAX: Duration = Duration::from_secs(30);

/// What the command line says of itself before and between the answers.
const CHATTER: [&str; 3] = ["WATCHER::", "WatchedEvent state:SyncConnected type:None path:null", ""];

/// What ZooKeeper's command line printed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CliOutput {
    /// Whether the command succeeded.
    pub success: bool,
    /// The lines it printed, without empty ones and without those about its own connection.
    pub lines: Vec<String>,
    /// What it printed on standard error: where it failed, the reason.
    pub errors: String,
}

/// Runs one command of ZooKeeper's own command line against the server at `addr`, for example
/// `["get", "-s", "/a"]`.
///
/// A command that fails is an output with `success` unset, not a panic.
///
/// # Panics
///
/// If Java or ZooKeeper is not installed, or the command does not end within thirty seconds.
///
/// # Cancel safety
///
/// Dropping the future kills the command, which may have been carried out.
pub async fn zk_cli(addr: SocketAddr, args: &[&str]) -> CliOutput {
    let mut command = install::java();
    command
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=off")
        .args(["org.apache.zookeeper.ZooKeeperMain", "-server", &addr.to_string()])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = timeout(COMMAND_MAX, install::spawn(&mut command).wait_with_output())
        .await
        .unwrap_or_else(|_| panic!("zkCli {args:?} did not end within {COMMAND_MAX:?}"))
        .expect("the output of a child can be read");
    CliOutput {
        success: output.status.success(),
        lines: answers(&String::from_utf8_lossy(&output.stdout)),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn answers(printed: &str) -> Vec<String> {
    printed
        .lines()
        .filter(|line| !CHATTER.contains(line) && !line.starts_with("Connecting to "))
        .map(str::to_owned)
        .collect()
}

//! ZooKeeper's own command line: a client that knows nothing of us.

use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;

use super::config::{DIGEST_ALLOWED, jaas};
use super::install;
use super::tls::{TestCa, TestCert, TlsFiles};

/// Starting Java, one session and one command. A server that never answers ends it.
const COMMAND_MAX: Duration = Duration::from_secs(30);

/// How the lines begin that the command line prints about its own connection, between the answers.
const CHATTER: [&str; 3] = ["Connecting to ", "WATCHER::", "WatchedEvent state:"];

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
    ZkCli::new(addr).run(args).await
}

/// ZooKeeper's own command line with credentials. Where none are needed [`zk_cli`] is enough.
#[derive(Debug)]
#[must_use]
pub struct ZkCli {
    addr: SocketAddr,
    sasl: Option<(String, String)>,
    tls: Option<TlsFiles>,
}

impl ZkCli {
    /// Speaks to the server at `addr`, which must be the secure one if TLS is to be spoken.
    pub const fn new(addr: SocketAddr) -> Self {
        Self { addr, sasl: None, tls: None }
    }

    /// Authenticates by SASL (DIGEST-MD5) as this user.
    pub fn sasl(mut self, user: &str, password: &str) -> Self {
        self.sasl = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Speaks TLS, shows this certificate if it is asked for one, and trusts servers of this authority.
    pub fn tls(mut self, cert: &TestCert, trusted: &TestCa) -> Self {
        self.tls = Some(TlsFiles::new(cert, trusted));
        self
    }

    /// Runs one command, as [`zk_cli`] does.
    ///
    /// # Panics
    ///
    /// As [`zk_cli`].
    ///
    /// # Cancel safety
    ///
    /// As for [`zk_cli`].
    pub async fn run(&self, args: &[&str]) -> CliOutput {
        let dir = TempDir::with_prefix("zkcli-").expect("a temporary folder can be made");
        let mut command = install::java();
        command
            .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=off")
            .args(self.java_flags(&dir))
            .args(["org.apache.zookeeper.ZooKeeperMain", "-server", &self.addr.to_string()])
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

    fn java_flags(&self, dir: &TempDir) -> Vec<String> {
        let mut flags = Vec::new();
        if let Some((user, password)) = &self.sasl {
            let login = dir.path().join("jaas.conf");
            let entries = [("username".to_owned(), user), ("password".to_owned(), password)];
            fs::write(&login, jaas("Client", entries.into_iter()))
                .expect("the temporary folder takes a file");
            flags.push(format!("-Djava.security.auth.login.config={}", login.display()));
            flags.push(DIGEST_ALLOWED.to_owned());
        }
        if let Some(tls) = &self.tls {
            let (key_store, trust_store) = tls.write(dir.path());
            flags.extend([
                "-Dzookeeper.client.secure=true".to_owned(),
                "-Dzookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty".to_owned(),
                format!("-Dzookeeper.ssl.keyStore.location={}", key_store.display()),
                format!("-Dzookeeper.ssl.trustStore.location={}", trust_store.display()),
            ]);
        }
        flags
    }
}

fn answers(printed: &str) -> Vec<String> {
    printed
        .lines()
        .filter(|line| !line.is_empty() && !CHATTER.iter().any(|start| line.starts_with(start)))
        .map(str::to_owned)
        .collect()
}

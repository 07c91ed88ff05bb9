//! One server process: started, watched until it serves, stopped and signalled by its pid.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout_at};

use super::config::Place;
use super::install;
use super::options::ServerOptions;
use super::tls::TlsFiles;
use super::zookeeper::four_letter;

/// A server alone takes half a second. An ensemble on a busy machine may need several elections.
const START_MAX: Duration = Duration::from_secs(60);
/// How often a starting server is asked whether it serves yet. It tells nobody by itself.
const ASK_EVERY: Duration = Duration::from_millis(25);

/// What a member without a quorum calls itself, if it serves at all.
const READ_ONLY: &str = "read-only";

/// Why a server did not come up.
#[derive(Debug)]
pub(super) enum StartError {
    /// Somebody else has one of its ports.
    PortTaken,
    /// Anything else, with what the server logged.
    Failed(String),
}

/// A server's folder and ports, and its process while it runs.
#[derive(Debug)]
pub(super) struct Process {
    place: Place,
    options: ServerOptions,
    child: Option<Child>,
}

impl Process {
    /// Writes the configuration of a server. `peers` is empty, or the lines of all members of its ensemble.
    pub(super) fn new(place: Place, options: &ServerOptions, peers: &[String]) -> Self {
        place.write(options, peers);
        Self { place, options: options.clone(), child: None }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.place.port).into()
    }

    pub(super) fn secure_addr(&self) -> Option<SocketAddr> {
        self.place.secure_port.map(|port| (Ipv4Addr::LOCALHOST, port).into())
    }

    pub(super) fn server_line(&self) -> String {
        self.place.server_line()
    }

    /// Replaces the stores, which the server reads when it starts.
    pub(super) fn replace_tls(&mut self, files: TlsFiles) {
        files.write(&self.place.dir);
        self.options.tls = Some(files);
    }

    /// Starts the process, which does not serve yet. The log of an earlier run is replaced.
    pub(super) fn launch(&mut self) {
        assert!(self.child.is_none(), "the server on {} runs already", self.addr());
        let log = File::create(self.place.log()).expect("the temporary folder takes a file");
        let errors = log.try_clone().expect("a file handle can be duplicated");
        let mut command = install::java();
        command
            .args(self.place.java_flags(&self.options))
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(self.place.config())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        self.child = Some(install::spawn(&mut command));
    }

    /// Waits until the server serves reads and writes. A member of an ensemble does once it has a quorum.
    pub(super) async fn wait_serving(&mut self) -> Result<(), StartError> {
        self.wait_mode(|mode| mode != READ_ONLY).await
    }

    /// Waits until the server serves reads alone.
    pub(super) async fn wait_read_only(&mut self) -> Result<(), StartError> {
        self.wait_mode(|mode| mode == READ_ONLY).await
    }

    async fn wait_mode(&mut self, wanted: impl Fn(&str) -> bool) -> Result<(), StartError> {
        let deadline = Instant::now() + START_MAX;
        loop {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten()) {
                self.child = None;
                let log = fs::read_to_string(self.place.log()).unwrap_or_default();
                if log.contains("BindException") || log.contains("Address already in use") {
                    return Err(StartError::PortTaken);
                }
                return Err(StartError::Failed(format!("it ended with {status}:\n{log}")));
            }
            if timeout_at(deadline, self.serves(&wanted)).await.unwrap_or(false) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let log = fs::read_to_string(self.place.log()).unwrap_or_default();
                return Err(StartError::Failed(format!("it does not serve after {START_MAX:?}:\n{log}")));
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// Kills the process and waits for its end. Nothing is flushed or said to clients.
    pub(super) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.expect("a child of this process can be killed");
        }
    }

    /// Stops the process where it is. When this returns no thread of it runs. Does nothing if it does not run.
    pub(super) fn pause(&self) {
        if let Some(pid) = self.pid() {
            kill_process(pid, Signal::STOP).expect("a child of this process can be signalled");
            wait_for(pid, WaitIdOptions::STOPPED | WaitIdOptions::EXITED);
        }
    }

    /// Lets a paused process go on. Does nothing if it does not run.
    pub(super) fn resume(&self) {
        if let Some(pid) = self.pid() {
            kill_process(pid, Signal::CONT).expect("a child of this process can be signalled");
        }
    }

    fn pid(&self) -> Option<Pid> {
        let id = self.child.as_ref()?.id()?;
        Pid::from_raw(i32::try_from(id).ok()?)
    }

    /// Whether this very server answers as one that serves in this mode. Its data folder is compared, because another
    /// server may have taken the port a moment before this one tried to.
    async fn serves(&self, wanted: &impl Fn(&str) -> bool) -> bool {
        let Ok(status) = four_letter(self.addr(), "srvr").await else { return false };
        if !status.lines().filter_map(|line| line.strip_prefix("Mode: ")).any(wanted) {
            return false;
        }
        // The server opens its secure port after the plain one.
        if let Some(addr) = self.secure_addr()
            && TcpStream::connect(addr).await.is_err()
        {
            return false;
        }
        let ours = format!("dataDir={}", self.place.data().display());
        four_letter(self.addr(), "conf")
            .await
            .is_ok_and(|conf| conf.lines().any(|line| line.starts_with(&ours)))
    }
}

impl Drop for Process {
    /// Kills the process and waits until it is gone, so that it writes nothing while its folder is removed.
    fn drop(&mut self) {
        let pid = self.pid();
        if let Some(child) = &mut self.child
            && child.start_kill().is_ok()
            && let Some(pid) = pid
        {
            wait_for(pid, WaitIdOptions::EXITED);
        }
    }
}

/// Blocks until a child that was just sent a signal has obeyed it, which takes milliseconds. It is left for the
/// runtime to reap.
fn wait_for(pid: Pid, state: WaitIdOptions) {
    // It fails only if the child was reaped already, and then there is nothing to wait for.
    let _ = waitid(WaitId::Pid(pid), state | WaitIdOptions::NOWAIT);
}

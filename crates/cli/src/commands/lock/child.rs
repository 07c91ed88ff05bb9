//! The command that runs under a lock, with everything that it starts: one process group.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid,
};
use tokio::signal::unix::{self, SignalKind};
use tokio::time::{Instant, timeout_at};

use super::terminal::Terminal;

/// How long a command that lost its lock has to end by itself.
const END_TIME: Duration = Duration::from_secs(5);

/// How often it is looked whether the whole group has ended.
const LOOK_TIME: Duration = Duration::from_millis(50);

/// A command that runs.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    group: Pid,
    /// The terminal that was lent to the command.
    terminal: Option<Terminal>,
    children: unix::Signal,
}

/// How a command ended.
#[derive(Debug)]
pub(super) enum End {
    /// With this exit code, or 128 and the number of the signal that killed it.
    Code(u8),
    /// Nobody knows.
    Unknown(io::Error),
}

impl Child {
    /// Starts a command in a process group of its own, with the terminal if there is one in front.
    pub(super) fn spawn(command: &[OsString], environment: [(&str, String); 3]) -> io::Result<Self> {
        let (program, arguments) =
            command.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let children = unix::signal(SignalKind::child())?;
        let process = tokio::process::Command::new(program)
            .args(arguments)
            .envs(environment)
            .process_group(0)
            .spawn()?;
        let id = process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let group = id.ok_or_else(|| io::Error::other("it has no process id"))?;
        let terminal = Terminal::lend(group);
        let child = Self { process, group, terminal, children };
        child.go_on();
        Ok(child)
    }

    /// Waits until the command ends. Dropping the future changes nothing.
    pub(super) async fn end(&mut self) -> End {
        loop {
            tokio::select! {
                status = self.process.wait() => return match status {
                    Ok(status) => End::Code(code(status)),
                    Err(error) => End::Unknown(error),
                },
                _ = self.children.recv() => self.go_on(),
            }
        }
    }

    /// Passes a signal on to the command and what it started.
    pub(super) fn pass_on(&self, signal: Signal) {
        // An error means that it has ended.
        let _ = kill_process_group(self.group, signal);
    }

    /// Ends the command and what it started: it is asked first, and after a while made to.
    pub(super) async fn terminate(&mut self) {
        let deadline = Instant::now() + END_TIME;
        self.pass_on(Signal::TERM);
        self.pass_on(Signal::CONT);
        let _ = timeout_at(deadline, self.process.wait()).await;
        while test_kill_process_group(self.group).is_ok() {
            if Instant::now() >= deadline {
                self.pass_on(Signal::KILL);
                let _ = self.process.wait().await;
                return;
            }
            tokio::time::sleep(LOOK_TIME).await;
        }
    }

    /// Lets a command that stopped go on, if it has the terminal: nobody could wake it, and it would keep the lock.
    fn go_on(&self) {
        if self.terminal.is_none() {
            return;
        }
        let stopped = waitid(WaitId::Pid(self.group), WaitIdOptions::STOPPED | WaitIdOptions::NOHANG);
        if matches!(stopped, Ok(Some(_))) {
            self.pass_on(Signal::CONT);
        }
    }
}

/// The exit code of a command, as a shell gives it.
fn code(status: std::process::ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_counts_from_128() {
        assert_eq!(code(std::process::ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(code(std::process::ExitStatus::from_raw(9)), 137);
    }
}

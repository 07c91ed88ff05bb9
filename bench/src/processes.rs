//! The processes that a table takes: the servers, and one for each cell and round.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{
    cell::{Cell, Found},
    sample::Span,
};

/// A server in a process of its own. It ends when this is dropped, and also if this process dies.
pub(crate) struct Server {
    child: Child,
    addr: SocketAddr,
    id: u32,
}

impl Server {
    /// Starts the server that a command of this program is, and waits until it says where it serves.
    pub(crate) fn start(command: &str) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let numbers = line.trim().split_once(' ');
        match numbers.map(|(port, id)| (port.parse(), id.parse())) {
            Some((Ok(port), Ok(id))) => Ok(Self { child, addr: (Ipv4Addr::LOCALHOST, port).into(), id }),
            _ => Err(io::Error::other(format!("the {command} server does not start"))),
        }
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The process that does the serving.
    pub(crate) const fn id(&self) -> u32 {
        self.id
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself now; an error means that it has.
        let _ = self.child.wait();
    }
}

/// What a server's process does once it serves: says where, and which process it is, and waits until nobody needs it.
/// The parent keeps the other end of standard input for as long as it lives, and writes nothing.
pub(crate) fn serve_until_alone(addr: SocketAddr, id: u32) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{} {id}", addr.port())?;
    stdout.flush()?;
    io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// Runs a cell, to be timed.
pub(crate) fn time(cell: Cell, addr: SocketAddr, span: Span) -> Result<Found, String> {
    run(Command::new(this()?).args(words(cell, addr, span)))
}

/// Runs a cell, to have its allocations counted.
pub(crate) fn count_allocations(cell: Cell, addr: SocketAddr, span: Span) -> Result<Found, String> {
    run(Command::new(this()?).args(words(cell, addr, span)).arg("--count-allocations"))
}

/// What can count a process's system calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tracer {
    Perf,
    /// Stops the process at each call, so that batches come out larger than they are.
    Strace,
}

impl Tracer {
    /// Finds one that works here.
    pub(crate) fn find() -> Option<Self> {
        [Self::Perf, Self::Strace].into_iter().find(|tracer| {
            let report = report_path();
            let ended = tracer.command(&report).arg("true").output();
            let counted = fs::read_to_string(&report).ok().and_then(|text| tracer.parse(&text));
            let _ = fs::remove_file(&report);
            ended.is_ok_and(|output| output.status.success()) && counted.is_some()
        })
    }

    /// Runs a cell, and counts the system calls of its whole life.
    pub(crate) fn count(self, cell: Cell, addr: SocketAddr, span: Span) -> Result<(Found, u64), String> {
        let report = report_path();
        let found = run(self.command(&report).arg(this()?).args(words(cell, addr, span)));
        let text = fs::read_to_string(&report).unwrap_or_default();
        let _ = fs::remove_file(&report);
        let calls = self.parse(&text).ok_or("the tracer counted nothing")?;
        Ok((found?, calls))
    }

    fn command(self, report: &Path) -> Command {
        let (program, words): (_, &[_]) = match self {
            Self::Perf => ("perf", &["stat", "-x,", "-e", "raw_syscalls:sys_enter", "-o"]),
            Self::Strace => ("strace", &["-c", "-f", "-o"]),
        };
        let mut command = Command::new(program);
        command.args(words).arg(report);
        command
    }

    fn parse(self, report: &str) -> Option<u64> {
        match self {
            Self::Perf => {
                report.lines().find(|line| line.contains("sys_enter"))?.split(',').next()?.parse().ok()
            }
            Self::Strace => {
                let total = report.lines().find(|line| line.ends_with("total"))?;
                total.split_whitespace().nth(3)?.parse().ok()
            }
        }
    }
}

fn run(command: &mut Command) -> Result<Found, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last().and_then(Found::parse) {
        Some(found) if output.status.success() && found.sample.replies > 0 => Ok(found),
        _ => Err(reason(&output)),
    }
}

fn reason(output: &std::process::Output) -> String {
    if output.status.code() == Some(3) {
        return "it hangs".to_owned();
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().rfind(|line| !line.is_empty() && !line.starts_with("note:"));
    format!("{}: {}", output.status, last.unwrap_or("no reply counted"))
}

fn words(cell: Cell, addr: SocketAddr, span: Span) -> Vec<String> {
    let Cell { who, work, mode, threads, cores } = cell;
    let millis = |time: std::time::Duration| time.as_millis().to_string();
    let pairs = [
        ("--client", who.name().to_owned()),
        ("--work", work.name()),
        ("--mode", mode.name().to_owned()),
        ("--threads", threads.name().to_owned()),
        ("--cores", cores.name().to_owned()),
        ("--server", addr.to_string()),
        ("--warm-up", millis(span.warm_up)),
        ("--measured", millis(span.measured)),
    ];
    let options = pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
    std::iter::once("cell".to_owned()).chain(options).collect()
}

fn this() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| error.to_string())
}

fn report_path() -> PathBuf {
    std::env::temp_dir().join(format!("quorate-bench-{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_reports_are_understood() {
        let perf = "# started on x\n\n29,,raw_syscalls:sys_enter,1563254,100.00,,\n";
        assert_eq!(Tracer::Perf.parse(perf), Some(29));
        let strace = "% time     seconds  usecs/call     calls    errors syscall\n\
                      100.00    0.000000           0        29         1 total\n";
        assert_eq!(Tracer::Strace.parse(strace), Some(29));
    }
}

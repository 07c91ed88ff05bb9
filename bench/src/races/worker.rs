//! A process that takes part in a race: it is told lines, and answers with lines.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Lines that may wait to be heard.
const LINES_MAX: usize = 1024;
/// How long one may take to start: a virtual machine does, and eight on one core do more.
const START_MAX: Duration = Duration::from_secs(120);
/// How long one may take to end by itself.
const END_MAX: Duration = Duration::from_secs(5);
const END_ASK_EVERY: Duration = Duration::from_millis(10);

/// One such process. Dropped, it is asked to end, and ended if it does not.
pub(crate) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Worker {
    /// Starts one. What it complains of goes to a file in `folder`.
    pub(crate) fn start(mut command: Command, folder: &Path) -> Result<Self, String> {
        let words = |error: std::io::Error| error.to_string();
        let number = fs::read_dir(folder).map_or(0, Iterator::count);
        let log = folder.join(format!("worker-{number}.log"));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(words)?)
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", command.get_program().display()))?;
        let (tell, lines) = sync_channel(LINES_MAX);
        if let Some(stdout) = child.stdout.take() {
            // It ends with the process.
            thread::spawn(move || {
                let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
                lines.try_for_each(|line| tell.send(line))
            });
        }
        let input = child.stdin.take();
        Ok(Self { child, input, lines, log })
    }

    /// Waits until it has set up what it needs.
    pub(crate) fn wait_ready(&mut self) -> Result<(), String> {
        self.hear_words("ready", START_MAX).map(|_| ())
    }

    pub(crate) fn tell(&mut self, line: &str) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("it was told to end")?;
        writeln!(input, "{line}").map_err(|_| self.last_words())
    }

    /// The words behind the first one of the next line, which must be `first`.
    pub(crate) fn hear_words(&mut self, first: &str, within: Duration) -> Result<Vec<u64>, String> {
        let line = match self.lines.recv_timeout(within) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return Err(format!("it says nothing for {within:?}")),
            Err(RecvTimeoutError::Disconnected) => return Err(self.last_words()),
        };
        let mut words = line.split_whitespace();
        if words.next() != Some(first) {
            return Err(format!("it says {line:?}"));
        }
        words.map(|word| word.parse().map_err(|_| format!("it says {line:?}"))).collect()
    }

    pub(crate) fn ask(&mut self, line: &str, first: &str, within: Duration) -> Result<Vec<u64>, String> {
        self.tell(line)?;
        self.hear_words(first, within)
    }

    /// The most memory it ever had, in bytes.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(peak.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let line = log.lines().rfind(|line| !line.trim().is_empty());
        format!("it ended: {}", line.unwrap_or("without a word"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.input.take());
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if asked.elapsed() > END_MAX {
                // An error means that it has ended meanwhile.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            // Whatever it still says must not keep it from ending.
            while self.lines.try_recv().is_ok() {}
            thread::sleep(END_ASK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(folder: &Path, script: &str) -> Worker {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Worker::start(command, folder).expect("a shell starts")
    }

    #[test]
    fn a_worker_answers_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut worker = shell(folder.path(), "echo ready; while read line; do echo done 1 2; done");
        worker.wait_ready().unwrap();
        assert_eq!(worker.ask("go", "done", START_MAX).unwrap(), [1, 2]);
        assert!(worker.peak_memory().is_none_or(|bytes| bytes > 0));
    }

    #[test]
    fn the_last_words_of_a_worker_are_the_reason_of_its_failure() {
        let folder = tempfile::tempdir().unwrap();
        let mut worker = shell(folder.path(), "echo no such class >&2");
        assert_eq!(worker.wait_ready().unwrap_err(), "it ended: no such class");
    }
}

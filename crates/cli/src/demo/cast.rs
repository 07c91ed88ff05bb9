//! The processes of the demo: started, heard, and ended.

use std::collections::VecDeque;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::voice::Voice;

/// How many lines may wait to be repeated. A process that says more waits in its pipe.
const LINES_MAX: usize = 64;

/// Everybody who plays a part, each a process of its own.
#[derive(Debug)]
pub(super) struct Cast {
    actors: Vec<Actor>,
    readers: JoinSet<()>,
    tx: mpsc::Sender<Line>,
    rx: mpsc::Receiver<Line>,
    /// What was said and not asked for yet.
    said: VecDeque<Line>,
    /// Lines that begin so are not repeated.
    muted: Option<&'static str>,
    /// When the story must be over.
    deadline: Instant,
}

#[derive(Debug)]
struct Actor {
    name: &'static str,
    child: Child,
    stdin: ChildStdin,
}

/// What a process said; `None` when it will say no more.
#[derive(Debug)]
struct Line {
    who: &'static str,
    words: Option<String>,
}

impl Cast {
    pub(super) fn new(deadline: Instant) -> Self {
        let (tx, rx) = mpsc::channel(LINES_MAX);
        let (actors, readers, said) = (Vec::new(), JoinSet::new(), VecDeque::new());
        Self { actors, readers, tx, rx, said, muted: None, deadline }
    }

    /// Starts this program in a role, under a name. Gives its process id.
    pub(super) fn start(&mut self, name: &'static str, role: &[&str]) -> Result<u32> {
        let program = std::env::current_exe().context("this program cannot find itself")?;
        let mut child = Command::new(program)
            .arg("demo")
            .args(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the conductor alone, who ends the others.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        let id = child.id().with_context(|| format!("{name} ended at once"))?;
        let stdin = child.stdin.take().context("standard input was asked for")?;
        let stdout = child.stdout.take().context("standard output was asked for")?;
        self.readers.spawn(listen(name, stdout, self.tx.clone()));
        self.actors.push(Actor { name, child, stdin });
        Ok(id)
    }

    /// Waits until `who` says a line that begins so, and gives the rest of it. What others say meanwhile is kept.
    pub(super) async fn hear(&mut self, voice: &Voice, who: &'static str, start: &str) -> Result<String> {
        let rest = |line: &Line| match &line.words {
            Some(words) if line.who == who => words.strip_prefix(start).map(str::to_owned),
            _ => None,
        };
        if let Some((at, found)) = self.said.iter().enumerate().find_map(|(at, line)| Some((at, rest(line)?)))
        {
            self.said.remove(at);
            return Ok(found);
        }
        while !self.has_ended(who) {
            let Some(line) = self.next(voice).await? else {
                bail!("{who} did not say {start:?} in time");
            };
            if let Some(found) = rest(&line) {
                return Ok(found);
            }
            self.said.push_back(line);
        }
        bail!("{who} ended before it said {start:?}")
    }

    /// Whether `who` has said everything.
    fn has_ended(&self, who: &str) -> bool {
        self.said.iter().any(|line| line.who == who && line.words.is_none())
    }

    /// Repeats the next line that anybody says. `None` if nobody says anything in time.
    async fn next(&mut self, voice: &Voice) -> Result<Option<Line>> {
        let line = timeout_at(self.deadline, self.rx.recv()).await.unwrap_or_default();
        if let Some(Line { who, words: Some(words) }) = &line
            && !self.muted.is_some_and(|muted| words.starts_with(muted))
        {
            voice.repeat(who, words)?;
        }
        Ok(line)
    }

    /// Hears `who` out, whose process has ended, so that the name can be used again.
    async fn hear_out(&mut self, voice: &Voice, who: &str) -> Result<()> {
        while !self.has_ended(who) {
            let Some(line) = self.next(voice).await? else {
                bail!("{who} ended, and its output is still open");
            };
            self.said.push_back(line);
        }
        self.said.retain(|line| line.who != who);
        Ok(())
    }

    /// Forgets what `who` said so far in lines that begin so, and counts them.
    pub(super) fn forget(&mut self, who: &str, start: &str) -> usize {
        let before = self.said.len();
        self.said.retain(|line| {
            line.who != who || !line.words.as_ref().is_some_and(|words| words.starts_with(start))
        });
        before - self.said.len()
    }

    /// From now on does not repeat lines that begin so.
    pub(super) const fn mute(&mut self, start: Option<&'static str>) {
        self.muted = start;
    }

    /// Tells a process something.
    pub(super) async fn tell(&mut self, who: &str, words: &str) -> Result<()> {
        let actor = self.actor(who)?;
        let written = actor.stdin.write_all(format!("{words}\n").as_bytes()).await;
        written.with_context(|| format!("{who} does not listen any more"))
    }

    /// Lets a process go, and waits until it has ended well.
    pub(super) async fn dismiss(&mut self, voice: &Voice, who: &str) -> Result<()> {
        let at = self.position(who)?;
        let Actor { mut child, stdin, .. } = self.actors.swap_remove(at);
        drop(stdin);
        let Ok(status) = timeout_at(self.deadline, child.wait()).await else {
            bail!("{who} did not end in time");
        };
        let status = status?;
        ensure!(status.success(), "{who} ended with {status}");
        self.hear_out(voice, who).await
    }

    /// Kills a process with SIGKILL, and waits until it is gone.
    pub(super) async fn kill(&mut self, voice: &Voice, who: &str) -> Result<()> {
        let at = self.position(who)?;
        let mut actor = self.actors.swap_remove(at);
        actor.child.kill().await.with_context(|| format!("{who} cannot be killed"))?;
        self.hear_out(voice, who).await
    }

    /// Kills everybody who is left, and waits until they are gone.
    pub(super) async fn kill_all(&mut self) {
        for actor in &mut self.actors {
            // An error means that it has ended already.
            let _ = actor.child.start_kill();
        }
        for mut actor in self.actors.drain(..) {
            let _ = actor.child.wait().await;
        }
    }

    fn position(&self, who: &str) -> Result<usize> {
        self.actors.iter().position(|actor| actor.name == who).with_context(|| format!("{who} is not there"))
    }

    fn actor(&mut self, who: &str) -> Result<&mut Actor> {
        let at = self.position(who)?;
        Ok(&mut self.actors[at])
    }
}

/// Passes on what a process says, until it says no more.
async fn listen(who: &'static str, stdout: ChildStdout, tx: mpsc::Sender<Line>) {
    let mut lines = BufReader::new(stdout).lines();
    loop {
        let words = lines.next_line().await.unwrap_or_default();
        let is_last = words.is_none();
        if tx.send(Line { who, words }).await.is_err() || is_last {
            return;
        }
    }
}

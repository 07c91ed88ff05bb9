//! Quorate in a race: a process that does what it is told, line by line, until nobody tells it anything.

mod follower;
mod replica;
mod updater;
mod writer;

use std::error::Error;
use std::future::Future;
use std::io::{self, BufRead, Write};
use std::thread;

use quorate::{Key, Shared};
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

/// Lines that may wait to be answered.
const LINES_MAX: usize = 16;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The struct that is updated.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) n: u64,
}

/// What is asked, line by line.
pub(crate) type Lines = mpsc::Receiver<String>;

/// Takes part until there are no more lines.
pub(crate) fn serve(role: &str, url: &str, place: &str, more: &[&str]) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let key = Key::parse(place)?;
    runtime.block_on(async {
        let store = quorate::open(url).await?;
        let lines = lines();
        match (role, more) {
            ("exclusive" | "optimistic" | "document", [tasks]) => {
                updater::serve(role, &store, key, tasks.parse()?, lines).await
            }
            ("follow", []) => follower::serve(&store, &key, lines).await,
            ("calls", []) => follower::calls(&store, &key, lines).await,
            ("replica", []) => replica::serve(&store, &key, lines).await,
            ("changes", []) => {
                follower::changes(Shared::open(&store, key).unlisted().join().await?, lines).await
            }
            ("put" | "write-exclusive" | "write-optimistic", []) => {
                writer::serve(role, &store, key, lines).await
            }
            _ => Err(format!("{role} is no role").into()),
        }
    })?;
    // Whatever still runs is of no interest.
    std::process::exit(0)
}

/// Standard input, read by a thread: the runtime's has a session to keep alive.
fn lines() -> Lines {
    let (tell, lines) = mpsc::channel(LINES_MAX);
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(io::Result::ok) {
            if tell.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Says that all is set up, then answers each line.
pub(crate) async fn answer<F: Future<Output = Result<String>>>(
    mut lines: Lines,
    mut answer: impl FnMut(String) -> F,
) -> Result<()> {
    say("ready")?;
    while let Some(line) = lines.recv().await {
        say(&answer(line).await?)?;
    }
    Ok(())
}

/// The number behind the first word of a line.
pub(crate) fn number(line: &str) -> Result<u64> {
    Ok(line.split_whitespace().nth(1).ok_or("a number is missing")?.parse()?)
}

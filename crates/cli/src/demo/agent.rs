//! The role of an agent: it holds a live copy of the struct and says on standard output what it is told.

use std::io::BufRead;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::StreamExt;
use quorate::{Change, Shared, SharedEvent};
use tokio::sync::mpsc;

use super::model::{Agent, DIRECTORY};
use super::voice::line;

/// The command that an agent knows: read, locally and consistently.
pub(super) const READ: &str = "read";

/// How many local reads are timed together: one alone is shorter than the clock can tell.
const READS: u32 = 1_000;

/// How many commands may wait.
const COMMANDS_MAX: usize = 8;

/// Plays the role until standard input ends, which it also does when the conductor dies.
pub(super) async fn play(url: &str) -> Result<()> {
    let store = quorate::open(url).await?;
    let agent = Shared::<Agent>::open(&store, DIRECTORY).join().await?;
    let (snapshot, mut events) = agent.snapshot_and_events();
    line(format_args!("snapshot {}", serde_json::to_string(&*snapshot.value)?))?;
    let mut commands = commands();
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => tell(&agent, &event)?,
                None => break,
            },
            command = commands.recv() => match command {
                Some(command) if command == READ => read(&agent).await?,
                Some(_) => {}
                None => break,
            },
        }
    }
    store.close().await;
    Ok(())
}

/// The lines of standard input. A thread reads them, since the runtime would wait for its own reader at the end.
fn commands() -> mpsc::Receiver<String> {
    let (tx, rx) = mpsc::channel(COMMANDS_MAX);
    std::thread::spawn(move || {
        for command in std::io::stdin().lock().lines().map_while(Result::ok) {
            if tx.blocking_send(command).is_err() {
                return;
            }
        }
    });
    rx
}

fn tell(agent: &Shared<Agent>, event: &SharedEvent<Agent>) -> Result<()> {
    match event {
        SharedEvent::Changed(set) => {
            for change in &*set.changes {
                match change {
                    Change::Added { path, value } => line(format_args!("added {path} {value}"))?,
                    Change::Removed { path, value } => line(format_args!("removed {path} {value}"))?,
                    Change::Modified { path, old, new } => {
                        line(format_args!("modified {path} {old} -> {new}"))?;
                    }
                    _ => {}
                }
            }
        }
        SharedEvent::Rejected(rejected) => {
            let kept = serde_json::to_string(&*agent.read()?)?;
            line(format_args!("rejected: {}", rejected.error))?;
            line(format_args!("still reads {kept}"))?;
        }
        _ => {}
    }
    Ok(())
}

/// Reads locally, then consistently, then locally again.
async fn read(agent: &Shared<Agent>) -> Result<()> {
    let begun = Instant::now();
    let mut local = agent.read()?;
    for _ in 1..READS {
        local = agent.read()?;
    }
    let local_took = begun.elapsed() / READS;
    let begun = Instant::now();
    let consistent = agent.read_consistent().await?;
    let consistent_took = begun.elapsed();
    let after = agent.read()?;
    line(format_args!("local read gives {} in {}", local.interval_seconds, short(local_took)))?;
    line(format_args!(
        "consistent read gives {} in {}",
        consistent.interval_seconds,
        short(consistent_took)
    ))?;
    line(format_args!("local read after it gives {}", after.interval_seconds))
}

/// A time as people say it.
pub(super) fn short(time: Duration) -> String {
    match time.as_nanos() {
        nanos @ 0..10_000 => format!("{nanos} ns"),
        nanos @ 10_000..10_000_000 => format!("{} µs", nanos / 1_000),
        nanos => format!("{} ms", nanos / 1_000_000),
    }
}

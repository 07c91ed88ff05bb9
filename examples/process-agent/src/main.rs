//! An agent that is told which processes to look for, and can be told otherwise while it runs.
//!
//! The list is a struct in a store. The agent holds a live copy of it, prints which processes of this machine
//! match, and looks again at once when somebody edits the list: another agent, a program, or a person with the
//! command line. See the README for a session to try.

#![expect(clippy::print_stdout, reason = "an example talks to its user")]

mod processes;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use quorate::{Change, Shared, SharedEvent, Store};
use serde::{Deserialize, Serialize};

const USAGE: &str = "usage: process-agent [--store URL] [--dir DIR]

  --store URL  where the list lives; $QUORATE_STORE if not given, else sqlite:process-agent.db
  --dir DIR    its place in the store; /agents/web if not given";

/// What all agents of one directory share: any type that serde can write as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Agent {
    /// Globs of process names.
    processes: Vec<String>,
    /// How long to wait between two looks.
    interval_seconds: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Some((url, directory)) = arguments()? else {
        println!("{USAGE}");
        return Ok(());
    };
    // The URL decides what is underneath: one file on this machine, or ZooKeeper when there are many machines.
    let store = quorate::open(&url).await.with_context(|| format!("cannot open {url}"))?;
    let result = tokio::select! {
        result = run(&store, &directory) => result,
        pressed = tokio::signal::ctrl_c() => pressed.context("cannot wait for Ctrl-C"),
    };
    // Others see at once that this agent is gone, not when its lease runs out.
    store.close().await;
    result
}

async fn run(store: &Arc<dyn Store>, directory: &str) -> Result<()> {
    // The first agent makes the list, all others join it. Two that start at once do not disturb each other.
    let initial = Agent { processes: vec!["systemd*".into(), "rsync*".into()], interval_seconds: 5 };
    let agent = Shared::<Agent>::open(store, directory).create(initial).await?;
    println!("the list is at {directory}");

    // Everything that happens to the list from now on.
    let mut events = agent.events();
    let mut last = Vec::new();
    loop {
        // A read is local and costs nanoseconds, so it is made whenever the value is needed.
        let wait = match agent.read() {
            Ok(now) => {
                look(&now, &mut last)?;
                Duration::from_secs(now.interval_seconds.max(1))
            }
            // The list was deleted, or the store was not reached for too long. The next event tells.
            Err(error) => {
                println!("there is no list to go by: {error}");
                Duration::from_secs(5)
            }
        };
        tokio::select! {
            event = events.next() => match event {
                Some(event) => tell(&event),
                None => bail!("the store was closed"),
            },
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Looks at the processes of this machine, and prints what matches if that changed since the last look.
fn look(agent: &Agent, last: &mut Vec<String>) -> Result<()> {
    let running = processes::running().context("cannot list the processes")?;
    let found: Vec<_> = agent.processes.iter().map(|glob| processes::describe(glob, &running)).collect();
    if found != *last {
        found.iter().for_each(|line| println!("  {line}"));
        *last = found;
    }
    Ok(())
}

/// Prints what somebody did to the list.
fn tell(event: &SharedEvent<Agent>) {
    match event {
        SharedEvent::Changed(set) => {
            for change in &*set.changes {
                match change {
                    Change::Added { path, value } => println!("added {path} {value}"),
                    Change::Removed { path, value } => println!("removed {path} {value}"),
                    Change::Modified { path, old, new } => println!("modified {path} {old} -> {new}"),
                    _ => {}
                }
            }
        }
        // Somebody wrote something that is no `Agent`. The last good list stays in place.
        SharedEvent::Rejected(rejected) => println!("rejected: {}", rejected.error),
        _ => {}
    }
}

/// The store's URL and the directory, or `None` if help was asked for.
#[expect(clippy::disallowed_methods, reason = "a program reads its environment, a library does not")]
fn arguments() -> Result<Option<(String, String)>> {
    let mut url = std::env::var("QUORATE_STORE").unwrap_or_else(|_| "sqlite:process-agent.db".into());
    let mut directory = "/agents/web".to_owned();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let place = match argument.as_str() {
            "--store" => &mut url,
            "--dir" => &mut directory,
            "-h" | "--help" => return Ok(None),
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        };
        *place = arguments.next().with_context(|| format!("{argument} needs a value\n{USAGE}"))?;
    }
    Ok(Some((url, directory)))
}

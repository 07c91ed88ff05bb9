//! The role of a writer: an outsider that changes the struct and ends.

use std::io::BufRead;

use anyhow::Result;
use quorate::{Document, Key, Shared, StoreExt};

use super::model::{Agent, DIRECTORY};
use super::voice::line;

/// What a competing writer says when it may be told to go.
pub(super) const READY: &str = "ready";

/// What a writer does.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Deed {
    /// Adds a glob to the list.
    Append { glob: String },
    /// Sets the interval.
    Interval { seconds: u64 },
    /// Adds one to the counter this many times, each time exclusively, after a line on standard input.
    Compete { times: u64 },
    /// Writes bytes where the struct is, past everything that would check them.
    Raw { payload: String },
}

/// Does it, says so, and ends.
pub(super) async fn play(url: &str, deed: Deed) -> Result<()> {
    let store = quorate::open(url).await?;
    let open = || Shared::<Agent>::open(&store, DIRECTORY).unlisted();
    match deed {
        Deed::Append { glob } => {
            open().join().await?.update(|agent| agent.processes.push(glob.clone())).await?;
            line(format_args!("appended {glob:?}"))?;
        }
        Deed::Interval { seconds } => {
            open().join().await?.update(|agent| agent.interval_seconds = seconds).await?;
            line(format_args!("set the interval to {seconds}"))?;
        }
        Deed::Compete { times } => {
            let agent = open().join().await?;
            line(format_args!("{READY}"))?;
            std::io::stdin().lock().read_line(&mut String::new())?;
            compete(&agent, times).await?;
        }
        Deed::Raw { payload } => {
            let key = Document::below(&store, Key::parse(DIRECTORY)?)?.payload().clone();
            let bytes = payload.len();
            store.put(&key, payload).await?;
            line(format_args!("wrote {bytes} bytes"))?;
        }
    }
    store.close().await;
    Ok(())
}

async fn compete(agent: &Shared<Agent>, times: u64) -> Result<()> {
    let (mut first, mut last) = (None, 0);
    for _ in 0..times {
        let done = agent
            .update(|agent| {
                agent.edits += 1;
                agent.edits
            })
            .await?;
        first.get_or_insert(done.output);
        last = done.output;
    }
    line(format_args!("{times} increments, the first to {}, the last to {last}", first.unwrap_or(last)))
}

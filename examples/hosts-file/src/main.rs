//! Keeps a hosts file of the addresses of a set of nodes.
//!
//! Each node is one key below a prefix, `/nodes/web1`, with a JSON value such as `{"address":"10.0.0.7"}`. Whatever a
//! node says beside its address does not matter here, and is not told. See the README for a session to try.

#![expect(clippy::print_stdout, reason = "an example talks to its user")]

mod hosts;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use futures_util::StreamExt;
use quorate::{FollowEvent, Follower, Prefix, Store};
use serde::Deserialize;

use crate::hosts::HostsFile;

const USAGE: &str = "usage: hosts-file [--store URL] [--prefix PREFIX] [--file FILE]

  --store URL      where the nodes are; $QUORATE_STORE if not given, else sqlite:hosts-file.db
  --prefix PREFIX  what the nodes are below; /nodes if not given
  --file FILE      the hosts file; ./hosts if not given";

/// What is wanted of a node. It may say more.
#[derive(Debug, Deserialize)]
struct Node {
    address: IpAddr,
}

/// What was said on the command line.
struct Arguments {
    url: String,
    prefix: Prefix,
    file: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Some(Arguments { url, prefix, file }) = arguments()? else {
        println!("{USAGE}");
        return Ok(());
    };
    let store = quorate::open(&url).await.with_context(|| format!("cannot open {url}"))?;
    let result = tokio::select! {
        result = run(&store, prefix, HostsFile::at(file)) => result,
        pressed = tokio::signal::ctrl_c() => pressed.context("cannot wait for Ctrl-C"),
    };
    store.close().await;
    result
}

async fn run(store: &Arc<dyn Store>, prefix: Prefix, file: HostsFile) -> Result<()> {
    // The projection is all that is held and compared: a node that changes anything but its address wakes nobody.
    let mut follower = Follower::<Node>::over(store, prefix.clone())
        .filter_key(|key| hosts::is_name(key.name()))
        .project(|node| Some(node.address))
        .start()?;
    let nodes = follower.nodes();
    while let Some(batch) = follower.next().await {
        for event in &batch.events {
            // The address that the node had before stays in the file.
            if let FollowEvent::Rejected { key, error, .. } = event {
                println!("{key} is rejected: {error}");
            }
        }
        // Half of the nodes would be a wrong file.
        if batch.is_synced {
            let snapshot = nodes.snapshot();
            let hosts = snapshot.iter().map(|(key, address)| (key.name(), **address));
            file.replace(hosts).await?;
            println!("{} nodes at revision {}", snapshot.len(), snapshot.revision());
        }
    }
    bail!("the store was closed")
}

/// What was said on the command line, or `None` if help was asked for.
#[expect(clippy::disallowed_methods, reason = "a program reads its environment, a library does not")]
fn arguments() -> Result<Option<Arguments>> {
    let mut url = std::env::var("QUORATE_STORE").unwrap_or_else(|_| "sqlite:hosts-file.db".into());
    let (mut prefix, mut file) = ("/nodes".to_owned(), "hosts".to_owned());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let place = match argument.as_str() {
            "--store" => &mut url,
            "--prefix" => &mut prefix,
            "--file" => &mut file,
            "-h" | "--help" => return Ok(None),
            other => bail!("unknown argument {other:?}\n{USAGE}"),
        };
        *place = arguments.next().with_context(|| format!("{argument} needs a value\n{USAGE}"))?;
    }
    Ok(Some(Arguments { url, prefix: Prefix::parse(&prefix)?, file: file.into() }))
}

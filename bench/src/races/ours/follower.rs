//! Followers, and when they are told of changes.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use quorate::{Follow, FollowEvent, Follower, Key, Raw, Revision, Shared, Store};

use super::{Count, Lines, Result, say};
use crate::races::beat;

/// Follows everything below a place. It says when the content is complete, and then when each change is told.
pub(super) async fn serve(store: &Arc<dyn Store>, place: &Key, mut lines: Lines) -> Result<()> {
    say("ready")?;
    if lines.recv().await.is_none() {
        return Ok(());
    }
    let start = beat::now();
    let mut follower = Follower::<Bytes>::over(store, place.below()).codec(Raw).start()?;
    loop {
        tokio::select! {
            batch = follower.next() => {
                let now = beat::now();
                let Some(batch) = batch else { return Ok(()) };
                for event in &batch.events {
                    match event {
                        FollowEvent::Updated { value, .. } => told(value, now)?,
                        FollowEvent::Synced { .. } => {
                            say(&format!("done {} {}", now - start, follower.nodes().len()))?;
                        }
                        _ => {}
                    }
                }
            }
            line = lines.recv() => if line.is_none() { return Ok(()) },
        }
    }
}

/// The same, by calls.
pub(super) async fn calls(store: &Arc<dyn Store>, place: &Key, mut lines: Lines) -> Result<()> {
    say("ready")?;
    if lines.recv().await.is_none() {
        return Ok(());
    }
    let calls = Calls { start: beat::now(), nodes: 0 };
    tokio::select! {
        ended = Follower::<Bytes>::over(store, place.below()).codec(Raw).run(calls) => Ok(ended?),
        // The only line there is says that there are no more.
        _ = lines.recv() => Ok(()),
    }
}

struct Calls {
    start: u64,
    nodes: usize,
}

impl Follow<Bytes> for Calls {
    type Error = io::Error;

    async fn new(&mut self, _: &Key, _: &Arc<Bytes>) -> io::Result<()> {
        self.nodes += 1;
        Ok(())
    }

    async fn updated(&mut self, _: &Key, _: &Arc<Bytes>, value: &Arc<Bytes>) -> io::Result<()> {
        let now = beat::now();
        told(value, now).map_err(|error| io::Error::other(error.to_string()))
    }

    async fn deleted(&mut self, _: &Key, _: &Arc<Bytes>) -> io::Result<()> {
        self.nodes -= 1;
        Ok(())
    }

    async fn synced(&mut self, _: Revision) -> io::Result<()> {
        say(&format!("done {} {}", beat::now() - self.start, self.nodes))
    }
}

fn told(value: &Bytes, now: u64) -> Result<()> {
    let number = beat::number(value).ok_or("a node without a number")?;
    Ok(say(&format!("seen {number} {now}"))?)
}

/// Says when each change of a struct is told.
pub(super) async fn changes(shared: Shared<Count>, mut lines: Lines) -> Result<()> {
    let mut changes = shared.changes();
    say("ready")?;
    loop {
        tokio::select! {
            set = changes.next() => {
                let now = beat::now();
                let Some(set) = set else { return Ok(()) };
                let number = set.current.map_or(0, |current| current.value.n);
                say(&format!("seen {number} {now}"))?;
            }
            line = lines.recv() => if line.is_none() { return Ok(()) },
        }
    }
}

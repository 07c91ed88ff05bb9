//! Followers, and when they are told of changes.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use quorate::{FollowEvent, Follower, Key, Raw, Shared, Store};

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

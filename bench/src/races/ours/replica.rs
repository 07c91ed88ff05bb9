//! A copy kept by hand, and when it is told of changes.

use std::sync::Arc;

use futures_util::StreamExt;
use quorate::{Delta, Key, Replica, Selection, Store, Watch};

use super::{Lines, Result, say};
use crate::races::beat;

/// Keeps a copy of everything below a place. It says when it is complete, and then when each change is told.
pub(super) async fn serve(store: &Arc<dyn Store>, place: &Key, mut lines: Lines) -> Result<()> {
    say("ready")?;
    if lines.recv().await.is_none() {
        return Ok(());
    }
    let start = beat::now();
    let mut watch = Watch::new(store, Selection::Prefix(place.below()));
    let mut replica = Replica::new();
    let mut was_complete = false;
    loop {
        tokio::select! {
            event = watch.next() => {
                let Some(event) = event else { return Ok(()) };
                for delta in replica.apply(event?) {
                    told(&delta, was_complete)?;
                }
            }
            line = lines.recv() => if line.is_none() { return Ok(()) },
        }
        if replica.is_synced() && !was_complete {
            was_complete = true;
            say(&format!("done {} {}", beat::now() - start, replica.iter().count()))?;
        }
    }
}

fn told(delta: &Delta, is_complete: bool) -> Result<()> {
    let now = beat::now();
    match delta {
        Delta::Put { entry, .. } if is_complete => {
            let number = beat::number(&entry.value).ok_or("a node without a number")?;
            Ok(say(&format!("seen {number} {now}"))?)
        }
        _ => Ok(()),
    }
}

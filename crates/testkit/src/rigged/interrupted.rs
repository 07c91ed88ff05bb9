//! Watches that can be interrupted on command.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use quorate_datasync::{RawChange, RawChanges, Selection, Store, WatchFrom};
use tokio::sync::watch;

use super::Rigged;
use crate::follow::Fault;

/// One watch, from one interruption to the next.
struct Interruptible {
    store: Arc<dyn Store>,
    what: Selection,
    /// Counts interruptions and their ends: while it is odd nothing is heard.
    faults: watch::Receiver<u64>,
    /// What is heard, since which count; nothing while it is interrupted.
    changes: Option<(u64, RawChanges)>,
}

impl Rigged {
    /// A store whose watches hear nothing while they are interrupted, and are then told a gap; and what interrupts
    /// them. For stores that never lose a connection.
    pub fn interrupted(store: Arc<dyn Store>) -> (Arc<dyn Store>, impl Fn(Fault) + 'static) {
        let (faulty, faults) = watch::channel(0);
        let fail =
            move |fault| faulty.send_modify(|count| *count = (*count | 1) + u64::from(fault == Fault::Over));
        let below = Arc::clone(&store);
        let tell = move |what: &Selection, changes| {
            let mut faults = faults.clone();
            let changes = Some((*faults.borrow_and_update(), changes));
            let watch = Interruptible { store: Arc::clone(&below), what: what.clone(), faults, changes };
            let changes = stream::unfold(watch, async |mut watch| Some((watch.next().await?, watch)));
            RawChanges::new(changes.boxed())
        };
        (Self::over(store).telling(tell).open().1, fail)
    }
}

impl Interruptible {
    async fn next(&mut self) -> Option<RawChange> {
        loop {
            let count = *self.faults.borrow_and_update();
            self.changes.take_if(|(since, _)| *since != count);
            if count.is_multiple_of(2) && self.changes.is_none() {
                let changes = self.store.watch(&self.what, WatchFrom::Now).await.ok()?;
                self.changes = Some((count, changes));
                return Some(RawChange::Gap);
            }
            let heard = async {
                match &mut self.changes {
                    Some((_, changes)) => changes.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                changed = self.faults.changed() => if changed.is_err() {
                    return None;
                },
                change = heard => return change,
            }
        }
    }
}

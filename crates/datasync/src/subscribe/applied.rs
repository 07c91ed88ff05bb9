//! A commit, and what the subscribers of a hub make of it.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::answer::Outcome;
use super::shared::Shared;
use super::tickets::Wrote;
use crate::{Committed, Entry, Error, ErrorKind, Event, Key, Result, Revision, Store, Txn, Write, Written};

/// What the subscribers of a hub made of one commit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AppliedReport {
    /// The revision of the commit.
    pub revision: Revision,
    /// What became of it, by the name of the subscriber, in the order of registration. Those that none of the
    /// written keys concern are not named.
    pub outcomes: Vec<(Arc<str>, Outcome)>,
}

impl AppliedReport {
    /// What became of it for the subscriber of this name, if it concerns that one.
    #[must_use]
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|(of, _)| **of == *name).map(|(_, outcome)| outcome)
    }

    /// Whether every subscriber that it concerns applied it.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.outcomes.iter().all(|(_, outcome)| outcome.is_applied())
    }
}

/// A commit through a hub, from [`Hub::publish`](super::Hub::publish). It does nothing before one of its methods is
/// awaited.
#[derive(Debug)]
#[must_use = "nothing is published before `committed` or `applied` is awaited"]
pub struct Publish {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    txn: Txn,
}

impl Publish {
    pub(super) const fn new(shared: Arc<Shared>, store: Arc<dyn Store>, txn: Txn) -> Self {
        Self { shared, store, txn }
    }

    /// Commits, and returns when the store has acknowledged it. Subscribers are told by the way.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`].
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves it open whether the commit is applied.
    pub async fn committed(self) -> Result<Committed> {
        self.store.commit(self.txn).await
    }

    /// Commits, and returns when every subscriber of this hub that it concerns has answered or missed a deadline.
    ///
    /// A subscriber that is told of this commit together with others answers for all of them, and one that still waits
    /// for its first resync answers with that; one that had nothing to apply counts as applied. A refusal is told here, and the subscriber is told again. Nobody waits for ever:
    /// every subscriber has its deadlines, and a commit that does not come back through the watch within 10 s (the
    /// store was lost on the way) counts as timed out.
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`]: nothing was told to anybody. [`ErrorKind::Closed`] if the commit was
    /// acknowledged but the hub ended before the answers came; it then says that it was applied.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves it open whether the commit is applied; subscribers are told all the same.
    pub async fn applied(self) -> Result<AppliedReport> {
        let committed = self.store.commit(self.txn.clone()).await?;
        answers(&self.shared, &self.txn, &committed).await
    }
}

/// Waits for what the subscribers make of a commit that was acknowledged.
pub(super) async fn answers(shared: &Shared, txn: &Txn, committed: &Committed) -> Result<AppliedReport> {
    let events = told_by(txn, committed);
    let written = events.iter().filter_map(wrote).collect();
    let (reply, answers) = oneshot::channel();
    shared.with(|board, now| board.expect(reply, committed.revision, written, events, now));
    answers.await.map_err(|_| {
        let gone = "it was committed, but the hub ended before its subscribers answered";
        Error::new(ErrorKind::Closed, "publish").because(gone).perhaps_applied()
    })
}

/// What a commit tells of the keys that it wrote.
fn told_by(txn: &Txn, committed: &Committed) -> Vec<Event> {
    let deleted = |key: &Key| Event::Delete { key: key.clone(), revision: committed.revision };
    let writes = txn.writes().iter().zip(&committed.written);
    writes
        .filter_map(|(write, written)| match (write, written) {
            (Write::Put { value, .. } | Write::CreateUnique { value, .. }, Written::Put(stat)) => {
                Some(Event::Put(Entry::new(stat.clone(), value.clone())))
            }
            (Write::Delete { key }, _) => Some(deleted(key)),
            _ => None,
        })
        .collect()
}

fn wrote(event: &Event) -> Option<Wrote> {
    match event {
        Event::Put(entry) => Some(Wrote { key: entry.key.clone(), is_put: true }),
        Event::Delete { key, .. } => Some(Wrote { key: key.clone(), is_put: false }),
        _ => None,
    }
}

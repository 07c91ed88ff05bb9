//! Reading entries, many to a request.

use bytes::Bytes;
use quorate_datasync::{Entry, Error, Key, Result};
use quorate_zk::{ErrorCode, MultiReadOp, MultiReadResult, Stat, ZnodePath};

use super::frontier::Frontier;
use super::pace::{Budget, Pace, names_cost};
use crate::error::{classify, kind_of};
use crate::inner::Inner;
use crate::map::{self, Paths};
use crate::read::{TRIES_MAX, is_passing, odd_answer, pause};

/// One read of a batch.
#[derive(Clone, Debug)]
enum Asked {
    /// A znode, with its value.
    Znode(ZnodePath, Key),
    /// The names below one.
    Children(ZnodePath),
}

/// Reads that are one request.
#[derive(Debug)]
pub(super) struct Batch(Vec<Asked>);

/// The way through a subtree.
#[derive(Debug)]
pub(super) struct Walk<'p> {
    paths: &'p Paths,
    frontier: Frontier,
    pace: Pace,
    entries: Vec<Entry>,
}

impl<'p> Walk<'p> {
    pub(super) const fn new(paths: &'p Paths, frontier: Frontier) -> Self {
        Self { paths, frontier, pace: Pace::new(), entries: Vec::new() }
    }

    /// The next reads to be made together; `None` if all are made or under way.
    ///
    /// Names are asked for only where nothing else is left to be read, so that few of them wait in memory.
    pub(super) fn next_batch(&mut self, reads_max: usize) -> Result<Option<Batch>> {
        let mut batch = Vec::new();
        let mut budget = Budget::of(reads_max);
        let cost = self.pace.value_cost();
        while budget.spend(cost, batch.is_empty()) {
            let Some((path, key)) = self.frontier.next_znode(self.paths)? else { break };
            batch.push(Asked::Znode(path, key));
        }
        if batch.is_empty() {
            budget = Budget::of(reads_max);
            while let Some(children) = self.frontier.next_children()
                && budget.spend(names_cost(children), batch.is_empty())
            {
                batch.extend(self.frontier.next_unlisted().map(Asked::Children));
            }
        }
        Ok(Some(Batch(batch)).filter(|batch| !batch.0.is_empty()))
    }

    /// Takes the answers to a batch in. What is gone meanwhile is left out.
    pub(super) fn take(&mut self, batch: Batch, results: Vec<MultiReadResult>) -> Result<()> {
        let together: usize = results.iter().map(value_bytes).sum();
        for (asked, result) in batch.0.into_iter().zip(results) {
            match (asked, result) {
                (Asked::Znode(path, key), MultiReadResult::Data { data, stat }) => {
                    self.take_znode(path, &key, data, &stat, together);
                }
                (Asked::Children(path), MultiReadResult::Children { names }) => {
                    self.frontier.add_names(path, names);
                }
                (_, MultiReadResult::Error(ErrorCode::NoNode)) => {}
                (asked, MultiReadResult::Error(code)) => return Err(asked.refused(code)),
                _ => return Err(odd_answer("list")),
            }
        }
        Ok(())
    }

    /// All entries, in the order of their keys.
    pub(super) fn finish(self) -> Vec<Entry> {
        let mut entries = self.entries;
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        entries
    }

    fn take_znode(&mut self, path: ZnodePath, key: &Key, data: Option<Bytes>, stat: &Stat, together: usize) {
        if let Some(entry) = map::entry_of_many(key, data, stat, together) {
            self.pace.saw(entry.value.len());
            self.entries.push(entry);
        }
        self.frontier.add_unlisted(path, map::children(stat));
    }
}

impl Asked {
    fn op(&self) -> MultiReadOp {
        match self {
            Self::Znode(path, _) => MultiReadOp::Data(path.clone()),
            Self::Children(path) => MultiReadOp::Children(path.clone()),
        }
    }

    /// The error of a read that the server refused.
    fn refused(self, code: ErrorCode) -> Error {
        let error = Error::new(kind_of(code), "list").because(code.to_string());
        match self {
            Self::Znode(_, key) => error.on(&key),
            Self::Children(path) => error.because(format!("{code}: {path}")),
        }
    }
}

impl Inner {
    /// Makes the reads of a batch: in one request, or after it was lost again and again in several that are
    /// smaller.
    pub(super) async fn read_batch(&self, batch: Batch) -> Result<(Batch, Vec<MultiReadResult>)> {
        let mut results = Vec::new();
        let (mut reads_max, mut tries) = (batch.0.len(), 0);
        while results.len() < batch.0.len() {
            let ops: Vec<_> = batch.0[results.len()..].iter().take(reads_max).map(Asked::op).collect();
            let reads = ops.len();
            match self.client.multi_read(ops).await {
                Ok(read) if results.is_empty() => (results, tries) = (read, 0),
                Ok(read) => {
                    results.extend(read);
                    tries = 0;
                }
                Err(error) if is_passing(error.request_error()) && tries < TRIES_MAX => {
                    tries += 1;
                    // The first loss is most likely nobody's fault.
                    if tries > 1 && error.request_error().is_connection_lost() {
                        reads_max = self.reads_max.lower(reads);
                    }
                    tokio::time::sleep(pause(tries)).await;
                }
                Err(error) => return Err(classify("list", None, error.request_error().clone())),
            }
        }
        Ok((batch, results))
    }
}

fn value_bytes(result: &MultiReadResult) -> usize {
    match result {
        MultiReadResult::Data { data, .. } => data.as_ref().map_or(0, Bytes::len),
        MultiReadResult::Children { .. } | MultiReadResult::Error(_) => 0,
    }
}

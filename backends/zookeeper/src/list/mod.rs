//! Listing what is below a prefix.

mod batch;
mod frontier;
mod pace;
mod step;

use futures_util::stream::{FuturesUnordered, StreamExt};
use quorate_datasync::{Consistency, Entry, Items, Key, List, Listing, Prefix, Result, Revision};
use quorate_zk::{GetChildren, Reply, ReplyBody, Request, ZnodePath};

use crate::error::classify;
use crate::inner::Inner;
use crate::map;
use crate::read::{Answer, odd_answer};

use batch::Walk;
use frontier::Frontier;
pub(crate) use pace::ReadsMax;

/// How many batches of one listing are under way at once: while the server reads one, the next is with it already,
/// and the answers of others are on their way back.
const BATCHES_MAX: usize = 4;

/// How many single reads of one listing are under way at once.
const READS_MAX: usize = 128;

impl Inner {
    /// Lists what is below a prefix. The walk is no snapshot: its revision is that of its first read.
    pub(crate) async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        loop {
            let life = self.client.state().borrow().history();
            let listing = self.walk(prefix, want, at).await?;
            if self.client.state().borrow().history() == life {
                return Ok(listing);
            }
            // Part of it is of an ensemble that was wiped or restored meanwhile.
            self.refresh_status();
        }
    }

    async fn walk(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        let base = self.paths.below(prefix);
        let (names, revision) = self.names(&base, at).await?;
        let items = match want {
            List::Names => Items::Names(names),
            List::Keys => Items::Keys(self.keys(Frontier::of(base, names)).await?),
            List::Entries => Items::Entries(self.entries(Frontier::of(base, names)).await?),
        };
        Ok(Listing::new(items, revision))
    }

    /// The names directly below a path, in order, and the revision of the read.
    async fn names(&self, path: &ZnodePath, at: Consistency) -> Result<(Vec<String>, Revision)> {
        let request = Request::GetChildren(GetChildren { path: path.clone(), watch: false });
        match self.ask(at, request).await.map_err(|error| classify("list", None, error))? {
            Answer::Missing(zxid) => Ok((Vec::new(), map::revision(zxid))),
            Answer::Found(Reply { zxid, body: ReplyBody::Children { mut names, .. }, .. }) => {
                names.retain(|name| !self.paths.is_reserved_below(path, name));
                names.sort_unstable();
                Ok((names, map::revision(zxid)))
            }
            Answer::Found(_) => Err(odd_answer("list")),
        }
    }

    /// The entries of a subtree: many reads to a request.
    async fn entries(&self, frontier: Frontier) -> Result<Vec<Entry>> {
        let mut walk = Walk::new(&self.paths, frontier);
        let mut under_way = FuturesUnordered::new();
        let before = self.reads_max.get();
        loop {
            while under_way.len() < BATCHES_MAX
                && let Some(batch) = walk.next_batch(self.reads_max.get())?
            {
                under_way.push(self.read_batch(batch));
            }
            let Some(read) = under_way.next().await else { break };
            let (batch, results) = read?;
            walk.take(batch, results)?;
        }
        self.reads_max.raise_unless_lowered(before);
        Ok(walk.finish())
    }

    /// The keys of a subtree. No request asks for many stats at once, and to read the values instead would move
    /// them, and need permission to.
    async fn keys(&self, mut frontier: Frontier) -> Result<Vec<Key>> {
        let mut under_way = FuturesUnordered::new();
        let mut keys = Vec::new();
        loop {
            while under_way.len() < READS_MAX
                && let Some(step) = frontier.next_step(&self.paths)?
            {
                under_way.push(self.step(step));
            }
            let Some(found) = under_way.next().await else { break };
            keys.extend(frontier.take(found?));
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

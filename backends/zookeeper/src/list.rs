//! Listing what is below a prefix.

use futures_util::stream::{FuturesUnordered, StreamExt};
use quorate_datasync::{Consistency, Entry, Items, Key, List, Listing, Prefix, Result, Revision};
use quorate_zk::{Exists, GetChildren, GetData, Reply, ReplyBody, Request, ZnodePath};

use crate::error::classify;
use crate::inner::Inner;
use crate::map;
use crate::read::{Answer, odd_answer};

/// How many reads of one listing are under way at once.
const READS_MAX: usize = 128;

/// What one step of the walk found.
enum Found {
    /// The children of a znode.
    Names(ZnodePath, Vec<String>),
    /// A znode: its entry if it is one, and whether something is below it.
    Znode { path: ZnodePath, entry: Option<Entry>, key: Option<Key>, has_children: bool },
    /// It is gone.
    Nothing,
}

impl Inner {
    /// Lists what is below a prefix. The walk is no snapshot: its revision is that of its first read.
    pub(crate) async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        let base = self.paths.below(prefix);
        let (names, revision) = self.names(&base, at).await?;
        if want == List::Names {
            return Ok(Listing::new(Items::Names(names), revision));
        }
        let mut waiting: Vec<Step> = children(&base, &names)?;
        let mut under_way = FuturesUnordered::new();
        let (mut keys, mut entries) = (Vec::new(), Vec::new());
        loop {
            while under_way.len() < READS_MAX
                && let Some(step) = waiting.pop()
            {
                under_way.push(self.step(step, want));
            }
            let Some(found) = under_way.next().await else { break };
            match found? {
                Found::Names(path, names) => waiting.extend(children(&path, &names)?),
                Found::Znode { path, entry, key, has_children } => {
                    entries.extend(entry);
                    keys.extend(key);
                    if has_children {
                        waiting.push(Step::Children(path));
                    }
                }
                Found::Nothing => {}
            }
        }
        keys.sort();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        let items = if want == List::Keys { Items::Keys(keys) } else { Items::Entries(entries) };
        Ok(Listing::new(items, revision))
    }

    /// The names directly below a path, in order, and the revision of the read.
    async fn names(&self, path: &ZnodePath, at: Consistency) -> Result<(Vec<String>, Revision)> {
        let request = Request::GetChildren(GetChildren { path: path.clone(), watch: false });
        match self.ask(at, request).await.map_err(|error| classify("list", None, error))? {
            Answer::Missing(zxid) => Ok((Vec::new(), map::revision(zxid))),
            Answer::Found(Reply { zxid, body: ReplyBody::Children { mut names, .. }, .. }) => {
                names.retain(|name| !self.paths.is_reserved_below(path, name));
                names.sort();
                Ok((names, map::revision(zxid)))
            }
            Answer::Found(_) => Err(odd_answer("list")),
        }
    }

    /// Reads one znode, or the names below one. A leaf costs one read: its stat says that nothing is below it.
    async fn step(&self, step: Step, want: List) -> Result<Found> {
        let path = match step {
            Step::Children(path) => {
                let (names, _) = self.names(&path, Consistency::Local).await?;
                return Ok(Found::Names(path, names));
            }
            Step::Znode(path) => path,
        };
        let Some(key) = self.paths.key(&path) else { return Ok(Found::Nothing) };
        let request = match want {
            List::Entries => Request::GetData(GetData { path: path.clone(), watch: false }),
            List::Names | List::Keys => Request::Exists(Exists { path: path.clone(), watch: false }),
        };
        let answer = self.ask(Consistency::Local, request).await;
        match answer.map_err(|error| classify("list", Some(&key), error))? {
            Answer::Missing(_) => Ok(Found::Nothing),
            Answer::Found(Reply { body: ReplyBody::Data { data, stat }, .. }) => {
                let entry = map::entry(&key, data, &stat);
                Ok(Found::Znode { path, entry, key: None, has_children: stat.num_children > 0 })
            }
            Answer::Found(Reply { body: ReplyBody::Stat(stat), .. }) => {
                let key = Some(key).filter(|_| map::is_entry(&stat));
                Ok(Found::Znode { path, entry: None, key, has_children: stat.num_children > 0 })
            }
            Answer::Found(_) => Err(odd_answer("list")),
        }
    }
}

/// What is left to be read.
enum Step {
    Znode(ZnodePath),
    Children(ZnodePath),
}

fn children(path: &ZnodePath, names: &[String]) -> Result<Vec<Step>> {
    names.iter().map(|name| path.join(name).map(Step::Znode).map_err(|_| odd_answer("list"))).collect()
}

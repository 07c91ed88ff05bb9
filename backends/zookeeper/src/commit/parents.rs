//! Directories: made when something is put below them, and out of the way when their parent is deleted.

use quorate_datasync::{Conflict, Consistency, Error, Key, List, Result};
use quorate_zk::{
    CreateMode, Delete, ErrorCode, Exists, Reply, ReplyBody, Request, Stat as ZnodeStat, ZnodePath,
};

use crate::error::classify;
use crate::inner::Inner;
use crate::map;
use crate::read::{Answer, odd_answer};

impl Inner {
    /// Makes a directory with all above it, in one round trip: containers, which the server removes when they are
    /// empty again; persistent ones where it has no containers.
    pub(super) async fn make_directories(&self, directory: &ZnodePath, key: &Key) -> Result<()> {
        if !self.make_as(directory, key, CreateMode::Container).await? {
            self.make_as(directory, key, CreateMode::Persistent).await?;
        }
        Ok(())
    }

    /// Makes the directories in this mode; `false` if the server does not know it.
    ///
    /// A server refuses a creation that is not allowed before it looks whether the znode is there. So a refusal
    /// counts only if the directory turns out not to be there.
    async fn make_as(&self, directory: &ZnodePath, key: &Key, mode: CreateMode) -> Result<bool> {
        let mut paths: Vec<ZnodePath> =
            std::iter::successors(Some(directory.clone()), ZnodePath::parent).collect();
        paths.retain(|path| !path.is_root());
        paths.reverse();
        let requests = paths.into_iter().map(|path| Request::Create(self.create(path, None, mode))).collect();
        let mut denied = None;
        for response in self.client.request_all(requests) {
            match response.await {
                Ok(_) => denied = None,
                Err(error) => match error.code() {
                    Some(ErrorCode::NodeExists) => denied = None,
                    Some(ErrorCode::NoAuth) => denied = Some(error),
                    Some(ErrorCode::Unimplemented) if mode == CreateMode::Container => return Ok(false),
                    Some(ErrorCode::NoChildrenForEphemerals) => {
                        return Err(Error::conflict(Conflict::BelowLeased, key));
                    }
                    // One was removed again meanwhile: the transaction is tried again anyway.
                    Some(ErrorCode::NoNode) if denied.is_none() => return Ok(true),
                    Some(ErrorCode::NoNode) => break,
                    // A directory that was made all the same does no harm: the transaction itself was not sent.
                    _ => return Err(classify("commit", Some(key), error.failed())),
                },
            }
        }
        match denied {
            Some(error) if self.stat_of(directory, key).await?.is_none() => {
                Err(classify("commit", Some(key), error))
            }
            _ => Ok(true),
        }
    }

    /// Takes the empty directories below a key out of the way of its deletion.
    pub(super) async fn prune(&self, key: &Key) -> Result<()> {
        let keys = self.list(&key.below(), List::Keys, Consistency::Synced).await?.into_keys();
        if !keys.is_empty() {
            return Err(Error::conflict(Conflict::HasChildren, key));
        }
        let mut directories = vec![key.clone()];
        let mut next = 0;
        while let Some(directory) = directories.get(next).cloned() {
            let names = self.list(&directory.below(), List::Names, Consistency::Local).await?.into_names();
            for name in names {
                directories.push(directory.join(&name)?);
            }
            next += 1;
        }
        // The deepest come last. Whatever became an entry, or got one below it, makes this fail, and the deletion that
        // it was for fail again.
        for directory in directories.iter().skip(1).rev() {
            let Some(stat) = self.znode_stat(directory).await?.filter(|stat| !map::is_entry(stat)) else {
                continue;
            };
            let path = self.paths.of(directory);
            let delete = Request::Delete(Delete { path, version: stat.version });
            if let Err(error) = self.client.request(delete).await {
                tracing::debug!(%directory, %error, "not removed");
            }
        }
        Ok(())
    }

    /// What is at a key, entry or directory, caught up with the leader.
    pub(super) async fn znode_stat(&self, key: &Key) -> Result<Option<ZnodeStat>> {
        self.stat_of(&self.paths.of(key), key).await
    }

    async fn stat_of(&self, path: &ZnodePath, key: &Key) -> Result<Option<ZnodeStat>> {
        let request = Request::Exists(Exists { path: path.clone(), watch: false });
        let answer = self.ask(Consistency::Synced, request).await;
        match answer.map_err(|error| classify("commit", Some(key), error.failed()))? {
            Answer::Missing(_) => Ok(None),
            Answer::Found(Reply { body: ReplyBody::Stat(stat), .. }) => Ok(Some(stat)),
            Answer::Found(_) => Err(odd_answer("commit")),
        }
    }
}

//! One single read of a listing of keys.

use quorate_datasync::{Consistency, Key, Result};
use quorate_zk::{Exists, Reply, ReplyBody, Request, ZnodePath};

use crate::error::classify;
use crate::inner::Inner;
use crate::map;
use crate::read::{Answer, odd_answer};

/// What is to be read.
#[derive(Debug)]
pub(super) enum Step {
    /// The stat of a znode.
    Znode(ZnodePath, Key),
    /// The names below one.
    Children(ZnodePath),
}

/// What a step found.
#[derive(Debug)]
pub(super) enum Found {
    /// The names below a znode.
    Names(ZnodePath, Vec<String>),
    /// A znode: its key if it is an entry, and how much is directly below it.
    Znode { path: ZnodePath, key: Option<Key>, children: usize },
    /// It is gone.
    Nothing,
}

impl Inner {
    /// Reads one znode, or the names below one. A leaf costs one read: its stat says that nothing is below it.
    pub(super) async fn step(&self, step: Step) -> Result<Found> {
        let (path, key) = match step {
            Step::Children(path) => {
                let (names, _) = self.names(&path, Consistency::Local).await?;
                return Ok(Found::Names(path, names));
            }
            Step::Znode(path, key) => (path, key),
        };
        let request = Request::Exists(Exists { path: path.clone(), watch: false });
        let answer = self.ask(Consistency::Local, request).await;
        match answer.map_err(|error| classify("list", Some(&key), error))? {
            Answer::Missing(_) => Ok(Found::Nothing),
            Answer::Found(Reply { body: ReplyBody::Stat(stat), .. }) => {
                let key = Some(key).filter(|_| map::is_entry(&stat));
                Ok(Found::Znode { path, key, children: map::children(&stat) })
            }
            Answer::Found(_) => Err(odd_answer("list")),
        }
    }
}

//! What is left to be read of a subtree.

use std::vec::IntoIter;

use quorate_datasync::{Key, Result};
use quorate_zk::ZnodePath;

use super::step::{Found, Step};
use crate::map::Paths;
use crate::read::odd_answer;

/// What is left to be read of a subtree. Paths are made as they are needed, from the names that the server gave.
#[derive(Debug)]
pub(super) struct Frontier {
    /// Znodes of which the names below are known and not read.
    unread: Vec<(ZnodePath, IntoIter<String>)>,
    /// Znodes that have something below them of which the names are not known, and how many.
    unlisted: Vec<(ZnodePath, usize)>,
}

impl Frontier {
    /// Everything below one path, of which the names are known.
    pub(super) fn of(base: ZnodePath, names: Vec<String>) -> Self {
        Self { unread: vec![(base, names.into_iter())], unlisted: Vec::new() }
    }

    /// Adds the names directly below a znode.
    pub(super) fn add_names(&mut self, path: ZnodePath, names: Vec<String>) {
        if !names.is_empty() {
            self.unread.push((path, names.into_iter()));
        }
    }

    /// Adds what is below a znode, so many children of unknown names.
    pub(super) fn add_unlisted(&mut self, path: ZnodePath, children: usize) {
        if children > 0 {
            self.unlisted.push((path, children));
        }
    }

    /// The next znode to be read. One whose name is no key is passed over, with all below it.
    pub(super) fn next_znode(&mut self, paths: &Paths) -> Result<Option<(ZnodePath, Key)>> {
        while let Some((parent, names)) = self.unread.last_mut() {
            let Some(name) = names.next() else {
                self.unread.pop();
                continue;
            };
            let path = parent.join(&name).map_err(|_| odd_answer("list"))?;
            if let Some(key) = paths.key(&path) {
                return Ok(Some((path, key)));
            }
        }
        Ok(None)
    }

    /// How many children the next znode to be listed has.
    pub(super) fn next_children(&self) -> Option<usize> {
        self.unlisted.last().map(|(_, children)| *children)
    }

    /// The next znode to be listed.
    pub(super) fn next_unlisted(&mut self) -> Option<ZnodePath> {
        self.unlisted.pop().map(|(path, _)| path)
    }

    /// The next thing to be read, whatever it is. Znodes first: names wait in memory.
    pub(super) fn next_step(&mut self, paths: &Paths) -> Result<Option<Step>> {
        let znode = self.next_znode(paths)?.map(|(path, key)| Step::Znode(path, key));
        Ok(znode.or_else(|| self.next_unlisted().map(Step::Children)))
    }

    /// Takes what a step found, and gives back the key of an entry.
    pub(super) fn take(&mut self, found: Found) -> Option<Key> {
        match found {
            Found::Names(path, names) => {
                self.add_names(path, names);
                None
            }
            Found::Znode { path, key, children } => {
                self.add_unlisted(path, children);
                key
            }
            Found::Nothing => None,
        }
    }
}

//! Many nodes: directories of a thousand each.

use std::io;
use std::net::SocketAddr;

use super::beat;
use crate::{
    raw::Raw,
    wire::{self, Record, int_at, request},
};

/// Nodes in a directory, and requests in one transaction.
const NODES: usize = 1_000;

/// A tree in the store, gone when this is dropped.
pub(crate) struct Tree {
    addr: SocketAddr,
    pub(crate) root: String,
    directories: usize,
}

impl Tree {
    /// Creates all nodes.
    pub(crate) fn create(addr: SocketAddr, root: String, directories: usize) -> io::Result<Self> {
        let tree = Self { addr, root, directories };
        let mut raw = Raw::connect(addr)?;
        raw.create_parents(&tree.root)?;
        raw.create_unless_there(&tree.root, &[])?;
        for directory in 0..directories {
            raw.create_unless_there(&tree.directory(directory), &[])?;
            tree.each_of(&mut raw, directory, |multi, path| {
                let create = multi.int(wire::CREATE).flag(false).int(-1).buffer(path.as_bytes());
                create.buffer(&beat::data(0)).open_acl().int(0)
            })?;
        }
        Ok(tree)
    }

    /// How many nodes hold data.
    pub(crate) const fn len(&self) -> usize {
        self.directories * NODES
    }

    fn directory(&self, directory: usize) -> String {
        format!("{}/d{directory:03}", self.root)
    }

    /// The path of a node, whatever its number.
    pub(crate) fn node(&self, number: usize) -> String {
        let number = number % self.len();
        format!("{}/n{:04}", self.directory(number / NODES), number % NODES)
    }

    /// Does the same to each node of a directory, in one transaction.
    fn each_of(
        &self,
        raw: &mut Raw,
        directory: usize,
        op: impl Fn(Record, &str) -> Record,
    ) -> io::Result<()> {
        let nodes = (0..NODES).map(|node| self.node(directory * NODES + node));
        let multi = nodes.fold(request(wire::MULTI), |multi, path| op(multi, &path));
        let reply = raw.ask(&multi.int(-1).flag(true).int(-1).frame())?;
        // The reply is a good one even if the transaction failed: then the first result is an error.
        match int_at(&reply, 16) {
            -1 => Err(io::Error::other(format!("the transaction on directory {directory} fails"))),
            _ => Ok(()),
        }
    }

    fn delete(&self) -> io::Result<()> {
        let mut raw = Raw::connect(self.addr)?;
        for directory in 0..self.directories {
            self.each_of(&mut raw, directory, |multi, path| {
                multi.int(wire::DELETE).flag(false).int(-1).buffer(path.as_bytes()).int(-1)
            })?;
            raw.ask(&delete(&self.directory(directory)))?;
        }
        raw.ask(&delete(&self.root)).map(|_| ())
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // A server that is gone has no nodes either.
        let _ = self.delete();
    }
}

fn delete(path: &str) -> Vec<u8> {
    request(wire::DELETE).buffer(path.as_bytes()).int(-1).frame()
}

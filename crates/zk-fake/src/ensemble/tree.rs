//! The znodes, and what a transaction does to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use bytes::Bytes;
use quorate_zk_proto::{ANY_VERSION, Acl, ErrorCode, Id, Perms, SessionId, Stat, ZnodePath, Zxid};

use super::{
    Millis,
    acl::{Schemes, require, resolve},
    quota::length,
    undo::Undo,
    znode::{Lifetime, Znode, kept},
};

/// Znodes that the server itself keeps, and lets nobody delete.
const SPECIAL: [&str; 4] = ["/", "/zookeeper", "/zookeeper/quota", CONFIG];

/// Where the configuration is.
const CONFIG: &str = "/zookeeper/config";

/// A write under way: its place in history, and on whose behalf it is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Txn<'a> {
    pub(crate) zxid: Zxid,
    pub(crate) now: Millis,
    pub(crate) identities: &'a [Id],
    pub(crate) schemes: Schemes,
    /// Whether subtrees may be too large.
    pub(crate) quotas: bool,
}

/// What watches are told of.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) path: ZnodePath,
    /// Who may hear of it: the znode's access list, and for the list of children its parent's.
    pub(crate) acl: Arc<[Acl]>,
    pub(crate) parent_acl: Arc<[Acl]>,
}

/// What happened to a znode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Created,
    DataSet,
    Deleted,
}

/// A znode to be created.
#[derive(Clone, Debug)]
pub(crate) struct NewZnode<'a> {
    pub(crate) path: &'a ZnodePath,
    pub(crate) data: Option<Bytes>,
    pub(crate) acl: &'a [Acl],
    pub(crate) lifetime: Lifetime,
    pub(crate) sequential: bool,
}

/// All znodes. Each write leaves everything as it was if it fails; several are kept by one
/// [`commit`](Self::commit) or undone by one [`roll_back`](Self::roll_back).
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: BTreeMap<Box<str>, Znode>,
    undo: Vec<Undo>,
    changes: Vec<Change>,
}

impl Tree {
    /// Makes the tree of a fresh server, and of a member of an ensemble with its configuration.
    pub(crate) fn new(config: Option<(String, Zxid)>) -> Self {
        let open: Arc<[Acl]> = [Acl::open()].into();
        let read: Arc<[Acl]> = [Acl::read()].into();
        let node = |acl: &Arc<[Acl]>, children: &[&str]| {
            let mut node = Znode::new(Zxid::ZERO, 0, Some(Bytes::new()), acl.clone(), Lifetime::Persistent);
            node.children.extend(children.iter().map(|&name| name.to_owned()));
            node
        };
        let nodes = [
            ("/", node(&open, &["zookeeper"])),
            ("/zookeeper", node(&open, &["config", "quota"])),
            (CONFIG, node(&read, &[])),
            ("/zookeeper/quota", node(&open, &[])),
        ];
        let mut nodes: BTreeMap<Box<str>, _> =
            nodes.into_iter().map(|(path, node)| (path.into(), node)).collect();
        if let Some(node) = nodes.get_mut(CONFIG) {
            node.head.aversion = -1;
            if let Some((config, zxid)) = config {
                node.head.mzxid = zxid;
                node.head.data = Some(config.into());
                node.head.version = ANY_VERSION;
            }
        }
        Self { nodes, undo: Vec::new(), changes: Vec::new() }
    }

    /// Creates a znode and returns its path, with the number of a sequential one.
    pub(crate) fn create(&mut self, txn: Txn<'_>, new: NewZnode<'_>) -> Result<ZnodePath, ErrorCode> {
        let acl = resolve(new.acl, txn.identities, txn.schemes)?;
        let Some(parent_path) = new.path.parent() else { return Err(ErrorCode::NodeExists) };
        let parent = self.get(&parent_path)?;
        require(Perms::CREATE, &parent.head.acl, txn.identities)?;
        let path = match new.sequential {
            true => numbered(new.path, parent.head.creations)?,
            false => new.path.clone(),
        };
        if self.nodes.contains_key(path.as_str()) {
            return Err(ErrorCode::NodeExists);
        }
        if matches!(parent.head.lifetime, Lifetime::Ephemeral(_)) {
            return Err(ErrorCode::NoChildrenForEphemerals);
        }
        self.check_quota(txn, &path, 1, signed(new.data.as_ref()))?;
        let parent = self.get_mut(&parent_path)?;
        let parent_acl = Arc::clone(&parent.head.acl);
        // Past the largest number the counter stays where it is, and suffixes repeat.
        parent.head.creations = parent.head.creations.saturating_add(1);
        parent.head.pzxid = txn.zxid;
        let node = Znode::new(txn.zxid, txn.now, new.data, Arc::clone(&acl), new.lifetime);
        self.insert(&path, node);
        self.undo.push(Undo::Created(path.clone()));
        self.changes.push(Change { kind: ChangeKind::Created, path: path.clone(), acl, parent_acl });
        Ok(path)
    }

    /// Deletes a childless znode.
    pub(crate) fn delete(&mut self, txn: Txn<'_>, path: &ZnodePath, version: i32) -> Result<(), ErrorCode> {
        if SPECIAL.contains(&path.as_str()) {
            return Err(ErrorCode::BadArguments);
        }
        let parent_path = path.parent().ok_or(ErrorCode::BadArguments)?;
        let parent = self.get(&parent_path)?;
        let node = self.get(path)?;
        require(Perms::DELETE, &parent.head.acl, txn.identities)?;
        match_version(node.head.version, version)?;
        if !node.children.is_empty() {
            return Err(ErrorCode::NotEmpty);
        }
        let acl = Arc::clone(&node.head.acl);
        let parent = self.get_mut(&parent_path)?;
        parent.head.pzxid = txn.zxid;
        let parent_acl = Arc::clone(&parent.head.acl);
        if let Some(node) = self.remove(path) {
            self.undo.push(Undo::Deleted(path.clone(), node.head));
        }
        self.changes.push(Change { kind: ChangeKind::Deleted, path: path.clone(), acl, parent_acl });
        Ok(())
    }

    /// Replaces the data.
    pub(crate) fn set_data(
        &mut self,
        txn: Txn<'_>,
        path: &ZnodePath,
        data: Option<Bytes>,
        version: i32,
    ) -> Result<Stat, ErrorCode> {
        let node = self.get(path)?;
        require(Perms::WRITE, &node.head.acl, txn.identities)?;
        self.check_quota(txn, path, 0, signed(data.as_ref()) - length(node))?;
        match_version(node.head.version, version)?;
        let node = self.get_mut(path)?;
        node.head.data = data.map(|data| kept(&data));
        node.head.version = node.head.version.wrapping_add(1);
        node.head.mzxid = txn.zxid;
        node.head.mtime = txn.now;
        let (stat, acl) = (node.stat(), Arc::clone(&node.head.acl));
        let parent_acl = Arc::clone(&acl);
        self.changes.push(Change { kind: ChangeKind::DataSet, path: path.clone(), acl, parent_acl });
        Ok(stat)
    }

    /// Replaces the configuration. Its version never changes.
    pub(crate) fn set_config(&mut self, txn: Txn<'_>, data: Bytes) -> Result<Stat, ErrorCode> {
        let path = ZnodePath::new(CONFIG).map_err(|_| ErrorCode::BadArguments)?;
        let stat = self.set_data(txn, &path, Some(data), ANY_VERSION)?;
        self.get_mut(&path)?.head.version = ANY_VERSION;
        Ok(Stat { version: ANY_VERSION, ..stat })
    }

    /// Replaces the access list. Nothing is told to watches.
    pub(crate) fn set_acl(
        &mut self,
        txn: Txn<'_>,
        path: &ZnodePath,
        acl: &[Acl],
        version: i32,
    ) -> Result<Stat, ErrorCode> {
        let acl = resolve(acl, txn.identities, txn.schemes)?;
        let node = self.get(path)?;
        require(Perms::ADMIN, &node.head.acl, txn.identities)?;
        match_version(node.head.aversion, version)?;
        let node = self.get_mut(path)?;
        node.head.acl = acl;
        node.head.aversion = node.head.aversion.wrapping_add(1);
        Ok(node.stat())
    }

    /// Checks that a znode exists in a version.
    pub(crate) fn check(&self, txn: Txn<'_>, path: &ZnodePath, version: i32) -> Result<(), ErrorCode> {
        let node = self.get(path)?;
        require(Perms::READ, &node.head.acl, txn.identities)?;
        match_version(node.head.version, version)
    }

    /// Keeps what was done, and returns what watches are to be told.
    pub(crate) fn commit(&mut self) -> Vec<Change> {
        self.undo.clear();
        std::mem::take(&mut self.changes)
    }

    /// Undoes everything since the last commit.
    pub(crate) fn roll_back(&mut self) {
        self.changes.clear();
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Created(path) => drop(self.remove(&path)),
                Undo::Deleted(path, head) => self.insert(&path, Znode { head, children: BTreeSet::new() }),
                Undo::Touched(path, head) => {
                    if let Some(node) = self.nodes.get_mut(path.as_str()) {
                        node.head = head;
                    }
                }
            }
        }
    }

    pub(crate) fn get(&self, path: &ZnodePath) -> Result<&Znode, ErrorCode> {
        self.nodes.get(path.as_str()).ok_or(ErrorCode::NoNode)
    }

    /// Returns the number of znodes, the server's own included.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the paths below `path`, at any depth.
    pub(crate) fn below<'a>(&'a self, path: &ZnodePath) -> impl Iterator<Item = &'a str> {
        let prefix = if path.is_root() { "/".to_owned() } else { format!("{path}/") };
        let from = (Bound::Excluded(prefix.as_str()), Bound::Unbounded);
        let paths = self.nodes.range::<str, _>(from).map(|(path, _)| &**path);
        paths.take_while(move |path| path.starts_with(&prefix))
    }

    /// Returns the paths of a session's ephemeral znodes.
    pub(crate) fn ephemerals(&self, session: SessionId) -> Vec<ZnodePath> {
        self.paths_where(|node| node.head.lifetime == Lifetime::Ephemeral(session))
    }

    /// Returns the paths of what the server may delete by itself: containers that lost their last child, and
    /// znodes whose time to live is over.
    pub(crate) fn reapable(&self, now: Millis) -> Vec<ZnodePath> {
        self.paths_where(|node| {
            node.children.is_empty()
                && match node.head.lifetime {
                    Lifetime::Container => node.head.creations > 0,
                    Lifetime::Ttl(ttl) => now.saturating_sub(node.head.mtime) > ttl.millis(),
                    Lifetime::Persistent | Lifetime::Ephemeral(_) => false,
                }
        })
    }

    fn paths_where(&self, wanted: impl Fn(&Znode) -> bool) -> Vec<ZnodePath> {
        let paths = self.nodes.iter().filter(|(_, node)| wanted(node));
        paths.filter_map(|(path, _)| ZnodePath::new(path).ok()).collect()
    }

    /// Gives access to a znode whose head, as it is now, comes back on a roll-back.
    fn get_mut(&mut self, path: &ZnodePath) -> Result<&mut Znode, ErrorCode> {
        let node = self.nodes.get_mut(path.as_str()).ok_or(ErrorCode::NoNode)?;
        self.undo.push(Undo::Touched(path.clone(), node.head.clone()));
        Ok(node)
    }

    fn insert(&mut self, path: &ZnodePath, node: Znode) {
        self.nodes.insert(path.as_str().into(), node);
        if let Some((children, name)) = self.siblings(path) {
            children.insert(name.to_owned());
        }
    }

    fn remove(&mut self, path: &ZnodePath) -> Option<Znode> {
        if let Some((children, name)) = self.siblings(path) {
            children.remove(name);
        }
        self.nodes.remove(path.as_str())
    }

    /// Returns the names in a znode's parent, and its own.
    fn siblings<'a>(&mut self, path: &'a ZnodePath) -> Option<(&mut BTreeSet<String>, &'a str)> {
        let parent = self.nodes.get_mut(path.parent()?.as_str())?;
        Some((&mut parent.children, path.name()?))
    }
}

fn signed(data: Option<&Bytes>) -> i64 {
    data.map_or(0, |data| i64::try_from(data.len()).unwrap_or(i64::MAX))
}

fn match_version(current: i32, expected: i32) -> Result<(), ErrorCode> {
    if expected == ANY_VERSION || expected == current { Ok(()) } else { Err(ErrorCode::BadVersion) }
}

fn numbered(path: &ZnodePath, number: i32) -> Result<ZnodePath, ErrorCode> {
    ZnodePath::new(&format!("{path}{number:010}")).map_err(|_| ErrorCode::BadArguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_the_largest_number_suffixes_repeat() {
        let mut tree = Tree::new(None);
        let identities = [Id::anyone()];
        let txn = Txn {
            zxid: Zxid::new(1),
            now: 1,
            identities: &identities,
            schemes: Schemes::default(),
            quotas: false,
        };
        tree.get_mut(&ZnodePath::root()).unwrap().head.creations = i32::MAX - 1;
        let path = ZnodePath::new("/n-").unwrap();
        let acl = [Acl::open()];
        let lifetime = Lifetime::Persistent;
        let mut create = || {
            let new = NewZnode { path: &path, data: None, acl: &acl, lifetime, sequential: true };
            tree.create(txn, new).map(|path| path.to_string())
        };
        assert_eq!(create(), Ok("/n-2147483646".into()));
        assert_eq!(create(), Ok("/n-2147483647".into()));
        assert_eq!(create(), Err(ErrorCode::NodeExists));
    }
}

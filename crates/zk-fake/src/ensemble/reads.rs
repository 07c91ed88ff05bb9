//! Answers that change nothing but watches.

use quorate_zk_proto::{
    ClientIdentity, ErrorCode, GetChildren, Id, MultiReadOp, MultiReadResult, Perms, ReplyBody, Request,
    SessionId, WatcherType, ZnodePath,
};

use super::{
    ConnectionId, Ensemble,
    acl::{require, shown},
    znode::Znode,
};
use quorate_zk_proto::ServerVersion;

impl Ensemble {
    /// Answers a request that writes nothing. Where it sets a watch, the watch covers what it answers.
    pub(super) fn read(
        &mut self,
        id: ConnectionId,
        session: SessionId,
        request: Request,
    ) -> Result<ReplyBody, ErrorCode> {
        match request {
            Request::Exists(exists) => {
                if self.config.version >= ServerVersion::V3_9
                    && let Ok(node) = self.tree_at(id).get(&exists.path)
                {
                    require(Perms::READ, &node.head.acl, self.identities(id))?;
                }
                if exists.watch {
                    self.watches_at(id).watch_data(id, &exists.path);
                }
                self.tree_at(id).get(&exists.path).map(|node| ReplyBody::Stat(node.stat()))
            }
            Request::GetData(get) => {
                let node = self.readable(id, &get.path)?;
                let body = ReplyBody::Data { data: node.head.data.clone(), stat: node.stat() };
                if get.watch {
                    self.watches_at(id).watch_data(id, &get.path);
                }
                Ok(body)
            }
            Request::GetChildren(get) => self.list(id, &get, |_| None),
            Request::GetChildrenWithStat(get) => self.list(id, &get, |node| Some(node.stat())),
            Request::GetAcl(get) => {
                let (node, identities) = (self.tree_at(id).get(&get.path)?, self.identities(id));
                require(Perms::READ | Perms::ADMIN, &node.head.acl, identities)?;
                Ok(ReplyBody::Acl { acl: shown(&node.head.acl, identities), stat: node.stat() })
            }
            Request::MultiRead(multi) => {
                Ok(ReplyBody::MultiRead(multi.ops.iter().map(|op| self.read_item(id, op)).collect()))
            }
            Request::AddWatch(add) => {
                self.watches_at(id).add(id, &add.path, add.mode);
                Ok(ReplyBody::WatchAdded)
            }
            Request::CheckWatches(check) => self.check_watches(id, &check.path, check.kind),
            Request::RemoveWatches(remove) => self.remove_watches(id, &remove.path, remove.kind),
            Request::GetEphemerals(get) => {
                let paths = self.tree_at(id).ephemerals(session).into_iter().map(|path| path.to_string());
                Ok(ReplyBody::Ephemerals(paths.filter(|path| path.starts_with(get.prefix.trim())).collect()))
            }
            Request::GetAllChildrenNumber(get) => {
                self.readable(id, &get.path)?;
                let number = self.tree_at(id).below(&get.path).count();
                Ok(ReplyBody::AllChildrenNumber(i32::try_from(number).unwrap_or(i32::MAX)))
            }
            Request::WhoAmI => Ok(ReplyBody::Identities(self.identities(id).iter().map(client).collect())),
            _ => Err(ErrorCode::Unimplemented),
        }
    }

    /// Returns who the client of a connection has proved to be.
    pub(super) fn identities(&self, id: ConnectionId) -> &[Id] {
        self.connections.get(&id).map_or(&[], |connection| &connection.identities)
    }

    fn readable(&self, id: ConnectionId, path: &ZnodePath) -> Result<&Znode, ErrorCode> {
        let node = self.tree_at(id).get(path)?;
        require(Perms::READ, &node.head.acl, self.identities(id))?;
        Ok(node)
    }

    fn list(
        &mut self,
        id: ConnectionId,
        get: &GetChildren,
        stat: impl FnOnce(&Znode) -> Option<quorate_zk_proto::Stat>,
    ) -> Result<ReplyBody, ErrorCode> {
        let node = self.readable(id, &get.path)?;
        let body = ReplyBody::Children { names: node.children.iter().cloned().collect(), stat: stat(node) };
        if get.watch {
            self.watches_at(id).watch_children(id, &get.path);
        }
        Ok(body)
    }

    fn read_item(&self, id: ConnectionId, op: &MultiReadOp) -> MultiReadResult {
        let result = match op {
            MultiReadOp::Data(path) => self
                .readable(id, path)
                .map(|node| MultiReadResult::Data { data: node.head.data.clone(), stat: node.stat() }),
            MultiReadOp::Children(path) => self
                .readable(id, path)
                .map(|node| MultiReadResult::Children { names: node.children.iter().cloned().collect() }),
        };
        result.unwrap_or_else(MultiReadResult::Error)
    }

    fn remove_watches(
        &mut self,
        id: ConnectionId,
        path: &ZnodePath,
        kind: WatcherType,
    ) -> Result<ReplyBody, ErrorCode> {
        self.require_kind(kind)?;
        found(self.watches_at(id).remove(id, path, kind))
    }

    fn check_watches(
        &mut self,
        id: ConnectionId,
        path: &ZnodePath,
        kind: WatcherType,
    ) -> Result<ReplyBody, ErrorCode> {
        self.require_kind(kind)?;
        found(self.watches_at(id).contains(id, path, kind))
    }

    fn require_kind(&self, kind: WatcherType) -> Result<(), ErrorCode> {
        let new_kind = matches!(kind, WatcherType::Persistent | WatcherType::PersistentRecursive);
        match new_kind && self.config.version < ServerVersion::V3_9 {
            true => Err(ErrorCode::MarshallingError),
            false => Ok(()),
        }
    }
}

const fn found(found: bool) -> Result<ReplyBody, ErrorCode> {
    if found { Ok(ReplyBody::Done) } else { Err(ErrorCode::NoWatcher) }
}

fn client(id: &Id) -> ClientIdentity {
    let user = id.id.split(':').next().unwrap_or_default();
    ClientIdentity { scheme: id.scheme.clone(), user: user.to_owned() }
}

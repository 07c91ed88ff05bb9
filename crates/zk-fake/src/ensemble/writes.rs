//! Answers to what changes the tree.

use quorate_zk_proto::{
    Create, CreateMode, ErrorCode, Multi, MultiOp, MultiResult, OpCode, ReplyBody, Request, SessionId, Stat,
    ZnodePath,
};

use super::{
    ConnectionId, Ensemble, Millis,
    tree::{NewZnode, Tree, Txn},
    znode::{Lifetime, Znode},
};
use quorate_zk_proto::ServerVersion;

/// What decides how znodes are created.
#[derive(Clone, Copy, Debug)]
struct Rules {
    session: SessionId,
    ttl_nodes: bool,
    /// Whether a multi answers `create2` with a stat (ZOOKEEPER-4026).
    stat_in_multi: bool,
}

impl Ensemble {
    /// Applies a write as one transaction.
    pub(super) fn write(
        &mut self,
        now: Millis,
        id: ConnectionId,
        session: SessionId,
        op: i32,
        request: Request,
    ) -> Result<ReplyBody, ErrorCode> {
        let rules = Rules {
            session,
            ttl_nodes: self.config.ttl_nodes,
            stat_in_multi: self.config.version >= ServerVersion::V3_9,
        };
        let identities = self.identities(id).to_vec();
        self.transact(now, &identities, |tree, txn| match request {
            Request::Create(create) | Request::CreateWithStat(create) => {
                let lifetime = alone(op, Lifetime::of(create.mode, session));
                let (path, stat) = rules.create(tree, txn, create, lifetime)?;
                let with_stat = op != OpCode::Create.code();
                Ok(ReplyBody::Created { path, stat: with_stat.then_some(stat) })
            }
            Request::Delete(delete) => {
                tree.delete(txn, &delete.path, delete.version).map(|()| ReplyBody::Done)
            }
            Request::SetData(set) => {
                tree.set_data(txn, &set.path, set.data, set.version).map(ReplyBody::Stat)
            }
            Request::SetAcl(set) => tree.set_acl(txn, &set.path, &set.acl, set.version).map(ReplyBody::Stat),
            Request::Multi(multi) => Ok(ReplyBody::Multi(rules.multi(tree, txn, multi))),
            _ => Err(ErrorCode::Unimplemented),
        })
    }
}

impl Rules {
    fn create(
        self,
        tree: &mut Tree,
        txn: Txn<'_>,
        create: Create,
        lifetime: Lifetime,
    ) -> Result<(ZnodePath, Stat), ErrorCode> {
        if create.mode.ttl().is_some() && !self.ttl_nodes {
            return Err(ErrorCode::Unimplemented);
        }
        let Create { path, data, acl, mode } = create;
        let sequential = mode.is_sequential();
        let path = tree.create(txn, NewZnode { path: &path, data, acl: &acl, lifetime, sequential })?;
        let stat = tree.get(&path).map(Znode::stat)?;
        Ok((path, stat))
    }

    /// All or nothing. If one fails, those before it are answered by no error at all, those after it by
    /// [`ErrorCode::RuntimeInconsistency`].
    fn multi(self, tree: &mut Tree, txn: Txn<'_>, multi: Multi) -> Vec<MultiResult> {
        let count = multi.ops.len();
        let mut results = Vec::with_capacity(count);
        for op in multi.ops {
            match self.item(tree, txn, op) {
                Ok(result) => results.push(result),
                Err(code) => {
                    tree.roll_back();
                    results.fill(MultiResult::Error(ErrorCode::Ok));
                    results.push(MultiResult::Error(code));
                    results.resize(count, MultiResult::Error(ErrorCode::RuntimeInconsistency));
                    return results;
                }
            }
        }
        results
    }

    fn item(self, tree: &mut Tree, txn: Txn<'_>, op: MultiOp) -> Result<MultiResult, ErrorCode> {
        Ok(match op {
            MultiOp::Create(create) => {
                let with_stat = create.mode == CreateMode::Container || create.mode.ttl().is_some();
                self.create_item(tree, txn, create, with_stat)?
            }
            MultiOp::CreateWithStat(create) => {
                let with_stat = self.stat_in_multi || create.mode == CreateMode::Container;
                self.create_item(tree, txn, create, with_stat)?
            }
            MultiOp::Delete(delete) => {
                tree.delete(txn, &delete.path, delete.version)?;
                MultiResult::Deleted
            }
            MultiOp::SetData(set) => {
                MultiResult::DataSet(tree.set_data(txn, &set.path, set.data, set.version)?)
            }
            MultiOp::Check(check) => {
                tree.check(txn, &check.path, check.version)?;
                MultiResult::Checked
            }
        })
    }

    fn create_item(
        self,
        tree: &mut Tree,
        txn: Txn<'_>,
        create: Create,
        with_stat: bool,
    ) -> Result<MultiResult, ErrorCode> {
        let lifetime = Lifetime::of(create.mode, self.session);
        let (path, stat) = self.create(tree, txn, create, lifetime)?;
        Ok(MultiResult::Created { path, stat: with_stat.then_some(stat) })
    }
}

/// Outside a multi it is the operation, not the flag, that makes a container.
fn alone(op: i32, lifetime: Lifetime) -> Lifetime {
    match (OpCode::from_code(op), lifetime) {
        (Some(OpCode::CreateContainer), _) => Lifetime::Container,
        (_, Lifetime::Container) => Lifetime::Persistent,
        _ => lifetime,
    }
}

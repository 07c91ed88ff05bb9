//! Writes that belong to no session: what an outsider does to the tree.

use bytes::Bytes;
use quorate_zk_proto::{ANY_VERSION, Acl, ErrorCode, Stat, ZnodePath};

use super::{
    Ensemble, Millis,
    acl::superuser,
    tree::{NewZnode, Tree, Txn},
    znode::{Lifetime, Znode},
};

impl Ensemble {
    /// Sets data, and creates what is missing on the way there.
    pub(crate) fn set_raw(&mut self, now: Millis, path: &ZnodePath, data: Bytes) -> Result<Stat, ErrorCode> {
        if let Some(parent) = path.parent().filter(|parent| self.tree.get(parent).is_err()) {
            self.set_raw(now, &parent, Bytes::new())?;
        }
        self.write_raw(now, |tree, txn| {
            if tree.get(path).is_ok() {
                return tree.set_data(txn, path, Some(data), ANY_VERSION);
            }
            let acl = [Acl::open()];
            let lifetime = Lifetime::Persistent;
            tree.create(txn, NewZnode { path, data: Some(data), acl: &acl, lifetime, sequential: false })?;
            tree.get(path).map(Znode::stat)
        })
    }

    /// Deletes a znode and everything below it; each deletion is a transaction of its own.
    pub(crate) fn delete_raw(&mut self, now: Millis, path: &ZnodePath) -> Result<(), ErrorCode> {
        let mut doomed: Vec<_> = self.tree.below(path).filter_map(|path| ZnodePath::new(path).ok()).collect();
        // Children sort behind their parents.
        doomed.reverse();
        doomed.push(path.clone());
        for path in doomed {
            self.write_raw(now, |tree, txn| tree.delete(txn, &path, ANY_VERSION))?;
        }
        Ok(())
    }

    /// Deletes unused containers and what outlived its time to live, and returns their paths.
    pub(crate) fn reap(&mut self, now: Millis) -> Vec<ZnodePath> {
        let mut reaped = self.tree.reapable(now);
        reaped.retain(|path| self.write_raw(now, |tree, txn| tree.delete(txn, path, ANY_VERSION)).is_ok());
        reaped
    }

    fn write_raw<T>(
        &mut self,
        now: Millis,
        write: impl FnOnce(&mut Tree, Txn<'_>) -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode> {
        if !self.has_quorum() {
            return Err(ErrorCode::NotReadOnly);
        }
        self.transact(now, &[superuser()], write)
    }
}

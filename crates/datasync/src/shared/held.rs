//! Writing under a lock that somebody else holds for us.

use super::edit::{Edit, EditFailure, Edited, Editor};
use super::terms::DECISIONS_MAX;
use crate::{Conflict, Consistency, Entry, Error, Key, Result, Revision, Txn, Want};

/// The key whose entry shows whether a lock is held, and the token that its holder was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldLock {
    /// The lock's entry.
    pub entry: Key,
    /// The fencing token of its holder.
    pub token: Revision,
}

impl HeldLock {
    /// The lock that another handle or process holds for this one.
    #[must_use]
    pub const fn new(entry: Key, token: Revision) -> Self {
        Self { entry, token }
    }
}

impl Editor {
    /// Writes under a lock that somebody else holds for us, and leaves it held.
    ///
    /// The lock entry is checked but not consumed, so an outcome left open by a lost connection stays open.
    pub(crate) async fn through<E>(
        &self,
        held: &HeldLock,
        mut decide: impl FnMut(Option<&Entry>) -> Result<Edit, E>,
    ) -> Result<Edited, EditFailure<E>> {
        let lost = || Error::conflict(Conflict::Absent, &held.entry).because("the lock is not held any more");
        let lock = self.store.get(&held.entry, Want::Stat, Consistency::Synced).await?.stat();
        if lock.is_none_or(|stat| stat.created != held.token) {
            return Err(lost().into());
        }
        for _ in 0..DECISIONS_MAX {
            let current = self.read(Consistency::Synced).await?;
            let edit = match decide(current.as_ref()).map_err(EditFailure::Refused)? {
                Edit::Keep => return Ok(Edited::Kept(current)),
                Edit::Delete if current.is_none() => return Ok(Edited::Kept(None)),
                edit => edit,
            };
            let key = &self.layout.payload;
            let txn = Txn::new().check_present(&held.entry);
            let txn = match (&current, &edit) {
                (Some(entry), _) => txn.check_version(key, entry.version),
                (None, _) => txn.check_absent(key),
            };
            let txn = match &edit {
                Edit::Put(payload) => txn.put(key, payload.clone()),
                Edit::Delete | Edit::Keep => txn.delete(key),
            };
            match self.store.commit(txn).await {
                Ok(committed) => {
                    return Ok(Edited::acknowledged(&edit, committed.written, committed.revision));
                }
                Err(error) if error.as_conflict().is_none() => return Err(error.into()),
                Err(error) if error.key() == Some(&held.entry) => return Err(lost().caused_by(error).into()),
                Err(_) => {}
            }
        }
        Err(self.contended().into())
    }
}

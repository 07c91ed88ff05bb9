//! From the results of a multi to what the transaction did.

use quorate_datasync::{
    Answer, Committed, Consistency, Key, List, Result, Revision, Stat, ThenRead, Txn, Want, Write, Written,
};
use quorate_zk::{ErrorCode, GetChildren, GetData, MultiResult, Reply, ReplyBody, Request, Response};

use super::plan::{Role, demanded};
use crate::inner::Inner;
use crate::map;

impl Inner {
    /// The request of a trailing read.
    pub(super) fn trailing(&self, read: &ThenRead) -> Request {
        match read {
            ThenRead::Get(key) => Request::GetData(GetData { path: self.paths.of(key), watch: false }),
            ThenRead::Names(prefix) => {
                Request::GetChildren(GetChildren { path: self.paths.below(prefix), watch: false })
            }
        }
    }

    /// The answer of a trailing read; asked for again if the connection was lost after the multi was applied.
    pub(super) async fn answer(&self, read: &ThenRead, response: Response) -> Result<Answer> {
        match (read, response.await) {
            (ThenRead::Get(key), Ok(Reply { body: ReplyBody::Data { data, stat }, .. })) => {
                Ok(Answer::Entry(map::entry(key, data, &stat)))
            }
            (ThenRead::Names(prefix), Ok(Reply { body: ReplyBody::Children { mut names, .. }, .. })) => {
                let path = self.paths.below(prefix);
                names.retain(|name| !self.paths.is_reserved_below(&path, name));
                Ok(Answer::Names(names))
            }
            (ThenRead::Get(_), Err(error)) if error.code() == Some(ErrorCode::NoNode) => {
                Ok(Answer::Entry(None))
            }
            (ThenRead::Names(_), Err(error)) if error.code() == Some(ErrorCode::NoNode) => {
                Ok(Answer::Names(Vec::new()))
            }
            // Whichever server answers now has applied the multi: the client never goes back.
            (ThenRead::Get(key), _) => {
                Ok(Answer::Entry(self.read(key, Want::Value, Consistency::Local).await?.into_entry()))
            }
            (ThenRead::Names(prefix), _) => {
                Ok(Answer::Names(self.list(prefix, List::Names, Consistency::Local).await?.into_names()))
            }
        }
    }

    /// What an applied transaction did, write by write.
    pub(super) fn describe(
        &self,
        txn: &Txn,
        roles: &[Role],
        results: &[MultiResult],
        revision: Revision,
        answers: Vec<Answer>,
    ) -> Committed {
        let written = txn.writes().iter().enumerate().map(|(index, write)| match write {
            Write::Put { value, lease, .. } | Write::CreateUnique { value, lease, .. } => {
                let key = self.written_key(index, write, roles, results);
                match (key, result(index, roles, results)) {
                    (Some(key), Some(MultiResult::DataSet(stat))) => {
                        if demanded(txn, &key).is_some_and(|demanded| demanded.created() != map::revision(stat.czxid)) {
                            tracing::warn!(%key, %revision, "a key that was recreated meanwhile was overwritten");
                        }
                        Written::Put(map::stat(&key, stat))
                    }
                    (Some(key), _) => {
                        let version = map::version_of_new(revision, lease.is_some());
                        let stat = Stat::new(key, revision, revision, version)
                            .lease(lease.as_ref().map(quorate_datasync::LeaseRef::id))
                            .value_bytes(value.len());
                        Written::Put(stat)
                    }
                    (None, _) => Written::Directory,
                }
            }
            Write::Delete { .. } => Written::Deleted,
            Write::KeepDirectory { .. } | Write::RemoveDirectory { .. } => Written::Directory,
        });
        Committed::new(revision, written.collect(), answers)
    }

    /// The key of a put; of a unique one, the name that the server gave it.
    pub(super) fn written_key(
        &self,
        index: usize,
        write: &Write,
        roles: &[Role],
        results: &[MultiResult],
    ) -> Option<Key> {
        match (write, result(index, roles, results)) {
            (Write::CreateUnique { .. }, Some(MultiResult::Created { path, .. })) => self.paths.key(path),
            (Write::CreateUnique { .. }, _) => None,
            _ => write.key().cloned(),
        }
    }
}

/// The last result of a write: a directory that becomes a leased entry is deleted and then created.
fn result<'r>(index: usize, roles: &[Role], results: &'r [MultiResult]) -> Option<&'r MultiResult> {
    let at = roles.iter().rposition(|role| *role == Role::Write(index))?;
    results.get(at)
}

//! Leases: a file per holder, whose lock ends with the process.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use quorate_datasync::{Error, ErrorKind, LeaseControl, Result};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::fs::{FileId, beside, hold, remove};
use crate::request::WriteRequest;
use crate::shared::Shared;

/// A random number that is positive in SQLite.
pub(crate) fn random_id() -> i64 {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    // The bits that a UUID gives to its version stay as they are: 58 random ones are left.
    i64::try_from(high >> 1).unwrap_or(i64::MAX)
}

/// The file of a holder.
pub(crate) fn holder_path(database: &Path, holder: i64) -> PathBuf {
    beside(database, &format!("-lease-{holder:016x}"))
}

/// The file whose lock says that this store is alive. Dropping it ends the lock.
#[derive(Debug)]
pub(crate) struct OwnLock {
    pub(crate) holder: i64,
    path: PathBuf,
    file: File,
}

impl OwnLock {
    /// Makes the file and locks it.
    pub(crate) fn take(database: &Path) -> io::Result<Self> {
        loop {
            let holder = random_id();
            let path = holder_path(database, holder);
            if let Some(file) = hold(&path, FlockOperation::NonBlockingLockExclusive)? {
                return Ok(Self { holder, path, file });
            }
        }
    }

    /// Whether others still find the lock. Without its file they take this store for dead.
    pub(crate) fn is_in_place(&self) -> bool {
        match (FileId::at(&self.path), FileId::of(&self.file)) {
            (Ok(at), Ok(of)) => at == Some(of),
            // A failure to look is no proof.
            (Err(_), _) | (_, Err(_)) => true,
        }
    }

    /// Removes the file, once nothing is under its leases.
    pub(crate) fn remove(self) {
        if let Err(error) = remove(&self.path) {
            tracing::debug!(%error, path = %self.path.display(), "a lease file stays behind");
        }
    }
}

/// Removes the lease files that no holder has registered and nobody holds: of processes that died too early.
pub(crate) fn remove_orphans(database: &Path, registered: &[i64]) {
    let (Some(folder), Some(name)) = (database.parent(), database.file_name()) else { return };
    let start = format!("{}-lease-", name.to_string_lossy());
    for found in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_orphan = found
            .file_name()
            .to_str()
            .and_then(|name| i64::from_str_radix(name.strip_prefix(&start)?, 16).ok())
            .is_some_and(|holder| !registered.contains(&holder));
        // Who removes a file holds it, so nobody can take it for theirs meanwhile.
        if is_orphan
            && let Ok(Some(_held)) = hold(&found.path(), FlockOperation::NonBlockingLockExclusive)
            && let Err(error) = remove(&found.path())
        {
            tracing::debug!(%error, path = %found.path().display(), "a lease file stays behind");
        }
    }
}

/// Who is alive among the holders of leases, asked of their locks each time.
///
/// So a dead holder's keys are invisible from the moment at which its process is gone, whether or not anybody has
/// deleted them yet. Holders have random numbers: who is dead once stays dead.
#[derive(Debug)]
pub(crate) struct Holders {
    database: PathBuf,
    /// The open file of each holder that was met; `None` for the dead.
    known: HashMap<i64, Option<File>>,
}

impl Holders {
    pub(crate) fn new(database: &Path) -> Self {
        Self { database: database.to_owned(), known: HashMap::new() }
    }

    /// Whether the process behind this holder runs. Doubt counts as life.
    pub(crate) fn is_alive(&mut self, holder: i64) -> bool {
        let state = match self.known.get_mut(&holder) {
            Some(state) => state,
            None => match File::open(holder_path(&self.database, holder)) {
                Ok(file) => self.known.entry(holder).or_insert(Some(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.known.entry(holder).or_insert(None)
                }
                Err(_) => return true,
            },
        };
        let Some(file) = state else { return false };
        // Shared, so that those who ask at the same time do not take each other for the holder.
        match rustix::fs::flock(&*file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => {
                *state = None;
                false
            }
            Err(Errno::WOULDBLOCK) => file_is_in_place(&self.database, holder, state),
            Err(_) => true,
        }
    }

    /// Forgets all holders but these.
    pub(crate) fn retain(&mut self, holders: &[i64]) {
        if self.known.len() > holders.len() {
            let holders: HashSet<i64> = holders.iter().copied().collect();
            self.known.retain(|holder, _| holders.contains(holder));
        }
    }
}

/// Whether the file that is locked is the one that all others find.
fn file_is_in_place(database: &Path, holder: i64, state: &mut Option<File>) -> bool {
    let at = FileId::at(&holder_path(database, holder));
    let of = state.as_ref().map(FileId::of);
    match (at, of) {
        (Ok(at), Some(Ok(of))) if at != Some(of) => {
            *state = None;
            false
        }
        _ => true,
    }
}

/// Ends a lease by way of the thread that writes.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) lease: i64,
    pub(crate) shared: Arc<Shared>,
    /// Weak, so that a lease does not keep a store open.
    pub(crate) writer: mpsc::WeakSender<WriteRequest>,
}

#[async_trait]
impl LeaseControl for Control {
    async fn revoke(&self) -> Result<()> {
        self.shared.check_process("revoke")?;
        // A store that is closed has ended its leases.
        let Some(writer) = self.writer.upgrade() else { return Ok(()) };
        let (reply, answer) = oneshot::channel();
        if writer.send(WriteRequest::Revoke { lease: self.lease, reply }).await.is_err() {
            return Ok(());
        }
        answer.await.unwrap_or_else(|_| Err(Error::new(ErrorKind::Closed, "revoke")))
    }

    fn revoke_in_background(&self) {
        if self.shared.check_process("revoke").is_err() {
            return;
        }
        self.shared.revoke_later(self.lease);
        WriteRequest::tend(&self.writer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_lives_as_long_as_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("state.db");
        let own = OwnLock::take(&database).unwrap();
        let (mut one, mut two) = (Holders::new(&database), Holders::new(&database));
        assert!(one.is_alive(own.holder) && two.is_alive(own.holder));
        assert!(own.is_in_place());
        let holder = own.holder;
        drop(own);
        assert!(!one.is_alive(holder) && !two.is_alive(holder));
        assert!(!one.is_alive(holder), "who is dead stays dead");
    }

    #[test]
    fn a_holder_without_its_file_is_dead_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("state.db");
        let own = OwnLock::take(&database).unwrap();
        let mut before = Holders::new(&database);
        assert!(before.is_alive(own.holder));
        remove(&holder_path(&database, own.holder)).unwrap();
        assert!(!own.is_in_place());
        assert!(!before.is_alive(own.holder));
        assert!(!Holders::new(&database).is_alive(own.holder));
    }
}

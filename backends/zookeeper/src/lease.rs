//! Leases: all of one store are its session, and each remembers what was put under it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use quorate_datasync::{
    Consistency, Error, ErrorKind, Key, Lease, LeaseControl, LeaseId, List, Result, Want,
};
use quorate_zk::{Delete, ErrorCode, Request, SessionToken};
use tokio::runtime::Handle;

use crate::error::classify;
use crate::inner::Inner;

/// The version that a server takes for "any".
const ANY: i32 = -1;

/// The pause before keys that could not be deleted are tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// What was put under each lease of this store.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    last: AtomicU64,
    held: Mutex<HashMap<u64, Held>>,
}

/// What was put under one lease.
#[derive(Debug)]
pub(crate) struct Held {
    /// The session that it is.
    session: SessionToken,
    keys: HashSet<Key>,
    /// Names that may have been created without an answer: what they are below of, and what they begin with.
    stems: HashSet<(Key, String)>,
}

impl Grants {
    fn open(&self, session: SessionToken) -> u64 {
        let grant = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut held = self.lock();
        // Sessions that are over have taken their keys with them.
        held.retain(|_, held| !held.session.has_expired());
        held.insert(grant, Held { session, keys: HashSet::new(), stems: HashSet::new() });
        grant
    }

    /// The session of a lease that this store granted and that was not given back.
    pub(crate) fn session(&self, grant: u64) -> Option<SessionToken> {
        self.lock().get(&grant).map(|held| held.session.clone())
    }

    /// A key is put under a lease. It is remembered before it is sent, since nobody may be there to take the answer.
    /// Gives whether it was not remembered before.
    pub(crate) fn add(&self, grant: u64, key: &Key) -> bool {
        self.lock().get_mut(&grant).is_some_and(|held| held.keys.insert(key.clone()))
    }

    /// A key whose name the server makes is put under a lease.
    pub(crate) fn add_stem(&self, grant: u64, parent: &Key, stem: &str) {
        if let Some(held) = self.lock().get_mut(&grant) {
            held.stems.insert((parent.clone(), stem.to_owned()));
        }
    }

    /// The name of a key is known, or it was not made.
    pub(crate) fn remove_stem(&self, grant: u64, parent: &Key, stem: &str) {
        if let Some(held) = self.lock().get_mut(&grant) {
            held.stems.remove(&(parent.clone(), stem.to_owned()));
        }
    }

    /// A key was deleted.
    pub(crate) fn remove(&self, key: &Key) {
        for held in self.lock().values_mut() {
            held.keys.remove(key);
        }
    }

    /// The lease of this store that a key was put under.
    pub(crate) fn of(&self, key: &Key) -> Option<u64> {
        self.lock().iter().find(|(_, held)| held.keys.contains(key)).map(|(grant, _)| *grant)
    }

    fn take(&self, grant: u64) -> Option<Held> {
        self.lock().remove(&grant)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Grants a lease of the session, once there is one.
    pub(crate) async fn grant(self: &Arc<Self>) -> Result<Lease> {
        let session = self.client.session().await.map_err(|error| classify("grant", None, error))?;
        let grant = self.grants.open(session.clone());
        let id = LeaseId::new(session.id().get().cast_unsigned());
        let control = Arc::new(Control { inner: Arc::clone(self), id, grant, runtime: Handle::current() });
        Ok(Lease::new(id, grant, session.timeout(), session.expired(), control))
    }

    /// Deletes what was put under a lease, as far as it still is this session's.
    async fn revoke(&self, id: LeaseId, held: &Held) -> Result<()> {
        let mut keys: HashSet<Key> = held.keys.clone();
        for (parent, stem) in &held.stems {
            let names = self.list(&parent.below(), List::Names, Consistency::Synced).await?.into_names();
            let ours = names.iter().filter(|name| name.starts_with(stem));
            keys.extend(ours.filter_map(|name| parent.join(name).ok()));
        }
        let deleted = keys.iter().map(|key| async move {
            let stat = self.read(key, Want::Stat, Consistency::Local).await?.stat();
            if stat.is_none_or(|stat| stat.lease != Some(id)) {
                return Ok(());
            }
            let delete = Request::Delete(Delete { path: self.paths.of(key), version: ANY });
            match self.client.request(delete).await {
                Err(error) if error.code() != Some(ErrorCode::NoNode) => {
                    Err(classify("revoke", Some(key), error))
                }
                _ => Ok(()),
            }
        });
        join_all(deleted).await.into_iter().collect()
    }
}

/// Ends one lease.
#[derive(Debug)]
struct Control {
    inner: Arc<Inner>,
    id: LeaseId,
    grant: u64,
    /// Where it is ended, also if it is dropped on a thread that is not of a runtime.
    runtime: Handle,
}

#[async_trait]
impl LeaseControl for Control {
    async fn revoke(&self) -> Result<()> {
        let Some(held) = self.inner.grants.take(self.grant) else { return Ok(()) };
        let result = self.inner.revoke(self.id, &held).await;
        if result.is_err() {
            // What is left is deleted in the background, or by the end of the session.
            self.inner.grants.lock().insert(self.grant, held);
        }
        result
    }

    fn revoke_in_background(&self) {
        let Some(held) = self.inner.grants.take(self.grant) else { return };
        if held.keys.is_empty() && held.stems.is_empty() {
            return;
        }
        let (inner, id) = (Arc::clone(&self.inner), self.id);
        // The task ends when the keys are gone, by its hand or with the session.
        self.runtime.spawn(async move {
            while let Err(error) = inner.revoke(id, &held).await {
                if !is_passing(&error) || held.session.has_expired() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
}

fn is_passing(error: &Error) -> bool {
    error.kind() == ErrorKind::Unreachable
}

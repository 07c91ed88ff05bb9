//! Who listens: one key for each active listener, which vanishes with it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::status::SharedStatus;
use crate::backoff::Backoff;
use crate::coordinate::LeaseKeeper;
use crate::{Consistency, Error, ErrorKind, Key, LeaseRef, List, Result, Revision, Store, Txn};

/// The least time between two reports of what was applied: a thousand listeners of a busy struct are then two
/// hundred small writes a second.
const REPORT_PAUSE: Duration = Duration::from_secs(5);

/// By how much of the pause a report may come later, so that those who heard of a change at once do not report at
/// once.
const REPORT_JITTER: f64 = 0.25;

/// One active listener of a shared struct.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Listener {
    /// Its name among the listeners.
    #[serde(default)]
    pub id: String,
    /// The machine it runs on.
    #[serde(default)]
    pub host: String,
    /// The program, with its process id in brackets.
    #[serde(default)]
    pub process: String,
    /// Since when it listens, as RFC 3339 in UTC, by the clock of its machine.
    #[serde(default)]
    pub since: String,
    /// The newest revision of the struct that its copy has, if it was asked to report it
    /// ([`Open::report_applied`](crate::Open::report_applied)). It lags behind: it is told at most once in 5 s.
    #[serde(default, with = "number", skip_serializing_if = "Option::is_none")]
    pub applied: Option<Revision>,
}

impl Listener {
    /// This process, under a fresh id of 26 characters.
    pub(crate) fn this() -> Self {
        Self {
            id: fresh_id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            process: format!("{}[{}]", program(), std::process::id()),
            since: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            applied: None,
        }
    }

    /// The listener that an entry stands for. What a stranger wrote there still is a listener of that name.
    pub(crate) fn decode(id: &str, value: &[u8]) -> Self {
        let mut listener: Self = serde_json::from_slice(value).unwrap_or_else(|_| Self {
            id: String::new(),
            host: String::new(),
            process: String::new(),
            since: String::new(),
            applied: None,
        });
        id.clone_into(&mut listener.id);
        listener
    }
}

/// How a revision is written: as its number.
mod number {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Revision;

    #[expect(clippy::ref_option, reason = "serde hands it over like this")]
    pub(super) fn serialize<S: Serializer>(revision: &Option<Revision>, to: S) -> Result<S::Ok, S::Error> {
        match revision {
            Some(revision) => to.serialize_u64(revision.get()),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Revision>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Revision::new))
    }
}

/// Who listens below a directory of listeners, in the order of their ids.
pub(crate) async fn listeners_below(store: &Arc<dyn Store>, listeners: &Key) -> Result<Vec<Listener>> {
    let listing = store.list(&listeners.below(), List::Entries, Consistency::Synced).await?;
    let entries = listing.into_entries();
    Ok(entries.iter().map(|entry| Listener::decode(entry.key.name(), &entry.value)).collect())
}

/// Keeps this process registered as a listener: again whenever its lease ended.
#[derive(Debug)]
pub(crate) struct Presence {
    store: Arc<dyn Store>,
    keeper: Arc<LeaseKeeper>,
    key: Key,
    listener: Listener,
    /// Where the revision that was applied is seen, if it is to be reported.
    applied: Option<watch::Receiver<SharedStatus>>,
    reported: Instant,
}

impl Presence {
    pub(crate) fn new(store: &Arc<dyn Store>, keeper: &Arc<LeaseKeeper>, listeners: &Key) -> Result<Self> {
        let listener = Listener::this();
        let key = listeners.join(&listener.id)?;
        let (store, keeper) = (Arc::clone(store), Arc::clone(keeper));
        Ok(Self { store, keeper, key, listener, applied: None, reported: Instant::now() })
    }

    /// Reports the revision that the copy has, as this shows it.
    pub(crate) fn reporting(mut self, status: watch::Receiver<SharedStatus>) -> Self {
        self.applied = Some(status);
        self
    }

    /// Registers once, with what is to be reported now.
    pub(crate) async fn register(&mut self) -> Result<LeaseRef> {
        if let Some(status) = &mut self.applied {
            self.listener.applied = Some(status.borrow_and_update().revision);
        }
        let value = serde_json::to_vec(&self.listener)
            .map_err(|error| Error::new(ErrorKind::Invalid, "listen").caused_by(error))?;
        self.reported = Instant::now();
        let lease = self.keeper.current().await?.reference();
        self.store.commit(Txn::new().put_under(&self.key, value, &lease)).await?;
        Ok(lease)
    }

    /// Stays registered under this lease and those after it, until dropped.
    pub(crate) async fn keep(mut self, mut lease: Option<LeaseRef>) {
        let mut backoff = Backoff::default();
        loop {
            if let Some(lease) = lease.take() {
                tokio::select! {
                    () = lease.ended() => {}
                    () = self.report_due() => {}
                }
            }
            match self.register().await {
                Ok(fresh) => {
                    backoff.reset();
                    lease = Some(fresh);
                }
                Err(error) if is_final(&error) => {
                    tracing::warn!(key = %self.key, %error, "not registered as a listener");
                    return;
                }
                Err(error) => {
                    tracing::debug!(key = %self.key, %error, "registering as a listener is tried again");
                    tokio::time::sleep(backoff.next()).await;
                }
            }
        }
    }

    /// Waits until there is another revision to report, and the last report is long enough ago.
    ///
    /// # Cancel safety
    ///
    /// What is to be reported stays so.
    async fn report_due(&mut self) {
        let Some(status) = &mut self.applied else { return std::future::pending().await };
        let told = self.listener.applied;
        // Another life of the store counts from the start.
        if status.wait_for(|status| Some(status.revision) != told).await.is_err() {
            return std::future::pending().await;
        }
        let pause = REPORT_PAUSE.mul_f64(1.0 + fastrand::f64() * REPORT_JITTER);
        tokio::time::sleep_until(self.reported + pause).await;
    }
}

/// Whether registering can never succeed for this handle.
pub(crate) fn is_final(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Closed | ErrorKind::Denied | ErrorKind::ReadOnly | ErrorKind::Unsupported
    )
}

/// 128 random bits as 26 characters of Crockford's base 32.
fn fresh_id() -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = uuid::Uuid::new_v4().as_u128();
    (0..26).rev().map(|at| char::from(DIGITS[(bits >> (5 * at)) as usize & 31])).collect()
}

fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_26_characters_and_is_a_segment() {
        let id = fresh_id();
        assert_eq!(id.len(), 26);
        assert!(Key::parse(&format!("/listeners/{id}")).is_ok());
        assert_ne!(id, fresh_id());
    }

    #[test]
    fn a_strangers_entry_is_a_listener_by_name() {
        let listener = Listener::decode("somebody", b"127.0.0.1");
        assert_eq!(listener.id, "somebody");
        assert_eq!(listener.host, "");
    }
}

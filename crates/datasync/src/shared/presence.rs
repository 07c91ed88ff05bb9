//! Who listens: one key for each active listener, which vanishes with it.

use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::backoff::Backoff;
use crate::coordinate::LeaseKeeper;
use crate::{Error, ErrorKind, Key, LeaseRef, Result, Store, Txn};

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
}

impl Listener {
    /// This process, under a fresh id of 26 characters.
    pub(crate) fn this() -> Self {
        Self {
            id: fresh_id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            process: format!("{}[{}]", program(), std::process::id()),
            since: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        }
    }

    /// The listener that an entry stands for. What a stranger wrote there still is a listener of that name.
    pub(crate) fn decode(id: &str, value: &[u8]) -> Self {
        let unknown =
            || Self { id: String::new(), host: String::new(), process: String::new(), since: String::new() };
        let mut listener: Self = serde_json::from_slice(value).unwrap_or_else(|_| unknown());
        id.clone_into(&mut listener.id);
        listener
    }
}

/// Keeps this process registered as a listener: again whenever its lease ended.
#[derive(Debug)]
pub(crate) struct Presence {
    store: Arc<dyn Store>,
    keeper: Arc<LeaseKeeper>,
    key: Key,
    value: Vec<u8>,
}

impl Presence {
    pub(crate) fn new(store: &Arc<dyn Store>, keeper: &Arc<LeaseKeeper>, listeners: &Key) -> Result<Self> {
        let listener = Listener::this();
        let key = listeners.join(&listener.id)?;
        let value = serde_json::to_vec(&listener)
            .map_err(|error| Error::new(ErrorKind::Invalid, "listen").caused_by(error))?;
        Ok(Self { store: Arc::clone(store), keeper: Arc::clone(keeper), key, value })
    }

    /// Registers once.
    pub(crate) async fn register(&self) -> Result<LeaseRef> {
        let lease = self.keeper.current().await?.reference();
        self.store.commit(Txn::new().put_under(&self.key, self.value.clone(), &lease)).await?;
        Ok(lease)
    }

    /// Stays registered under this lease and those after it, until dropped.
    pub(crate) async fn keep(&self, mut lease: Option<LeaseRef>) {
        let mut backoff = Backoff::default();
        loop {
            if let Some(lease) = lease.take() {
                lease.ended().await;
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

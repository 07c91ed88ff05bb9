//! What a store can do, said beforehand.

use std::time::Duration;

use crate::{Error, Key, Result};

/// The limits and abilities of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The longest value, in bytes. A longer one is refused before it is sent.
    pub value_bytes_max: usize,
    /// How many keys one transaction may check and write. One means that a key can be compared and set, and no more.
    pub txn_keys_max: usize,
    /// Whether a watch tells all changes of one commit together, with no state skipped.
    pub atomic_watch: bool,
    /// The shortest time to live, which is also its step; `None` if the store keeps no such keys.
    pub ttl_granularity: Option<Duration>,
    /// Whether a watch can start at an earlier revision.
    pub history: bool,
    /// Whether reads can be proved current by a quorum. A store that one machine holds is always current.
    pub linearizable: bool,
}

impl Capabilities {
    /// The capabilities of a store that keeps values up to this length and has nothing else. For stores, which
    /// then set what they have.
    #[must_use]
    pub const fn new(value_bytes_max: usize) -> Self {
        Self {
            value_bytes_max,
            txn_keys_max: 1,
            atomic_watch: false,
            ttl_granularity: None,
            history: false,
            linearizable: false,
        }
    }

    /// Sets how many keys one transaction may check and write.
    #[must_use]
    pub const fn txn_keys_max(mut self, keys: usize) -> Self {
        self.txn_keys_max = keys;
        self
    }

    /// Says that a watch tells all changes of one commit together.
    #[must_use]
    pub const fn with_atomic_watch(mut self) -> Self {
        self.atomic_watch = true;
        self
    }

    /// Sets the shortest time to live.
    #[must_use]
    pub const fn ttl_granularity(mut self, step: Duration) -> Self {
        self.ttl_granularity = Some(step);
        self
    }

    /// Says that a watch can start at an earlier revision.
    #[must_use]
    pub const fn with_history(mut self) -> Self {
        self.history = true;
        self
    }

    /// Says that reads can be proved current.
    #[must_use]
    pub const fn with_linearizable(mut self) -> Self {
        self.linearizable = true;
        self
    }

    /// Fails if a value of so many bytes is too long.
    pub(crate) fn check_value(&self, key: &Key, bytes: usize) -> Result<()> {
        let bytes_max = self.value_bytes_max;
        if bytes > bytes_max { Err(Error::too_large(key, bytes, bytes_max)) } else { Ok(()) }
    }
}

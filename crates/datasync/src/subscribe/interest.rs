//! Who is told of which keys.

use std::collections::{BTreeSet, HashMap};

use super::sources::{above, text};
use super::subscriber::SubscriberId;
use crate::{Key, Prefix};

/// Finds the subscribers of a key without asking all of them.
#[derive(Debug, Default)]
pub(super) struct Interest(HashMap<String, BTreeSet<SubscriberId>>);

impl Interest {
    pub(super) fn add(&mut self, prefix: &Prefix, subscriber: SubscriberId) {
        self.0.entry(text(prefix).to_owned()).or_default().insert(subscriber);
    }

    pub(super) fn remove(&mut self, prefix: &Prefix, subscriber: SubscriberId) {
        if let Some(subscribers) = self.0.get_mut(text(prefix)) {
            subscribers.remove(&subscriber);
            if subscribers.is_empty() {
                self.0.remove(text(prefix));
            }
        }
    }

    /// Each subscriber once, in the order of registration, however many of its prefixes contain the key.
    pub(super) fn of(&self, key: &Key) -> BTreeSet<SubscriberId> {
        above(key.as_str()).filter_map(|text| self.0.get(text)).flatten().copied().collect()
    }
}

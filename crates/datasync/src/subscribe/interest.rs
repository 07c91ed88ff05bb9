//! Who is told of which keys.

use std::collections::{BTreeMap, BTreeSet};

use super::subscriber::SubscriberId;
use crate::key::above;
use crate::{Key, Prefix};

/// Finds the subscribers of a key without asking all of them.
#[derive(Debug, Default)]
pub(super) struct Interest(BTreeMap<String, BTreeSet<SubscriberId>>);

impl Interest {
    pub(super) fn add(&mut self, prefix: &Prefix, subscriber: SubscriberId) {
        self.0.entry(prefix.base().to_owned()).or_default().insert(subscriber);
    }

    pub(super) fn remove(&mut self, prefix: &Prefix, subscriber: SubscriberId) {
        if let Some(subscribers) = self.0.get_mut(prefix.base()) {
            subscribers.remove(&subscriber);
            if subscribers.is_empty() {
                self.0.remove(prefix.base());
            }
        }
    }

    /// Who named this prefix, or one within it.
    pub(super) fn within(&self, prefix: &Prefix) -> BTreeSet<SubscriberId> {
        let below = prefix.text();
        let deeper = self.0.range(below.clone()..).take_while(|(text, _)| text.starts_with(&below));
        let same = self.0.get(prefix.base()).into_iter().flatten();
        deeper.flat_map(|(_, subscribers)| subscribers).chain(same).copied().collect()
    }

    /// Each subscriber once, in the order of registration, however many of its prefixes contain the key.
    pub(super) fn of(&self, key: &Key) -> BTreeSet<SubscriberId> {
        above(key.as_str()).filter_map(|text| self.0.get(text)).flatten().copied().collect()
    }
}

//! What the claims are made of.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use quorate_datasync::{Delivery, Hub, Key, KeyChange, LazyValue, Prefix, Subscription, Txn};

use crate::conformance::{Stage, within};

impl Stage {
    /// A prefix of this claim.
    pub(crate) fn prefix(&self, segments: &str) -> Prefix {
        self.key(segments).below()
    }

    pub(crate) fn hub(&self) -> Hub {
        Hub::new(&self.store)
    }

    /// Writes as somebody else does.
    pub(crate) async fn write(&self, segments: &str, value: &'static str) -> quorate_datasync::Result<()> {
        self.second.commit(Txn::new().put(&self.key(segments), value)).await.map(drop)
    }

    /// Deletes as somebody else does.
    pub(crate) async fn erase(&self, segments: &str) -> quorate_datasync::Result<()> {
        self.second.commit(Txn::new().delete(&self.key(segments))).await.map(drop)
    }
}

/// The next delivery, which must come.
pub(crate) async fn next(subscription: &mut Subscription) -> Delivery {
    within("the next delivery", subscription.next()).await.expect("the subscription goes on")
}

/// Acknowledges the next delivery, and gives back its changes.
pub(crate) async fn ack(subscription: &mut Subscription) -> Vec<KeyChange> {
    let delivery = next(subscription).await;
    let changes = delivery.changes().to_vec();
    delivery.ack();
    changes
}

/// What a change was about: the last segment of the key, the previous value, the value.
pub(crate) fn step(change: &KeyChange) -> (String, Option<String>, Option<String>) {
    (change.key.name().to_owned(), change.previous.as_ref().map(text), change.value.as_ref().map(text))
}

pub(crate) fn text(value: &LazyValue) -> String {
    String::from_utf8_lossy(value.bytes()).into_owned()
}

/// A change as claims write it.
pub(crate) fn changed(
    name: &str,
    previous: impl Into<Option<&'static str>>,
    value: impl Into<Option<&'static str>>,
) -> (String, Option<String>, Option<String>) {
    (name.to_owned(), previous.into().map(str::to_owned), value.into().map(str::to_owned))
}

/// What a subscriber has that applies every change to what it had.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) values: BTreeMap<Key, String>,
    /// How many times a key was told.
    pub(crate) told: BTreeMap<Key, usize>,
}

impl Applied {
    /// Applies a delivery and acknowledges it. Every previous value must be the one that is here.
    pub(crate) fn apply(&mut self, delivery: Delivery) {
        for change in delivery.changes() {
            assert_eq!(
                self.values.get(&change.key),
                change.previous.as_ref().map(text).as_ref(),
                "{change:?}"
            );
            *self.told.entry(change.key.clone()).or_default() += 1;
            match &change.value {
                Some(value) => drop(self.values.insert(change.key.clone(), text(value))),
                None => drop(self.values.remove(&change.key)),
            }
        }
        delivery.ack();
    }

    /// Applies deliveries until a condition holds.
    pub(crate) async fn until(&mut self, subscription: &mut Subscription, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            self.apply(next(subscription).await);
        }
    }
}

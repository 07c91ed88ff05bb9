//! The stream of one subscriber.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::delivery::Delivery;
use super::hub::Hub;
use super::options::SubscribeError;
use super::subscriber::{SubscriberId, SubscriberStatus};
use crate::{KeyError, Prefix};

/// What one subscriber is told: a [`Stream`] of [`Delivery`]s.
///
/// The first one is a resync, and so is the first after every gap; changes come in between. The next one comes only
/// after the last was answered, and not while its deadline runs. Nothing has to be done about lost connections. It
/// ends when the store is closed.
///
/// What the subscriber is behind is kept as the net change: at most one entry for each key that it has and had,
/// however long it waits. Dropping it unsubscribes, and the name is free again.
#[derive(Debug)]
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    hub: Hub,
    id: SubscriberId,
}

impl Subscription {
    pub(super) const fn new(hub: Hub, id: SubscriberId) -> Self {
        Self { hub, id }
    }

    /// Adds a prefix. Its content comes as a resync of that prefix; one that is there already changes nothing.
    ///
    /// It waits for nothing and can be called at any time, also while a delivery is unanswered.
    ///
    /// # Errors
    ///
    /// [`SubscribeError::Prefix`] if the text is no prefix.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use futures_util::StreamExt;
    /// # use quorate_datasync::{Hub, Key, Memory, Store, StoreExt};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// store.put(&Key::parse("/config/vlan/7")?, "1").await?;
    /// let hub = Hub::new(&store);
    /// let mut switch = hub.subscribe("switch", ["/config/if"]).await?;
    /// switch.next().await.expect("the store is open").ack();
    ///
    /// switch.add("/config/vlan")?;
    /// let added = switch.next().await.expect("the store is open");
    /// assert_eq!(added.content().map(|prefixes| prefixes.len()), Some(1), "a resync of that prefix only");
    /// assert_eq!(added.changes()[0].key.as_str(), "/config/vlan/7");
    /// added.ack();
    ///
    /// switch.remove("/config/vlan")?;
    /// let removed = switch.next().await.expect("the store is open");
    /// assert!(removed.changes()[0].value.is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn add<P>(&self, prefix: P) -> Result<(), SubscribeError>
    where
        P: TryInto<Prefix>,
        KeyError: From<P::Error>,
    {
        let prefix = prefix.try_into().map_err(KeyError::from)?;
        self.hub.shared().with(|board, now| board.add(self.id, &prefix, now));
        Ok(())
    }

    /// Removes a prefix. With the next delivery its keys are told as deleted, but for those that another prefix of
    /// this subscription selects and those that were never acknowledged. One that is not there changes nothing.
    ///
    /// # Errors
    ///
    /// [`SubscribeError::Prefix`] if the text is no prefix.
    pub fn remove<P>(&self, prefix: P) -> Result<(), SubscribeError>
    where
        P: TryInto<Prefix>,
        KeyError: From<P::Error>,
    {
        let prefix = prefix.try_into().map_err(KeyError::from)?;
        self.hub.shared().with(|board, now| board.remove(self.id, &prefix, now));
        Ok(())
    }

    /// How this subscriber is doing.
    #[must_use]
    pub fn status(&self) -> SubscriberStatus {
        let status = self.hub.shared().with(|board, _| board.status(self.id));
        status.expect("a subscriber is there until its subscription is dropped")
    }
}

impl Stream for Subscription {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let shared = self.hub.shared();
        shared.with(|board, now| board.poll(self.id, cx, now)).map(|told| {
            told.map(|(told, delivery)| Delivery::new(told, Arc::clone(shared), self.id, delivery))
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.shared().with(|board, now| board.unregister(self.id, now));
    }
}

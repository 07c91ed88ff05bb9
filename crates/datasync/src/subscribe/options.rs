//! What a hub and a subscriber are told once.

use std::future::{IntoFuture, Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::hub::Hub;
use super::subscriber::Deadlines;
use super::subscription::Subscription;
use crate::{Codec, Json, KeyError, Prefix, Store};

/// How long a subscriber may take until it accepts a delivery.
const ACCEPT: Duration = Duration::from_secs(1);

/// How long a subscriber may take until it answers a delivery.
const FINISH: Duration = Duration::from_secs(10);

/// Makes a [`Hub`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct HubBuilder {
    store: Arc<dyn Store>,
    deadlines: Deadlines,
    content_type: &'static str,
}

impl HubBuilder {
    pub(super) fn new(store: &Arc<dyn Store>) -> Self {
        Self {
            store: Arc::clone(store),
            deadlines: Deadlines { accept: ACCEPT, finish: FINISH },
            content_type: Json.content_type(),
        }
    }

    /// Sets how long a subscriber may take until it accepts a delivery, 1 s by default.
    pub const fn accept(mut self, deadline: Duration) -> Self {
        self.deadlines.accept = deadline;
        self
    }

    /// Sets how long a subscriber may take until it answers a delivery, 10 s by default.
    pub const fn finish(mut self, deadline: Duration) -> Self {
        self.deadlines.finish = deadline;
        self
    }

    /// Sets what [`LazyValue::content_type`](super::LazyValue::content_type) says of the values: that of this codec,
    /// JSON by default. It decodes nothing; whoever reads a value names the codec
    /// ([`LazyValue::decode_with`](super::LazyValue::decode_with)), whose types only the reader knows.
    pub fn content_type_of(mut self, codec: &impl Codec) -> Self {
        self.content_type = codec.content_type();
        self
    }

    /// The hub. Nothing is watched before somebody subscribes.
    #[must_use]
    pub fn build(self) -> Hub {
        Hub::open(self.store, self.deadlines, self.content_type)
    }
}

/// A subscription to be made, from [`Hub::subscribe`]; it is made when awaited.
#[derive(Debug)]
#[must_use = "nobody subscribes before this is awaited"]
pub struct Subscribe {
    hub: Hub,
    name: Arc<str>,
    prefixes: Result<Vec<Prefix>, KeyError>,
    deadlines: Deadlines,
}

impl Subscribe {
    pub(super) const fn new(
        hub: Hub,
        name: Arc<str>,
        prefixes: Result<Vec<Prefix>, KeyError>,
        deadlines: Deadlines,
    ) -> Self {
        Self { hub, name, prefixes, deadlines }
    }

    /// Sets how long this subscriber may take until it accepts a delivery.
    pub const fn accept(mut self, deadline: Duration) -> Self {
        self.deadlines.accept = deadline;
        self
    }

    /// Sets how long this subscriber may take until it answers a delivery.
    pub const fn finish(mut self, deadline: Duration) -> Self {
        self.deadlines.finish = deadline;
        self
    }
}

impl IntoFuture for Subscribe {
    type Output = Result<Subscription, SubscribeError>;
    type IntoFuture = Ready<Self::Output>;

    /// Registers the subscriber. It waits for nothing: the content comes as the first delivery.
    fn into_future(self) -> Self::IntoFuture {
        ready(
            self.prefixes
                .map_err(SubscribeError::from)
                .and_then(|prefixes| self.hub.register(self.name, self.deadlines, &prefixes)),
        )
    }
}

/// Why somebody could not subscribe.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// A subscriber of this name is there.
    #[error("there is a subscriber named {0:?} already")]
    NameTaken(Arc<str>),
    /// A text is no prefix.
    #[error("not a prefix")]
    Prefix(#[from] KeyError),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

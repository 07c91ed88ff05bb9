//! How a store is doing.

use std::sync::Arc;

use crate::Incarnation;

/// How a store is doing, as this process sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStatus {
    /// The connection to the store.
    pub link: Link,
    /// Which life of the store this is; `None` until it was reached.
    pub incarnation: Option<Incarnation>,
    /// What the store says of itself: its name and version.
    pub server: Option<Arc<str>>,
}

/// The connection to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Link {
    /// Not reached yet.
    Connecting,
    /// Reached; requests are answered.
    Live,
    /// Reached before, and lost. It is tried again without end.
    Lost {
        /// Why, in words.
        reason: Arc<str>,
    },
    /// Closed by this process.
    Closed,
}

impl StoreStatus {
    /// A store that was not reached yet.
    #[must_use]
    pub const fn connecting() -> Self {
        Self { link: Link::Connecting, incarnation: None, server: None }
    }

    /// A store that answers.
    #[must_use]
    pub fn live(incarnation: Incarnation, server: impl Into<Arc<str>>) -> Self {
        Self { link: Link::Live, incarnation: Some(incarnation), server: Some(server.into()) }
    }

    /// Sets the state of the connection.
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.link = link;
        self
    }
}

//! Who listens, as a stream.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Shared;
use super::layout::Directory;
use super::presence::{Listener, listeners_below};
use crate::{Delta, Entry, Error, ErrorKind, Key, Replica, Result, Selection, Store, Watch};

/// What happened among the listeners of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenerEvent {
    /// Who listens when the stream begins. It comes first, and once.
    Snapshot(Vec<Listener>),
    /// One more listens.
    Joined(Listener),
    /// One does not listen any more.
    Left(Listener),
    /// What one says of itself is different: it has applied a later revision.
    Changed {
        /// What it said before.
        previous: Listener,
        /// What it says now.
        current: Listener,
    },
}

/// Who listens to a struct, and who comes and goes: a [`Stream`] of [`ListenerEvent`]s.
///
/// It survives lost connections and expired sessions: afterwards the difference is told. A listener whose session
/// expired leaves, and joins again under the same id once it is back. The stream ends when the store is closed.
/// Dropping it ends the watch. Made by [`Shared::watch_listeners`].
#[must_use = "streams do nothing unless polled"]
pub struct Listeners {
    watch: Watch,
    replica: Replica,
    told: VecDeque<ListenerEvent>,
    is_begun: bool,
}

impl<T> Shared<T> {
    /// Who listens now, in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported) for a struct on one plain key, [`TimedOut`](ErrorKind::TimedOut) if the
    /// store does not answer within the bound of the copy, and those of [`Store::list`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use quorate_datasync::{Memory, Shared, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let level = Shared::<u8>::open(&store, "/level").create(0).await?;
    /// let _unseen = Shared::<u8>::open(&store, "/level").unlisted().join().await?;
    /// for listener in level.listeners().await? {
    ///     println!("{} on {} since {}", listener.process, listener.host, listener.since);
    /// }
    /// assert_eq!(level.listeners().await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn listeners(&self) -> Result<Vec<Listener>> {
        let listeners = &self.listened()?.listeners;
        match tokio::time::timeout(self.core().bound, listeners_below(self.store(), listeners)).await {
            Ok(listeners) => listeners,
            Err(_) => Err(Error::new(ErrorKind::TimedOut, "list").on(listeners)),
        }
    }

    /// Watches who listens. Nothing is asked of the store before the stream is polled.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a struct on one plain key.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use futures_util::StreamExt;
    /// # use quorate_datasync::{ListenerEvent, Memory, Shared, Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store: Arc<dyn Store> = Arc::new(Memory::new());
    /// let level = Shared::<u8>::open(&store, "/level").create(0).await?;
    /// let mut listeners = level.watch_listeners()?;
    /// assert!(matches!(listeners.next().await, Some(ListenerEvent::Snapshot(who)) if who.len() == 1));
    /// let other = Shared::<u8>::open(&store, "/level").join().await?;
    /// assert!(matches!(listeners.next().await, Some(ListenerEvent::Joined(_))));
    /// drop(other);
    /// assert!(matches!(listeners.next().await, Some(ListenerEvent::Left(_))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch_listeners(&self) -> Result<Listeners> {
        Ok(Listeners::new(self.store(), &self.listened()?.listeners))
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.core().editor.store
    }

    fn listened(&self) -> Result<&Directory> {
        let layout = &self.core().editor.layout;
        let without =
            || Error::unsupported("list", "listeners of a struct on one plain key").on(&layout.payload);
        layout.directory.as_ref().ok_or_else(without)
    }
}

impl Listeners {
    fn new(store: &Arc<dyn Store>, listeners: &Key) -> Self {
        let watch = Watch::new(store, Selection::Prefix(listeners.below()));
        Self { watch, replica: Replica::new(), told: VecDeque::new(), is_begun: false }
    }

    fn apply(&mut self, event: crate::Event) {
        for delta in self.replica.apply(event) {
            let told = match delta {
                Delta::Current { .. } if !self.is_begun => {
                    self.is_begun = true;
                    self.told.clear();
                    ListenerEvent::Snapshot(self.replica.iter().map(of).collect())
                }
                Delta::Put { entry, previous: None } => ListenerEvent::Joined(of(&entry)),
                Delta::Put { entry, previous: Some(previous) } if entry.value != previous.value => {
                    ListenerEvent::Changed { previous: of(&previous), current: of(&entry) }
                }
                Delta::Deleted { previous, .. } => ListenerEvent::Left(of(&previous)),
                Delta::Put { .. } | Delta::Current { .. } => continue,
            };
            if self.is_begun {
                self.told.push_back(told);
            }
        }
    }
}

impl Stream for Listeners {
    type Item = ListenerEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ListenerEvent>> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return Poll::Ready(Some(told));
            }
            match ready!(Pin::new(&mut self.watch).poll_next(cx)) {
                Some(Ok(event)) => self.apply(event),
                // The watch tries again by itself.
                Some(Err(error)) => tracing::debug!(%error, "the listeners are not watched for now"),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners").field("watch", &self.watch).finish_non_exhaustive()
    }
}

fn of(entry: &Entry) -> Listener {
    Listener::decode(entry.key.name(), &entry.value)
}

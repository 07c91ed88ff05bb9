//! What the sources tell goes into the overlay.

use std::fmt;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::task::coop::consume_budget;

use crate::mutex::lock;
use crate::{Event, Key, Link, Memory, Moment, Provenance, Selection, Store, StoreStatus, Watch};

use super::SourceStatus;
use super::layers::{Content, LayerId, Layers};
use super::sources::Source;

/// What an overlay calls itself.
const SERVER: &str = "overlay";

/// What an overlay and the tasks that feed it share.
pub(super) struct Picture {
    /// Holds what shows, and tells its changes. It has rules, revisions and watches; only the content is ours.
    pub(super) merged: Memory,
    /// Locked while the content is changed, so that changes come in one order.
    layers: Mutex<Layers>,
    pub(super) sources: watch::Sender<Vec<SourceStatus>>,
    pub(super) status: watch::Sender<StoreStatus>,
}

impl Picture {
    pub(super) fn new(layers: Layers) -> Self {
        let merged = Memory::new();
        let mut status = merged.status().borrow().clone().link(Link::Connecting);
        status.server = Some(SERVER.into());
        Self {
            merged,
            layers: Mutex::new(layers),
            sources: watch::Sender::new(Vec::new()),
            status: watch::Sender::new(status),
        }
    }

    pub(super) fn add(&self, source: &Source) -> LayerId {
        let is_atomic = source.store.capabilities().atomic_watch;
        let (name, prefix) = (Arc::clone(&source.name), source.prefix.clone());
        let id = lock(&self.layers).add(name, source.priority, prefix, is_atomic);
        let status = SourceStatus {
            id,
            is_stale: false,
            name: Arc::clone(&source.name),
            priority: source.priority,
            link: source.store.status().borrow().link.clone(),
            is_synced: false,
            error: None,
        };
        self.tell(|sources| sources.push(status));
        id
    }

    pub(super) fn remove(&self, id: LayerId) {
        let mut layers = lock(&self.layers);
        let content = layers.remove(id);
        self.show(&mut layers, content);
        drop(layers);
        self.tell(|sources| sources.retain(|source| source.id != id));
    }

    pub(super) fn provenance(&self, key: &Key) -> Option<Provenance> {
        lock(&self.layers).provenance(key)
    }

    pub(super) fn close(&self) {
        self.status.send_if_modified(|status| {
            let was_open = status.link != Link::Closed;
            status.link = Link::Closed;
            was_open
        });
        self.merged.close_now();
    }

    /// Watches a source for as long as its store is open.
    pub(super) async fn feed(&self, source: Source, id: LayerId) {
        let Source { store, prefix, .. } = source;
        let mut watch = Watch::new(&store, Selection::Prefix(prefix));
        let mut status = store.status();
        let mut has_failed = false;
        // Since when what the source tells counts again.
        let mut back_since = None;
        loop {
            // A store that always has something to tell would keep the thread to itself.
            consume_budget().await;
            tokio::select! {
                biased;
                Ok(()) = status.changed() => {
                    let link = status.borrow_and_update().link.clone();
                    back_since = (link == Link::Live).then(Moment::now);
                    if back_since.is_some() {
                        watch.doubt();
                    }
                    self.tell_of(id, |source| {
                        source.link = link;
                        source.is_stale = true;
                    });
                }
                event = watch.next() => match event {
                    Some(Ok(event)) => {
                        let asked = proved(&event);
                        self.apply(id, event);
                        if asked.is_some_and(|asked| back_since.is_some_and(|since| asked >= since)) {
                            back_since = None;
                            self.tell_of(id, |source| source.is_stale = false);
                        }
                        if std::mem::take(&mut has_failed) {
                            self.tell_of(id, |source| source.error = None);
                        }
                    }
                    Some(Err(error)) => {
                        has_failed = true;
                        self.tell_of(id, |source| source.error = Some(error.to_string().into()));
                    }
                    None => return self.tell_of(id, |source| source.link = Link::Closed),
                },
            }
        }
    }

    fn apply(&self, id: LayerId, event: Event) {
        let is_told = matches!(event, Event::ResyncDone { .. });
        let mut layers = lock(&self.layers);
        let content = layers.apply(id, event);
        self.show(&mut layers, content);
        let is_synced = layers.is_synced(id);
        drop(layers);
        if is_told {
            self.tell_of(id, |source| source.is_synced = is_synced);
        }
    }

    fn show(&self, layers: &mut Layers, content: Content) {
        if !content.is_empty() {
            let keys: Vec<Key> = content.iter().map(|(key, _)| key.clone()).collect();
            let revision = self.merged.install(content);
            layers.settled(keys, revision);
        }
    }

    fn tell_of(&self, id: LayerId, change: impl FnOnce(&mut SourceStatus)) {
        self.tell(|sources| {
            if let Some(source) = sources.iter_mut().find(|source| source.id == id) {
                change(source);
            }
        });
    }

    /// Changes what is said of the sources, and with it of the whole.
    fn tell(&self, change: impl FnOnce(&mut Vec<SourceStatus>)) {
        self.sources.send_if_modified(|sources| {
            let before = sources.clone();
            change(sources);
            let link = link_of(sources);
            self.status.send_if_modified(|status| {
                let is_news = status.link != link && status.link != Link::Closed;
                if is_news {
                    status.link = link;
                }
                is_news
            });
            before != *sources
        });
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture").field("sources", &*self.sources.borrow()).finish_non_exhaustive()
    }
}

/// What can be said of all sources together.
fn link_of(sources: &[SourceStatus]) -> Link {
    if let Some(lost) = sources.iter().find(|source| source.is_lost()) {
        return Link::Lost { reason: lost.reason().into() };
    }
    let is_showing = sources.is_empty() || sources.iter().any(|source| source.is_synced);
    if is_showing { Link::Live } else { Link::Connecting }
}

/// The moment at which what was told is known to have been so.
const fn proved(event: &Event) -> Option<Moment> {
    match event {
        Event::ResyncDone { asked, .. } | Event::Progress { asked, .. } => Some(*asked),
        _ => None,
    }
}

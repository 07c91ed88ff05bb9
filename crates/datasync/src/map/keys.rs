//! The keys of a map: which structs exist, and which came and went.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::key::MapKey;
use super::segment;
use crate::backoff::Backoff;
use crate::{
    Consistency, Key, Link, List, Prefix, RawChange, RawChanges, Result, Selection, Store, Want, WatchFrom,
};

/// How many structs are looked for at once.
const READS_MAX: usize = 64;

/// How many changes are taken before they are looked into.
const CHANGES_MAX: usize = 256;

/// Which keys came and which went. Of the first item of a stream: all that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeysChange<K> {
    /// The keys whose structs exist now and did not, in the order of their names.
    pub added: Vec<K>,
    /// The keys whose structs existed and do not, in the order of their names.
    pub removed: Vec<K>,
}

/// The keys of a [`SharedMap`](crate::SharedMap): a [`Stream`] of [`KeysChange`]s, made by
/// [`SharedMap::watch_keys`](crate::SharedMap::watch_keys).
///
/// The first item has all keys, even if there are none. Each after it is what changed since: a struct that went and
/// came back in between may not be told, nor what happens inside of structs. While the store is out of reach nothing
/// is told, and afterwards the difference. It ends when the store is closed; dropping it ends the watch.
#[must_use = "streams do nothing unless polled"]
pub struct MapKeys<K> {
    segments: BoxStream<'static, (BTreeSet<String>, BTreeSet<String>)>,
    is_first: bool,
    key: PhantomData<fn() -> K>,
}

impl<K: MapKey> MapKeys<K> {
    pub(super) fn new(store: &Arc<dyn Store>, directory: &Key) -> Self {
        let bell = Bell {
            store: Arc::clone(store),
            directory: directory.clone(),
            known: BTreeSet::new(),
            is_first: true,
            changes: None,
            backoff: Backoff::default(),
        };
        let segments = stream::unfold(bell, |mut bell| async move { Some((bell.next().await?, bell)) });
        Self { segments: segments.fuse().boxed(), is_first: true, key: PhantomData }
    }
}

impl<K: MapKey> Stream for MapKeys<K> {
    type Item = KeysChange<K>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<KeysChange<K>>> {
        loop {
            let Some((added, removed)) = ready!(self.segments.poll_next_unpin(cx)) else {
                return Poll::Ready(None);
            };
            let change = KeysChange { added: keys(added.iter()), removed: keys(removed.iter()) };
            // What is none of the map's keys may have come or gone.
            if std::mem::take(&mut self.is_first) || !(change.added.is_empty() && change.removed.is_empty()) {
                return Poll::Ready(Some(change));
            }
        }
    }
}

impl<K> fmt::Debug for MapKeys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapKeys").finish_non_exhaustive()
    }
}

/// Knows which structs exist. Raw changes are only its bell: what they are about is looked up, so that values that
/// nobody asked for are not loaded, and every answer is a read that came after the change.
struct Bell {
    store: Arc<dyn Store>,
    directory: Key,
    known: BTreeSet<String>,
    is_first: bool,
    changes: Option<RawChanges>,
    backoff: Backoff,
}

/// What the changes that were taken ask for.
enum Ask {
    /// To look for everything.
    All,
    /// To look for these.
    These(HashSet<String>),
    /// To watch again, and then to look for everything.
    Again,
}

impl Bell {
    /// The next difference; `None` once the store is closed.
    async fn next(&mut self) -> Option<(BTreeSet<String>, BTreeSet<String>)> {
        loop {
            if self.store.status().borrow().link == Link::Closed {
                return None;
            }
            match self.look().await {
                Ok((added, removed)) if self.is_first || !(added.is_empty() && removed.is_empty()) => {
                    self.is_first = false;
                    return Some((added, removed));
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(directory = %self.directory, %error, "the keys are looked for again");
                    self.changes = None;
                    tokio::time::sleep(self.backoff.next()).await;
                }
            }
        }
    }

    /// Waits for changes, and looks for what they are about.
    async fn look(&mut self) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
        let ask = match &mut self.changes {
            Some(changes) => rung(changes, &self.directory.below(), &self.known).await,
            None => Ask::Again,
        };
        let now = match ask {
            Ask::Again => {
                // Armed first and read second: nothing falls between.
                let below = Selection::Prefix(self.directory.below());
                self.changes = Some(self.store.watch(&below, WatchFrom::Now).await?);
                existing(&self.store, &self.directory).await?
            }
            Ask::All => existing(&self.store, &self.directory).await?,
            Ask::These(segments) => {
                let there = among(&self.store, &self.directory, segments.iter().cloned().collect()).await?;
                self.backoff.reset();
                return Ok(self.learn(segments, &there));
            }
        };
        self.backoff.reset();
        let added = now.difference(&self.known).cloned().collect();
        let removed = self.known.difference(&now).cloned().collect();
        self.known = now;
        Ok((added, removed))
    }

    /// Notes which of some structs are there. The others cost nothing.
    fn learn(
        &mut self,
        asked: HashSet<String>,
        there: &BTreeSet<String>,
    ) -> (BTreeSet<String>, BTreeSet<String>) {
        let known = &mut self.known;
        let gone = |segment: &String| !there.contains(segment) && known.remove(segment);
        let removed = asked.into_iter().filter(gone).collect();
        let added = there.iter().filter(|segment| self.known.insert((*segment).clone())).cloned().collect();
        (added, removed)
    }
}

/// Takes the next changes that say something new of which structs exist, as many as are there.
async fn rung(changes: &mut RawChanges, below: &Prefix, known: &BTreeSet<String>) -> Ask {
    let mut segments = HashSet::new();
    for _ in 0..CHANGES_MAX {
        let change = match changes.next().now_or_never() {
            Some(change) => change,
            None if segments.is_empty() => changes.next().await,
            None => break,
        };
        match change {
            // Written again, and still there.
            Some(RawChange::Put(entry))
                if payload(below, &entry.key).is_some_and(|of| known.contains(of)) => {}
            Some(RawChange::Put(entry)) => segments.extend(payload(below, &entry.key).map(str::to_owned)),
            Some(RawChange::Delete(key, _) | RawChange::Dirty(key)) => {
                segments.extend(payload(below, &key).map(str::to_owned));
            }
            Some(RawChange::Progress { .. }) => {}
            Some(RawChange::Gap) => return Ask::All,
            None => return Ask::Again,
        }
    }
    Ask::These(segments)
}

/// Whose payload a key is.
fn payload<'k>(below: &Prefix, key: &'k Key) -> Option<&'k str> {
    let (segment, part) = below.strip(key)?.split_once('/')?;
    (part == "payload").then_some(segment)
}

/// The segments of all structs that exist below a directory.
pub(super) async fn existing(store: &Arc<dyn Store>, directory: &Key) -> Result<BTreeSet<String>> {
    let listing = store.list(&directory.below(), List::Names, Consistency::Synced).await?;
    among(store, directory, listing.into_names()).await
}

/// Those of `segments` whose structs exist: a directory alone is none.
async fn among(store: &Arc<dyn Store>, directory: &Key, segments: Vec<String>) -> Result<BTreeSet<String>> {
    let look = |segment: String| {
        let (store, key) = (Arc::clone(store), directory.join(&format!("{segment}/payload")));
        async move {
            let Ok(key) = key else { return Ok(None) };
            let read = store.get(&key, Want::Stat, Consistency::Local).await?;
            Ok(read.stat().is_some().then_some(segment))
        }
    };
    let found = stream::iter(segments).map(look).buffer_unordered(READS_MAX);
    found.try_filter_map(|segment| std::future::ready(Ok(segment))).try_collect().await
}

/// The keys of segments. What is none of the map's is left out.
pub(super) fn keys<'s, K: MapKey>(segments: impl Iterator<Item = &'s String>) -> Vec<K> {
    segments.filter_map(|segment| K::from_text(&segment::decode(segment)?)).collect()
}

//! What subscriptions and publishers do on a store that misbehaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{once, repeat};
use quorate_datasync::{
    Capabilities, Committed, Consistency, Error, ErrorKind, Hub, Key, Lease, List, Listing, Memory, Moment,
    Outcome, Prefix, Publisher, RawChange, RawChanges, Read, Result, Revision, Selection, Store, StoreExt,
    StoreStatus, Txn, Want, WatchFrom,
};
use tokio::sync::watch;
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vice {
    /// It panics when it is to watch.
    Panics,
    /// Its watches always have something to tell.
    Talks,
    /// It lets nobody write "/denied" a second time.
    Denies,
    /// As soon as it was listed somebody writes "/if/late".
    Hurries,
}

#[derive(Debug)]
struct Hostile {
    store: Memory,
    vice: Vice,
    denies: AtomicBool,
}

impl Hostile {
    fn open(vice: Vice) -> (Arc<Self>, Arc<dyn Store>) {
        let hostile = Arc::new(Self { store: Memory::new(), vice, denies: AtomicBool::new(false) });
        (Arc::clone(&hostile), hostile)
    }
}

#[async_trait]
impl Store for Hostile {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.store.status()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.store.get(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        let listing = self.store.list(prefix, want, at).await?;
        if self.vice == Vice::Hurries {
            self.store.put(&key("/if/late"), "1").await?;
            // The watch tells of it while the content is still on its way.
            tokio::task::yield_now().await;
        }
        Ok(listing)
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        let denied = key("/denied");
        if txn.keys().any(|key| *key == denied) && self.denies.swap(self.vice == Vice::Denies, SeqCst) {
            return Err(Error::new(ErrorKind::Denied, "commit").on(&denied));
        }
        self.store.commit(txn).await
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        assert!(self.vice != Vice::Panics, "it panics");
        let changes = self.store.watch(what, from).await?;
        if self.vice != Vice::Talks {
            return Ok(changes);
        }
        let progress = RawChange::Progress { revision: Revision::ZERO, asked: Moment::ORIGIN };
        // Once the content was loaded.
        let first = async { tokio::time::sleep(Duration::from_millis(5)).await };
        let talk = once(first).flat_map(move |()| repeat(progress.clone()));
        Ok(RawChanges::new(talk))
    }

    async fn grant(&self, ttl: Duration) -> Result<Lease> {
        self.store.grant(ttl).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("the rig works")
}

#[tokio::test]
async fn a_subscription_ends_when_its_store_panics() {
    let (_, store) = Hostile::open(Vice::Panics);
    let mut sub = Hub::new(&store).subscribe("if", ["/if"]).await.unwrap();
    assert!(timeout(WAIT, sub.next()).await.expect("it ends").is_none());
}

// cn-infra: it listed, then watched, and what was written in between was lost.
#[tokio::test]
async fn what_is_written_as_soon_as_the_content_was_listed_is_told() {
    let (_, store) = Hostile::open(Vice::Hurries);
    let mut sub = Hub::new(&store).subscribe("if", ["/if"]).await.unwrap();
    let mut is_told = false;
    while !is_told {
        let delivery = timeout(WAIT, sub.next()).await.expect("it is told").unwrap();
        is_told = delivery.changes().iter().any(|change| change.key == key("/if/late"));
        delivery.ack();
    }
}

#[test]
fn a_watch_that_always_has_something_to_tell_keeps_no_deadline_from_passing() {
    let (done, passed) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it is built");
        runtime.block_on(async {
            let (_, store) = Hostile::open(Vice::Talks);
            let hub = Hub::builder(&store).accept(Duration::from_millis(20)).build();
            let mut reports = hub.reports();
            let _asleep = hub.subscribe("asleep", ["/if"]).await.expect("the name is free");
            let _ = done.send(reports.next().await);
        });
    });
    let report = passed.recv_timeout(WAIT).expect("the others have their turn").unwrap();
    assert!(matches!(report.outcome("asleep"), Some(Outcome::TimedOut(_))));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_put_anew_keeps_none_of_the_others_away() {
    let (hostile, store) = Hostile::open(Vice::Denies);
    let publisher = Publisher::new(&store);
    publisher.put("/denied", &1).lifetime().await.unwrap();
    publisher.put("/other", &1).lifetime().await.unwrap();
    hostile.store.expire_leases();
    tokio::time::sleep(WAIT).await;
    assert!(hostile.store.entry(&key("/other")).await.unwrap().is_some());
}

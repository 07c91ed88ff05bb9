//! A real server behind a link that is cut at every packet of an update.

use std::sync::Arc;
use std::time::Duration;

use quorate_datasync::{Document, Key, Shared, Store, StoreExt};
use quorate_testkit::{Direction, Link, ZooKeeper as Server};
use quorate_zookeeper::ZooKeeper;
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(60);

struct Rig {
    /// Runs as long as somebody holds it.
    _server: Arc<Server>,
    link: Link,
    /// Sees the server without the link.
    outside: Arc<dyn Store>,
    counter: Shared<u64>,
    directory: Key,
}

impl Rig {
    async fn start(name: &str) -> Self {
        let server = Server::shared().await;
        let addr = server.connect_string().parse().expect("one server has one address");
        let link = Link::to(addr).await.expect("a link can be opened");
        let open = |hosts: String| ZooKeeper::options([hosts]).chroot("/test/cuts").open();
        let store: Arc<dyn Store> = Arc::new(open(link.connect_string()).await.expect("a store opens"));
        let outside: Arc<dyn Store> = Arc::new(open(server.connect_string()).await.expect("a store opens"));
        let directory = format!("/{name}-{}", fresh_id());
        let directory = Key::parse(&directory).expect("a valid key");
        let open = Shared::open(&store, directory.clone());
        let counter = open.create(0_u64).await.expect("the struct is created");
        Self { _server: server, link, outside, counter, directory }
    }

    async fn stored(&self) -> u64 {
        let payload = self.directory.join("payload").expect("a valid key");
        let entry = self.outside.entry(&payload).await.expect("it is read").expect("it is there");
        serde_json::from_slice(&entry.value).expect("it is a number")
    }

    async fn assert_lock_is_free(&self) {
        let document = Document::below(&self.outside, self.directory.clone()).expect("a valid key");
        let lock = document.write_lock().expect("there is a lock");
        let guard = lock.acquire(WAIT).await.expect("the lock is free");
        guard.release().await.expect("the lock is freed");
    }
}

/// A name that no earlier run on the same server had.
fn fresh_id() -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_nanos())
}

/// Cuts before the first frame, then the second, until an update is over before it comes to the cut.
async fn every_cut_of_an_update_leaves_it_applied_once_or_not(name: &str, direction: Direction) {
    for nth in 1..64 {
        // A client that lost its connections again and again waits longer and longer, so each cut has its own.
        let rig = Rig::start(name).await;
        let (before, connections) = (rig.stored().await, rig.link.connections());
        rig.link.cut_before(direction, nth);
        let update = rig.counter.update(|n| *n += 1);
        let result = timeout(WAIT, update).await.expect("an update ends in time");
        let is_over = rig.link.connections() == connections;
        match result {
            Ok(_) => assert_eq!(rig.stored().await, before + 1, "cut {nth}"),
            Err(error) => {
                assert!(!error.maybe_applied(), "the session lived, so the outcome is known: {error:?}");
                assert_eq!(rig.stored().await, before, "cut {nth}: {error:?}");
            }
        }
        rig.assert_lock_is_free().await;
        if is_over {
            assert!(nth > 3, "an update has a lock, two reads and a write");
            return;
        }
    }
    panic!("an update has fewer packets");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_cut_before_any_request_of_an_update_is_survived() {
    every_cut_of_an_update_leaves_it_applied_once_or_not("requests", Direction::ToServer).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_cut_before_any_reply_of_an_update_is_survived() {
    every_cut_of_an_update_leaves_it_applied_once_or_not("replies", Direction::ToClient).await;
}

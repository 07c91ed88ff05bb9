//! What is left in memory when many have come and gone.
//!
//! A test binary of its own counts what its allocator gave and took, and calls these with a store of its own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{Follower, Hub, Key, MapOptions, Prefix, Shared, SharedMap, Store, Txn};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::shared::Agent;

/// How many come before it is counted, so that whatever is made once is there.
const FEW: usize = 100;

/// How many come and go.
pub const MANY: usize = 10_000;

/// How much may be left of all of them: a few bytes of each would be more.
const LEFT_MAX: usize = 64 * 1024;

/// How many structs and prefixes they share.
const PLACES: usize = 50;

/// How long what goes on when a handle is dropped may take.
const SETTLING: Duration = Duration::from_millis(50);

/// How long what goes on in the background may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Counts what many leave behind that come and go.
pub struct Leftovers {
    store: Arc<dyn Store>,
    /// How many bytes are in use.
    live: Box<dyn Fn() -> usize>,
    warm_up: usize,
    /// How much may be left of all that came and went.
    left_max: usize,
    tasks: usize,
}

impl Leftovers {
    /// Puts into the store what will be watched. The runtime is made to grow as large as it will have to be: what it
    /// keeps of that is not ours.
    pub async fn of(store: Arc<dyn Store>, live: impl Fn() -> usize + 'static) -> Self {
        let spawned: Vec<_> = (0..4 * MANY).map(|_| tokio::spawn(tokio::task::yield_now())).collect();
        for task in spawned {
            task.await.expect("nothing stops it");
        }
        for place in 0..PLACES {
            let agent = Shared::open(&store, directory(place)).unlisted().create(Agent::default());
            drop(agent.await.expect("the store takes it"));
            let txn = Txn::new().put(&key(&format!("/places/{place}/a")), "1");
            store.commit(txn).await.expect("the store takes it");
        }
        let prepared = Self { store, live: Box::new(live), warm_up: FEW, left_max: LEFT_MAX, tasks: 0 };
        let metrics = Handle::current().metrics();
        let mut tasks = usize::MAX;
        while metrics.num_alive_tasks() < tasks {
            tasks = metrics.num_alive_tasks();
            tokio::time::sleep(SETTLING).await;
        }
        Self { tasks, ..prepared }
    }

    /// Has as many come and go before it is counted as afterwards, and does not count so many bytes: for stores that
    /// keep buffers which they use again.
    #[must_use]
    pub const fn beside_buffers(mut self, bytes: usize) -> Self {
        (self.warm_up, self.left_max) = (MANY, LEFT_MAX + bytes);
        self
    }

    /// Lets a few come and go, and then many, who must not leave anything.
    async fn assert_nothing_is_left(&self, come_and_go: impl AsyncFn(usize)) {
        come_and_go(self.warm_up).await;
        self.until("those before are gone", usize::MAX).await;
        let before = (self.live)();
        come_and_go(MANY).await;
        self.until("nothing is left of the many", before + self.left_max).await;
    }

    async fn until(&self, what: &str, bytes_max: usize) {
        let metrics = Handle::current().metrics();
        let waiting = timeout(PATIENCE, async {
            while metrics.num_alive_tasks() > self.tasks || (self.live)() > bytes_max {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let is_so = waiting.await.is_ok();
        let (tasks, bytes) = (metrics.num_alive_tasks() - self.tasks, (self.live)());
        assert!(is_so, "{what}: {tasks} tasks and {bytes} bytes of {bytes_max}");
    }

    /// Subscriptions of one hub, each of which acknowledged what it was told.
    pub async fn of_subscriptions(&self) {
        let hub = Hub::new(&self.store);
        self.assert_nothing_is_left(async |many| {
            let mut first = hub.subscribe("first", [below(0)]).await.expect("the name is free");
            first.next().await.expect("the hub goes on").ack();
            let mut subs = vec![];
            for at in 1..many {
                let prefixes = [below(at), Prefix::parse("/elsewhere").expect("it is one")];
                subs.push(hub.subscribe(&format!("number {at}"), prefixes).await.expect("the name is free"));
            }
            for sub in &mut subs {
                sub.next().await.expect("the hub goes on").ack();
            }
        })
        .await;
    }

    /// Followers that loaded what there is, with an index each.
    pub async fn of_followers(&self) {
        self.assert_nothing_is_left(async |many| {
            let start = |at| Follower::<u64>::over(&self.store, below(at)).start().expect("it is a prefix");
            let followers: Vec<_> = (0..many).map(start).collect();
            for follower in &followers {
                let index = follower.index_by(|value| *value);
                follower.nodes().synced().await.expect("the store goes on");
                assert_eq!(index.get(&1).len(), 1);
            }
        })
        .await;
    }

    /// Handles of shared structs, with streams of every kind. They are not listed: what becomes of listeners in a
    /// store is the store's business.
    pub async fn of_shared(&self) {
        self.assert_nothing_is_left(async |many| {
            let mut held = Vec::new();
            for at in 0..many {
                let agent = Shared::<Agent>::open(&self.store, directory(at)).unlisted().join().await;
                let agent = agent.expect("it is there");
                let mut streams = (agent.events(), agent.changes(), agent.select(|agent| &agent.interval));
                let mut listeners = agent.watch_listeners().expect("it has a directory");
                assert!(
                    streams.0.next().now_or_never().is_none() && streams.1.next().now_or_never().is_none()
                );
                streams.2.next().await.expect("it begins with what is there");
                listeners.next().await.expect("the store goes on");
                held.push((agent.update_handler(|_| ()), agent.access(), streams, listeners));
            }
        })
        .await;
    }

    /// Structs of one map, all of them in use at once.
    pub async fn of_a_map(&self) {
        let open = || {
            let options = MapOptions::new().unlisted();
            SharedMap::<usize, Agent>::open_with(&self.store, key("/map"), options).expect("it is a key")
        };
        let making = open();
        for at in 0..MANY {
            drop(making.get_or_create(&at, Agent::default).await.expect("the store takes it"));
        }
        drop(making);
        let map = open();
        self.assert_nothing_is_left(async |many| {
            let mut held = Vec::new();
            for at in 0..many {
                held.push(map.join(&at).await.expect("it is there"));
            }
            assert_eq!(map.live(), many);
        })
        .await;
    }
}

impl fmt::Debug for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leftovers").field("bytes", &(self.live)()).finish_non_exhaustive()
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("it is a key")
}

fn directory(at: usize) -> Key {
    key(&format!("/agents/{}", at % PLACES))
}

fn below(at: usize) -> Prefix {
    Prefix::parse(&format!("/places/{}", at % PLACES)).expect("it is a prefix")
}

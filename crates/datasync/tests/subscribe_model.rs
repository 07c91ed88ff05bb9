//! Random histories: whatever happens, each subscriber ends with what the store has, and was never told a previous
//! value that it did not acknowledge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{Delivery, Hub, Key, Memory, Prefix, Store, StoreExt, Subscription, Txn};

const PREFIXES: [&str; 6] = ["/a", "/a/b", "/a/c", "/d/e", "/d", "/f"];
const PARENTS: [&str; 5] = ["/a/b", "/a/c", "/d/e", "/f", "/g"];
const HISTORIES: u64 = 200;
const STEPS: usize = 150;

/// A subscriber that applies differences, and now and then refuses, forgets, or is late.
struct Model {
    sub: Subscription,
    prefixes: BTreeSet<&'static str>,
    acked: BTreeMap<Key, String>,
    held: Option<Delivery>,
}

impl Model {
    async fn new(hub: &Hub, name: &str, random: &mut fastrand::Rng) -> Self {
        let prefixes: BTreeSet<_> =
            (0..random.usize(1..4)).map(|_| PREFIXES[random.usize(..PREFIXES.len())]).collect();
        let sub = hub.subscribe(name, prefixes.clone()).await.expect("the name is free");
        Self { sub, prefixes, acked: BTreeMap::new(), held: None }
    }

    fn has(&self, key: &Key) -> bool {
        self.prefixes.iter().any(|text| Prefix::parse(text).expect("it is valid").contains(key))
    }

    /// Checks a delivery against what was acknowledged, and acknowledges it.
    fn apply(&mut self, delivery: Delivery) {
        for change in delivery.changes() {
            let text =
                |value: &quorate_datasync::LazyValue| String::from_utf8_lossy(value.bytes()).into_owned();
            assert_eq!(
                self.acked.get(&change.key),
                change.previous.as_ref().map(text).as_ref(),
                "{change:?}"
            );
            match &change.value {
                Some(value) => drop(self.acked.insert(change.key.clone(), text(value))),
                None => drop(self.acked.remove(&change.key)),
            }
        }
        for content in delivery.content().unwrap_or_default() {
            let told: Vec<_> = content.values.iter().map(|value| value.key().clone()).collect();
            let held: Vec<_> =
                self.acked.keys().filter(|key| content.prefix.contains(key)).cloned().collect();
            assert_eq!(told, held, "the difference and the whole of {} differ", content.prefix);
        }
        delivery.ack();
    }

    async fn step(&mut self, random: &mut fastrand::Rng) {
        match (self.held.take(), random.u8(..10)) {
            (Some(held), 0..3) => self.held = Some(held),
            (Some(held), 3) => held.nack("no"),
            (Some(held), 4) => drop(held),
            (Some(held), _) => {
                // An answer to what was taken back says nothing.
                if self.sub.status().is_busy {
                    self.apply(held);
                }
            }
            (None, 0) => {
                let prefix = PREFIXES[random.usize(..PREFIXES.len())];
                self.prefixes.insert(prefix);
                self.sub.add(prefix).expect("it is valid");
            }
            (None, 1) => {
                let prefix = PREFIXES[random.usize(..PREFIXES.len())];
                self.prefixes.remove(prefix);
                self.sub.remove(prefix).expect("it is valid");
            }
            (None, _) => self.held = self.sub.next().now_or_never().flatten(),
        }
    }

    /// Takes everything that is still to be told, until the subscriber has what the store has.
    async fn settle(&mut self, truth: &BTreeMap<Key, String>) {
        drop(self.held.take());
        loop {
            let has: BTreeMap<_, _> = truth
                .iter()
                .filter(|(key, _)| self.has(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            let next = tokio::time::timeout(Duration::from_secs(60), self.sub.next()).await;
            match next {
                Ok(Some(delivery)) => self.apply(delivery),
                Ok(None) => panic!("the subscription ended"),
                Err(_) => return assert_eq!(self.acked, has, "{:?}", self.sub.status()),
            }
        }
    }
}

async fn disturb(store: &Memory, outside: &Memory, hub: &Hub, random: &mut fastrand::Rng) {
    let key = |random: &mut fastrand::Rng| {
        let parent = PARENTS[random.usize(..PARENTS.len())];
        Key::parse(&format!("{parent}/{}", random.u8(..4))).expect("it is valid")
    };
    let value = random.u8(..5).to_string();
    match random.u8(..20) {
        0 => store.disconnect(),
        1..4 => store.reconnect(),
        4 => outside.wipe(),
        5 => drop(hub.resync().now_or_never()),
        6 => tokio::time::sleep(Duration::from_millis(random.u64(..12_000))).await,
        7..10 => drop(outside.delete(&key(random)).await),
        10..14 => {
            let (one, other) = (key(random), key(random));
            let txn = Txn::new().put(&one, value.clone());
            let txn = if one == other { txn } else { txn.put(&other, value) };
            outside.commit(txn).await.expect("it is valid");
        }
        _ => drop(outside.put(&key(random), value).await.expect("it is valid")),
    }
    tokio::task::yield_now().await;
}

#[tokio::test(start_paused = true)]
async fn every_subscriber_ends_with_what_the_store_has() {
    for seed in 0..HISTORIES {
        let mut random = fastrand::Rng::with_seed(seed);
        let faulty = Arc::new(Memory::new());
        let outside = faulty.handle();
        let store: Arc<dyn Store> = Arc::clone(&faulty) as Arc<dyn Store>;
        let hub = Hub::new(&store);
        let mut models = Vec::new();
        for at in 0..4 {
            models.push(Model::new(&hub, &format!("{seed}-{at}"), &mut random).await);
        }
        for _ in 0..STEPS {
            disturb(&faulty, &outside, &hub, &mut random).await;
            let at = random.usize(..models.len());
            models[at].step(&mut random).await;
        }
        faulty.reconnect();
        let entries = outside.entries(&Prefix::root()).await.expect("it is there");
        let truth: BTreeMap<_, _> = entries
            .into_iter()
            .map(|entry| (entry.key, String::from_utf8_lossy(&entry.value).into_owned()))
            .collect();
        for model in &mut models {
            model.settle(&truth).await;
        }
    }
}

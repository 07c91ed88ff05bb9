//! An overlay against what a child would do: put the sources on top of each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use quorate_datasync::{Key, Memory, Overlay, Prefix, Sources, Store, StoreExt, Txn};
use quorate_testkit::Rigged;
use quorate_testkit::conformance::Observer;

use crate::support::{key, observe};

/// How many histories are tried, and how long each is.
const SEEDS: u64 = 30;
const STEPS: usize = 200;

/// The sources of one history, the one that wins last.
struct World {
    random: fastrand::Rng,
    memories: Vec<Arc<Memory>>,
    overlay: Arc<Overlay>,
    /// Which of them are part of the overlay now.
    added: [bool; 3],
    connected: [bool; 3],
    /// Whether one of them tells only that keys changed.
    is_vague: bool,
}

type Content = BTreeMap<Key, Bytes>;

impl World {
    fn new(seed: u64, is_vague: bool) -> Self {
        let memories = (0..3).map(|_| Arc::new(Memory::new())).collect();
        let overlay = Arc::new(Sources::new().taking_any().open().expect("no name is given twice"));
        let mut world = Self {
            random: fastrand::Rng::with_seed(seed),
            memories,
            overlay,
            added: [false; 3],
            connected: [true; 3],
            is_vague,
        };
        (0..3).for_each(|n| world.toggle(n));
        world
    }

    /// Adds a source or takes it away.
    fn toggle(&mut self, n: usize) {
        let name = format!("source {n}");
        if self.added[n] {
            self.overlay.remove(&name);
        } else {
            let memory = Arc::clone(&self.memories[n]);
            let store: Arc<dyn Store> = if self.is_vague && n == 1 { Rigged::vague(memory) } else { memory };
            let priority = i32::try_from(n).expect("there are three");
            self.overlay.add(name, &store, Prefix::root(), priority).expect("it is not there");
        }
        self.added[n] ^= true;
    }

    async fn step(&mut self) {
        let n = self.random.usize(..3);
        let at = key(&format!("/{}", self.random.u8(..6)));
        let writer = self.memories[n].handle();
        match self.random.u8(..20) {
            0 => self.toggle(n),
            1 | 2 if self.connected[n] => self.set_connected(n, false),
            1 | 2 => self.set_connected(n, true),
            3 => self.memories[n].wipe(),
            4..=9 => writer.commit(Txn::new().delete(&at)).await.map(|_| ()).expect("it has no keys below"),
            _ => writer.put(&at, self.random.u8(..).to_string()).await.map(|_| ()).expect("it is taken"),
        }
        if self.random.bool() {
            tokio::task::yield_now().await;
        }
    }

    fn set_connected(&mut self, n: usize, connected: bool) {
        if connected {
            self.memories[n].reconnect();
        } else {
            self.memories[n].disconnect();
        }
        self.connected[n] = connected;
    }

    async fn expected(&self) -> Content {
        let mut content = Content::new();
        for (memory, _) in self.memories.iter().zip(self.added).filter(|(_, added)| *added) {
            let entries = memory.handle().entries(&Prefix::root()).await.expect("a new handle is connected");
            content.extend(entries.into_iter().map(|entry| (entry.key, entry.value)));
        }
        content
    }
}

fn content(observer: &Observer) -> Content {
    observer.replica().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
}

async fn play(is_vague: bool) {
    for seed in 0..SEEDS {
        let mut world = World::new(seed, is_vague);
        let mut observer = observe(&world.overlay).await;
        for step in 0..STEPS {
            world.step().await;
            if step % 20 == 19 {
                (0..3).for_each(|n| world.set_connected(n, true));
                let expected = world.expected().await;
                let what = format!("seed {seed} step {step} shows {expected:?}");
                observer
                    .until(&what, |replica| {
                        let shown = replica.iter().map(|entry| (entry.key.clone(), entry.value.clone()));
                        shown.collect::<Content>() == expected
                    })
                    .await
                    .expect("an overlay is never out of reach");
                assert_eq!(content(&observer), expected);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_overlay_equals_its_sources_on_top_of_each_other_whenever_they_are_quiet() {
    play(false).await;
}

#[tokio::test(start_paused = true)]
async fn so_does_one_with_a_source_that_tells_only_that_keys_changed() {
    play(true).await;
}

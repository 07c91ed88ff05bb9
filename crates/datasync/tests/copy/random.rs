//! Random histories on both sides, with faults: whenever all is quiet, the target is as it should be.

use quorate_datasync::{Key, Mirror, Mirroring, Prefix, Store, StoreExt, Txn};
use quorate_testkit::Rigged;

use crate::support::{Pair, content, key, work_until};

/// How many histories are tried, and how long each is.
const SEEDS: u64 = 40;
const STEPS: usize = 120;

/// The keys of the histories, some below others.
const KEYS: [&str; 8] = ["/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f", "/g", "/h"];

struct World {
    random: fastrand::Rng,
    pair: Pair,
}

impl World {
    async fn step(&mut self, mirroring: &mut Mirroring) {
        let n = self.random.usize(..KEYS.len());
        let at = key(KEYS[n]);
        let side = if self.random.u8(..3) > 0 { &self.pair.source } else { &self.pair.target };
        let writer = side.handle();
        match self.random.u8(..24) {
            0 => side.disconnect(),
            1 | 2 => side.reconnect(),
            3 => self.pair.target.lose_next_reply(),
            4 => self.pair.target.lose_next_request(),
            5 => side.wipe(),
            // It may have keys below it.
            6..=11 => drop(writer.commit(Txn::new().delete(&at)).await),
            _ => drop(writer.put(&at, self.random.u8(..4).to_string()).await),
        }
        if self.random.bool() {
            let wait = std::time::Duration::from_millis(self.random.u64(..300));
            let work = async {
                while let Some(event) = mirroring.next().await {
                    event.expect("no store is closed");
                }
            };
            let _ = tokio::time::timeout(wait, work).await;
        }
    }

    /// Whether the target is as it should be, given what both have.
    async fn is_done(&self, is_deleting: bool) -> bool {
        let (source, target) = (content(&self.pair.source).await, content(&self.pair.target).await);
        let is_copied = source.iter().all(|(key, value)| target.get(key) == Some(value));
        // A key that has keys below it is not deleted.
        let may_stay = |key: &Key| source.keys().any(|below| key.below().contains(below));
        let mut extra = target.keys().filter(|key| !source.contains_key(*key));
        is_copied && (!is_deleting || extra.all(may_stay))
    }
}

/// A mirror of stores that tell only that keys changed.
fn vague(pair: &Pair) -> Mirror {
    Mirror::new(&Rigged::vague(pair.from()), &Rigged::vague(pair.to()), Prefix::root())
}

async fn play(seed: u64, is_deleting: bool, is_vague: bool) {
    let mut world = World { random: fastrand::Rng::with_seed(seed), pair: Pair::new() };
    let mirror = if is_vague { vague(&world.pair) } else { world.pair.mirror() };
    let mirror = if is_deleting { mirror.deleting() } else { mirror };
    let mut mirroring = mirror.clone().start().expect("two stores");
    for step in 0..STEPS {
        world.step(&mut mirroring).await;
        if world.random.u8(..40) == 0 {
            // It was killed, and is started again.
            mirroring = mirror.clone().start().expect("two stores");
        }
        if step % 20 == 19 {
            world.pair.source.reconnect();
            world.pair.target.reconnect();
            let what = format!("seed {seed} step {step}");
            work_until(&mut mirroring, &what, async || world.is_done(is_deleting).await).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_target_equals_the_source_whenever_both_are_quiet() {
    for seed in 0..SEEDS {
        play(seed, true, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_target_has_what_the_source_has_whenever_both_are_quiet() {
    for seed in 0..SEEDS {
        play(seed, false, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn so_it_does_where_watches_tell_only_that_keys_changed() {
    for seed in 0..SEEDS {
        play(seed, true, true).await;
    }
}

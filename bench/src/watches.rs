//! Watches armed and fired, again and again.

use futures_util::{StreamExt, stream::FuturesUnordered};

use crate::{
    clients::Client,
    modes::{Mode, begin},
    sample::{Moment, Rounds, Sample, Span},
    works::{FIRE_PATH, Kind, SMALL, WATCHES, Work, watch_path},
};

/// Runs rounds of both, and samples one of them.
pub(crate) async fn run<C: Client>(client: &C, work: Work, mode: Mode, span: Span) -> Sample {
    let paths: Vec<_> = (0..WATCHES).map(|watch| C::path(&watch_path(watch))).collect();
    let fire = C::path(FIRE_PATH);
    let mut rounds = Rounds::new(span);
    while rounds.go_on() {
        let start = Moment::now(0);
        let watches = match mode {
            Mode::Window => arm(client, &paths, work.in_flight).await,
            _ => arm_unordered(client, &paths, work.in_flight).await,
        };
        let armed = Moment::now(WATCHES as u64);
        client.set(&fire, &SMALL).await;
        for watch in watches {
            C::fired(watch).await;
        }
        let fired = Moment::now(2 * WATCHES as u64);
        rounds.add(if work.kind == Kind::WatchesArmed { armed - start } else { fired - armed });
    }
    rounds.sample()
}

async fn arm_unordered<C: Client>(client: &C, paths: &[C::Path], in_flight: usize) -> Vec<C::Watch> {
    let mut watches = Vec::with_capacity(paths.len());
    let (first, rest) = paths.split_at(in_flight);
    let mut rest = rest.iter();
    let mut arming: FuturesUnordered<_> = first.iter().map(|path| client.watch(path)).collect();
    while let Some(watch) = arming.next().await {
        watches.push(watch);
        arming.extend(rest.next().map(|path| client.watch(path)));
    }
    watches
}

/// Like a window of reads, but what comes of each is kept.
async fn arm<C: Client>(client: &C, paths: &[C::Path], in_flight: usize) -> Vec<C::Watch> {
    let mut watches = Vec::with_capacity(paths.len());
    let (first, rest) = paths.split_at(in_flight);
    let mut slots: Vec<_> = first.iter().map(|path| Box::pin(client.watch(path))).collect();
    if C::IS_LAZY {
        for slot in &mut slots {
            begin(slot.as_mut()).await;
        }
    }
    for (number, path) in rest.iter().enumerate() {
        let slot = &mut slots[number % in_flight];
        watches.push(slot.as_mut().await);
        slot.set(client.watch(path));
        if C::IS_LAZY {
            begin(slot.as_mut()).await;
        }
    }
    // The oldest is where the next would have gone.
    let oldest = rest.len() % in_flight;
    for number in 0..in_flight {
        watches.push(slots[(oldest + number) % in_flight].as_mut().await);
    }
    watches
}

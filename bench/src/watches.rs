//! Watches armed and fired, again and again.

use crate::{
    clients::Client,
    modes::begin,
    sample::{Moment, Sample, Span},
    works::{FIRE_PATH, Kind, SMALL, WATCHES, watch_path},
};

/// Runs rounds of both, and samples one of them.
pub(crate) async fn run<C: Client>(client: &C, kind: Kind, in_flight: usize, span: Span) -> Sample {
    let paths: Vec<_> = (0..WATCHES).map(|watch| C::path(&watch_path(watch))).collect();
    let fire = C::path(FIRE_PATH);
    let mut warm = Sample::default();
    while warm.time < span.warm_up {
        warm += round(client, &paths, &fire, kind, in_flight).await;
    }
    let mut measured = Sample::default();
    while measured.time < span.measured {
        measured += round(client, &paths, &fire, kind, in_flight).await;
    }
    measured
}

async fn round<C: Client>(
    client: &C,
    paths: &[C::Path],
    fire: &C::Path,
    kind: Kind,
    in_flight: usize,
) -> Sample {
    let count = paths.len() as u64;
    let start = Moment::now(0);
    let watches = arm(client, paths, in_flight).await;
    let armed = Moment::now(count);
    client.set(fire, &SMALL).await;
    for watch in watches {
        C::fired(watch).await;
    }
    let fired = Moment::now(2 * count);
    if kind == Kind::WatchesArmed { armed - start } else { fired - armed }
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

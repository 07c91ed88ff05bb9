//! Reads of a value that one thread writes: what a shared struct costs beside the ways to share within a process.

use std::error::Error;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use quorate::{Moment, Shared};
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::{
    RaceOptions,
    report::{Column, Report, Row, Unit},
};
use crate::{rounds::median, say, weather::Weather};

/// Between two writes.
const WRITE_EVERY: Duration = Duration::from_millis(1);
/// Reads between two looks at whether it is enough.
const BATCH: u64 = 256;

const COLUMNS: [Column; 2] = [
    Column("ns_one_thread", "ns, one thread", Unit::Plain),
    Column("ns_two_threads", "ns, two threads", Unit::Plain),
];
const THREADS: [usize; COLUMNS.len()] = [1, 2];

/// What is shared: as small as it may be, so that sharing it is all that is measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Count {
    n: u64,
}

/// A way to share.
trait Share: Sync {
    /// A way to read, for one thread.
    fn reader(&self) -> impl FnMut() -> u64;

    fn write(&self, n: u64);
}

/// The way that this crate offers: a struct in a store, in memory.
struct Ours {
    runtime: Runtime,
    shared: Shared<Count>,
}

impl Ours {
    fn open() -> Result<Self, Box<dyn Error>> {
        // Its own thread keeps the copy; the writer waits on its own.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let shared = runtime.block_on(async {
            let store = quorate::open("mem:").await?;
            let open = Shared::open(&store, "/count").unlisted();
            Ok::<_, Box<dyn Error>>(open.create(Count::default()).await?)
        })?;
        Ok(Self { runtime, shared })
    }

    fn write(&self, n: u64) {
        let update = self.shared.update_optimistic(|count| count.n = n);
        self.runtime.block_on(update).expect("updates in memory work");
    }
}

/// `Shared::read`.
struct Read(Ours);

impl Share for Read {
    fn reader(&self) -> impl FnMut() -> u64 {
        || self.0.shared.read().expect("the copy is current").n
    }

    fn write(&self, n: u64) {
        self.0.write(n);
    }
}

/// `Shared::access`, one for each thread.
struct Access(Ours);

impl Share for Access {
    fn reader(&self) -> impl FnMut() -> u64 {
        let mut access = self.0.shared.access();
        move || access.read().expect("the copy is current").n
    }

    fn write(&self, n: u64) {
        self.0.write(n);
    }
}

/// `Shared::peek`, which asks for no age.
struct Peek(Ours);

impl Share for Peek {
    fn reader(&self) -> impl FnMut() -> u64 {
        || self.0.shared.peek().n
    }

    fn write(&self, n: u64) {
        self.0.write(n);
    }
}

struct LoadFull(ArcSwap<Count>);

impl Share for LoadFull {
    fn reader(&self) -> impl FnMut() -> u64 {
        || self.0.load_full().n
    }

    fn write(&self, n: u64) {
        self.0.store(Arc::new(Count { n }));
    }
}

/// What a read that knows the age of the copy has to cost at least.
struct LoadFullAndClock(ArcSwap<Count>);

impl Share for LoadFullAndClock {
    fn reader(&self) -> impl FnMut() -> u64 {
        || {
            black_box(Moment::now());
            self.0.load_full().n
        }
    }

    fn write(&self, n: u64) {
        self.0.store(Arc::new(Count { n }));
    }
}

struct Watch(watch::Sender<Arc<Count>>);

impl Share for Watch {
    fn reader(&self) -> impl FnMut() -> u64 {
        || {
            let count = Arc::clone(&self.0.borrow());
            count.n
        }
    }

    fn write(&self, n: u64) {
        self.0.send_replace(Arc::new(Count { n }));
    }
}

struct Locked(RwLock<Arc<Count>>);

impl Share for Locked {
    fn reader(&self) -> impl FnMut() -> u64 {
        || {
            let count = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
            count.n
        }
    }

    fn write(&self, n: u64) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Count { n });
    }
}

/// Ways and their names.
type Ways = Vec<(&'static str, Box<dyn Way>)>;

fn ways() -> Result<Ways, Box<dyn Error>> {
    let count = || Arc::new(Count::default());
    Ok(vec![
        ("Shared::read", Box::new(Read(Ours::open()?))),
        ("Shared::access", Box::new(Access(Ours::open()?))),
        ("Shared::peek", Box::new(Peek(Ours::open()?))),
        ("ArcSwap::load_full", Box::new(LoadFull(ArcSwap::new(count())))),
        ("ArcSwap::load_full + clock", Box::new(LoadFullAndClock(ArcSwap::new(count())))),
        ("watch::Sender, clone of the Arc", Box::new(Watch(watch::Sender::new(count())))),
        ("RwLock, clone of the Arc", Box::new(Locked(RwLock::new(count())))),
    ])
}

/// A way that can be timed. The loop is compiled for each, so that a read is no call through a table.
trait Way {
    /// Nanoseconds for a read by each of so many threads, while another one writes.
    fn time(&self, threads: usize, time: Duration) -> f64;
}

impl<S: Share> Way for S {
    fn time(&self, threads: usize, time: Duration) -> f64 {
        let is_over = AtomicBool::new(false);
        let nanos = thread::scope(|scope| {
            scope.spawn(|| {
                for n in 1.. {
                    if is_over.load(Relaxed) {
                        return;
                    }
                    self.write(n);
                    thread::sleep(WRITE_EVERY);
                }
            });
            let readers: Vec<_> = (0..threads).map(|_| scope.spawn(|| reads(self.reader(), time))).collect();
            let each = readers.into_iter().map(|reader| reader.join().expect("reads do not panic"));
            let nanos: Vec<f64> = each.collect();
            is_over.store(true, Relaxed);
            nanos
        });
        nanos.iter().sum::<f64>() / threads as f64
    }
}

fn reads(mut read: impl FnMut() -> u64, time: Duration) -> f64 {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < time {
        for _ in 0..BATCH {
            black_box(read());
        }
        count += BATCH;
    }
    start.elapsed().as_nanos() as f64 / count as f64
}

/// Measures all ways.
pub(crate) fn run(options: &RaceOptions) -> Result<(), Box<dyn Error>> {
    let title = "reads of a struct that is written every millisecond";
    let mut ways = ways()?;
    ways.retain(|(name, _)| options.wants(title, name));
    let mut figures = vec![[const { Vec::new() }; THREADS.len()]; ways.len()];
    let before = Weather::now(None);
    for round in 0..=options.rounds {
        say(&format!("{title}: round {round} of {}", options.rounds));
        for ((_, way), figures) in ways.iter().zip(&mut figures) {
            for (threads, figures) in THREADS.into_iter().zip(figures) {
                // The first round warms up.
                let time = if round == 0 { options.span.warm_up } else { options.span.measured };
                let nanos = way.time(threads, time);
                if round > 0 {
                    figures.push(nanos);
                }
            }
        }
    }
    let rows = ways.iter().zip(figures).map(|((name, _), figures)| Row {
        name: (*name).to_owned(),
        figures: figures.map(|figures| Some(median(figures.into_iter()))).to_vec(),
        note: String::new(),
    });
    let rows = rows.collect();
    let others = before.zip(Weather::now(None)).map(|(before, now)| now.others_since(before));
    Ok(Report { title, columns: &COLUMNS, rows, others }.print(options.json)?)
}

//! One client at one work in one way, in a process of its own.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::{
    allocations,
    clients::{Client, Multi, Quorate, TokioZookeeper, Who, ZookeeperAsync, ZookeeperClient},
    cores::Cores,
    load::{CreateDelete, Get, MultiSet, Set},
    modes::Mode,
    raw,
    sample::{Counter, Moment, Sample, Span, total},
    watches,
    works::{Kind, Work},
};

/// What a process may take beyond its span: connecting, or a client that hangs.
const GRACE: Duration = Duration::from_secs(10);

/// Which runtime the client is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Threads {
    Current,
    Two,
}

impl Threads {
    pub(crate) const ALL: [Self; 2] = [Self::Current, Self::Two];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Two => "multi(2)",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|threads| threads.name() == name)
    }

    fn runtime(self) -> io::Result<Runtime> {
        match self {
            Self::Current => Builder::new_current_thread().enable_all().build(),
            Self::Two => Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        }
    }
}

/// One client at one work in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) who: Who,
    pub(crate) work: Work,
    pub(crate) mode: Mode,
    pub(crate) threads: Threads,
    pub(crate) cores: Cores,
}

impl Cell {
    /// How the client works, in words.
    pub(crate) fn way(&self) -> String {
        match self.who {
            Who::Raw => self.cores.name().to_owned(),
            _ => format!("{}, {}, {}", self.mode.name(), self.threads.name(), self.cores.name()),
        }
    }
}

/// What a cell's process has found out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    pub(crate) sample: Sample,
    /// All replies since the process began.
    pub(crate) replies: u64,
}

impl Found {
    /// The line between the processes.
    pub(crate) fn line(&self) -> String {
        let Sample { replies, time, cpu, allocations } = self.sample;
        format!("{replies} {} {} {allocations} {}", time.as_nanos(), cpu.as_nanos(), self.replies)
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        let numbers: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let &[replies, time, cpu, allocations, all] = &numbers[..] else { return None };
        let (time, cpu) = (Duration::from_nanos(time), Duration::from_nanos(cpu));
        Some(Self { sample: Sample { replies, time, cpu, allocations }, replies: all })
    }
}

/// Runs the cell in this process, prints what it found, and ends the process: whatever still runs is of no interest.
pub(crate) fn run(cell: Cell, addr: SocketAddr, span: Span, counts_allocations: bool) -> io::Result<()> {
    cell.cores.take();
    if counts_allocations {
        allocations::count();
    }
    thread::spawn(move || {
        thread::sleep(span.warm_up + span.measured + GRACE);
        // Most likely the client waits for something that does not come.
        std::process::exit(3);
    });
    let found = measure(cell, addr, span)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", found.line())?;
    stdout.flush()?;
    std::process::exit(0)
}

/// Runs the cell in this process, which goes on.
pub(crate) fn here(cell: Cell, addr: SocketAddr, span: Span) -> io::Result<Found> {
    cell.cores.take();
    measure(cell, addr, span)
}

fn measure(cell: Cell, addr: SocketAddr, span: Span) -> io::Result<Found> {
    let Cell { who, work, threads, .. } = cell;
    if who == Who::Raw {
        if work.kind.is_of_watches() {
            let sample = raw::watches(addr, work, span)?;
            return Ok(Found { sample, replies: sample.replies });
        }
        let counters = raw::start(addr, work)?;
        return Ok(observe(&counters, span));
    }
    // A runtime that is dropped waits for its tasks, and these do not end.
    let runtime = Box::leak(Box::new(threads.runtime()?));
    Ok(match who {
        Who::Raw | Who::Quorate => with_multi::<Quorate<false>>(runtime, cell, addr, span),
        Who::QuorateNagle => with_multi::<Quorate<true>>(runtime, cell, addr, span),
        Who::ZookeeperClient => with_multi::<ZookeeperClient>(runtime, cell, addr, span),
        Who::TokioZookeeper => with_multi::<TokioZookeeper>(runtime, cell, addr, span),
        Who::ZookeeperAsync => with::<ZookeeperAsync>(runtime, cell, addr, span),
    })
}

fn with_multi<C: Multi>(runtime: &Runtime, cell: Cell, addr: SocketAddr, span: Span) -> Found {
    if cell.work.kind != Kind::Multi {
        return with::<C>(runtime, cell, addr, span);
    }
    let Cell { work, mode, .. } = cell;
    on(runtime, span, async move { mode.start(MultiSet::new(C::connect(addr).await), work.in_flight) })
}

fn with<C: Client>(runtime: &Runtime, cell: Cell, addr: SocketAddr, span: Span) -> Found {
    let Cell { work, mode, .. } = cell;
    let in_flight = work.in_flight;
    match work.kind {
        Kind::GetSmall => {
            on(runtime, span, async move { mode.start(Get::small(C::connect(addr).await), in_flight) })
        }
        Kind::GetBig => {
            on(runtime, span, async move { mode.start(Get::big(C::connect(addr).await), in_flight) })
        }
        Kind::Set => {
            on(runtime, span, async move { mode.start(Set::new(C::connect(addr).await), in_flight) })
        }
        Kind::CreateDelete => on(runtime, span, async move {
            mode.start(CreateDelete::new(C::connect(addr).await, in_flight), in_flight)
        }),
        Kind::Multi => panic!("this client has no multi"),
        Kind::WatchesArmed | Kind::WatchesFired => runtime.block_on(async {
            let watching = async move {
                let client = C::connect(addr).await;
                let sample = watches::run(&client, work, mode, span).await;
                // The session must outlast the measurement, and its end is not part of it.
                std::mem::forget(client);
                sample
            };
            let sample = tokio::spawn(watching).await.expect("the watches work");
            Found { sample, replies: sample.replies }
        }),
    }
}

/// Starts a load and observes it from within the runtime, which a thread of its own would disturb.
fn on(runtime: &Runtime, span: Span, start: impl Future<Output = Arc<[Counter]>>) -> Found {
    runtime.block_on(async {
        let counters = start.await;
        tokio::time::sleep(span.warm_up).await;
        let before = Moment::now(total(&counters));
        tokio::time::sleep(span.measured).await;
        let sample = Moment::now(total(&counters)) - before;
        Found { sample, replies: total(&counters) }
    })
}

fn observe(counters: &[Counter], span: Span) -> Found {
    thread::sleep(span.warm_up);
    let before = Moment::now(total(counters));
    thread::sleep(span.measured);
    let sample = Moment::now(total(counters)) - before;
    Found { sample, replies: total(counters) }
}

//! What was done in a stretch of time, and what it cost this process.

use std::ops::{AddAssign, Sub};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::allocations;

/// How long a cell runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// Counts the replies that one task got. Only that task writes it, and it has a cache line to itself.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.store(self.0.load(Relaxed) + count, Relaxed);
    }
}

pub(crate) fn counters(count: usize) -> std::sync::Arc<[Counter]> {
    (0..count).map(|_| Counter::default()).collect()
}

pub(crate) fn total(counters: &[Counter]) -> u64 {
    counters.iter().map(|counter| counter.0.load(Relaxed)).sum()
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) replies: u64,
    pub(crate) time: Duration,
    pub(crate) cpu: Duration,
    pub(crate) allocations: u64,
}

impl AddAssign for Sample {
    fn add_assign(&mut self, other: Self) {
        self.replies += other.replies;
        self.time += other.time;
        self.cpu += other.cpu;
        self.allocations += other.allocations;
    }
}

/// A moment, to be subtracted from a later one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    replies: u64,
    at: Instant,
    cpu: Duration,
    allocations: u64,
}

impl Moment {
    pub(crate) fn now(replies: u64) -> Self {
        Self { replies, at: Instant::now(), cpu: cpu(), allocations: allocations::counted() }
    }
}

impl Sub for Moment {
    type Output = Sample;

    fn sub(self, earlier: Self) -> Sample {
        Sample {
            replies: self.replies - earlier.replies,
            time: self.at - earlier.at,
            cpu: self.cpu - earlier.cpu,
            allocations: self.allocations - earlier.allocations,
        }
    }
}

/// User and system time of all threads of this process.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Rounds that take a span together, of each of which only a part is sampled.
pub(crate) struct Rounds {
    span: Span,
    started: Instant,
    is_warm: bool,
    sampled: Sample,
}

impl Rounds {
    pub(crate) fn new(span: Span) -> Self {
        Self { span, started: Instant::now(), is_warm: false, sampled: Sample::default() }
    }

    /// Whether there should be another. There is one at least that counts.
    pub(crate) fn go_on(&mut self) -> bool {
        if !self.is_warm && self.started.elapsed() >= self.span.warm_up {
            (self.is_warm, self.started, self.sampled) = (true, Instant::now(), Sample::default());
        }
        !self.is_warm || self.sampled.replies == 0 || self.started.elapsed() < self.span.measured
    }

    pub(crate) fn add(&mut self, sample: Sample) {
        self.sampled += sample;
    }

    pub(crate) const fn sample(&self) -> Sample {
        self.sampled
    }
}

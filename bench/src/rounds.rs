//! Rounds in which every client has its turn, so that a change of the weather meets all of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{
    arguments::Options,
    cell::{Cell, Found, Threads},
    clients::Who,
    modes::Mode,
    processes::{self, Tracer},
    sample::Span,
    say,
    weather::cpu_of,
    works::{Place, Work},
};

/// Of one client's ways to work, those this close to its fastest are measured in every round.
const CLOSE: f64 = 0.8;
/// But no more than this.
const CLOSE_MAX: usize = 3;
/// Where a server decides the rate, ways this close to the fastest are as fast, and the cheapest is the best.
const SAME: f64 = 0.95;
/// One short try is rougher than the median of rounds.
const SAME_AT_ONCE: f64 = 0.88;

/// What was found out about one cell.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) cell: Cell,
    pub(crate) rounds: Vec<Round>,
    pub(crate) allocations: Option<f64>,
    pub(crate) system_calls: Option<f64>,
}

/// One round of a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// Operations in a second.
    pub(crate) rate: f64,
    /// Microseconds of CPU for an operation.
    pub(crate) cpu: f64,
    /// The server's, where it can be found out.
    server_cpu: Option<f64>,
}

/// Where the cells connect to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    /// The process that serves, if it is ours.
    pub(crate) process: Option<u32>,
}

impl Row {
    fn new(cell: Cell) -> Self {
        Self { cell, rounds: Vec::new(), allocations: None, system_calls: None }
    }

    /// The row of a single round.
    pub(crate) fn once(cell: Cell, found: &Found) -> Self {
        let mut row = Self::new(cell);
        row.add(found, None);
        row
    }

    pub(crate) fn rate(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.rate))
    }

    fn best_rate(&self) -> f64 {
        self.rounds.iter().map(|round| round.rate).fold(0.0, f64::max)
    }

    pub(crate) fn cpu(&self) -> f64 {
        median(self.rounds.iter().map(|round| round.cpu))
    }

    /// The client's and the server's together. What the kernel does for a connection is charged to whoever happens
    /// to run, so that one client's cost may be the server's with another.
    pub(crate) fn cpu_of_both(&self) -> Option<f64> {
        let both = |round: &Round| Some(round.cpu + round.server_cpu?);
        Some(median(self.rounds.iter().map(both).collect::<Option<Vec<_>>>()?.into_iter()))
    }

    /// Half the distance between the slowest and the fastest round, as a part of the median.
    pub(crate) fn spread(&self) -> f64 {
        let rates = || self.rounds.iter().map(|round| round.rate);
        (self.best_rate() - rates().fold(f64::MAX, f64::min)) / 2.0 / self.rate()
    }

    /// Runs the cell once more. A client that fails is out.
    fn run(&mut self, target: Target, span: Span) -> bool {
        let server_cpu = || target.process.and_then(cpu_of);
        let before = server_cpu();
        match processes::time(self.cell, target.addr, span) {
            Ok(found) => {
                self.add(&found, server_cpu().zip(before).map(|(after, before)| after - before));
                true
            }
            Err(reason) => {
                self.complain(&reason);
                false
            }
        }
    }

    /// The server's time is that of the whole life of the cell's process.
    fn add(&mut self, found: &Found, server: Option<Duration>) {
        let ops = self.ops(found.sample.replies);
        let rate = ops / found.sample.time.as_secs_f64();
        let each = |cpu: Duration, ops| cpu.as_secs_f64() * 1e6 / ops;
        let server_cpu = server.map(|cpu| each(cpu, self.ops(found.replies)));
        self.rounds.push(Round { rate, cpu: each(found.sample.cpu, ops), server_cpu });
    }

    fn count(&mut self, addr: SocketAddr, span: Span, tracer: Option<Tracer>) {
        // These passes are slower, and only their counts are used.
        match processes::count_allocations(self.cell, addr, span) {
            Ok(found) => {
                self.allocations = Some(found.sample.allocations as f64 / self.ops(found.sample.replies));
            }
            Err(reason) => self.complain(&reason),
        }
        // The calls of a process cannot be told apart by what it was doing, and here it does two things.
        let Some(tracer) = tracer.filter(|_| !self.cell.work.kind.is_of_watches()) else { return };
        match tracer.count(self.cell, addr, span) {
            Ok((found, calls)) => self.system_calls = Some(calls as f64 / self.ops(found.replies)),
            Err(reason) => self.complain(&reason),
        }
    }

    fn ops(&self, replies: u64) -> f64 {
        replies as f64 / self.cell.work.kind.requests() as f64
    }

    fn complain(&self, reason: &str) {
        let Cell { who, work, .. } = self.cell;
        say(&format!("{} at {} ({}): {reason}", who.name(), work.name(), self.cell.way()));
    }
}

/// Measures a work. The rows are in the order of the clients, each one's best first.
pub(crate) fn measure(work: Work, target: Target, options: &Options, tracer: Option<Tracer>) -> Vec<Row> {
    let mut rows: Vec<_> = cells(work, options).into_iter().map(Row::new).collect();
    if !options.shows_all {
        scout(&mut rows, target, options);
    }
    for round in 1..=options.rounds {
        say(&format!("{}: round {round} of {}, {} processes", work.name(), options.rounds, rows.len()));
        rows.retain_mut(|row| row.run(target, options.span));
    }
    rows.retain(|row| !row.rounds.is_empty());
    sort(&mut rows, Row::rate, SAME);
    if !options.shows_all {
        rows.dedup_by_key(|row| row.cell.who);
    }
    if options.counts {
        say(&format!("{}: counting", work.name()));
        let mut counted = None;
        for row in &mut rows {
            if counted.replace(row.cell.who) != Some(row.cell.who) {
                row.count(target.addr, shorter(options.span), tracer);
            }
        }
    }
    rows
}

fn cells(work: Work, options: &Options) -> Vec<Cell> {
    let mut cells = Vec::new();
    for &who in options.clients.iter().filter(|who| who.can(work)) {
        for &cores in &options.cores {
            if who == Who::Raw {
                cells.push(Cell { who, work, mode: Mode::Window, threads: Threads::Current, cores });
                continue;
            }
            for &mode in &options.modes {
                let cell = |&threads| Cell { who, work, mode, threads, cores };
                cells.extend(options.threads.iter().map(cell).filter(is_of_use));
            }
        }
    }
    cells
}

/// Watches are armed by one task, and one request in flight is the same in a window and out of order.
fn is_of_use(cell: &Cell) -> bool {
    match cell.mode {
        Mode::Window => true,
        Mode::Tasks => !cell.work.kind.is_of_watches(),
        Mode::Unordered => cell.work.in_flight > 1,
    }
}

/// Leaves only the ways to work that may turn out the best of their client. Some clients are fast at one time and
/// slow at another, so the best of several tries counts.
fn scout(rows: &mut Vec<Row>, target: Target, options: &Options) {
    let Some(work) = rows.first().map(|row| row.cell.work) else { return };
    for number in 1..=options.tries {
        say(&format!("{}: try {number} of {}, {} processes", work.name(), options.tries, rows.len()));
        rows.retain_mut(|row| row.run(target, shorter(options.span)));
    }
    sort(rows, Row::best_rate, SAME_AT_ONCE);
    let (mut who, mut best, mut kept) = (None, 0.0, 0);
    rows.retain_mut(|row| {
        if who.replace(row.cell.who) != Some(row.cell.who) {
            (best, kept) = (row.best_rate(), 0);
        }
        kept += 1;
        let stays = kept <= CLOSE_MAX && row.best_rate() >= CLOSE * best;
        row.rounds.clear();
        stays
    });
}

/// Puts the rows in the order of the clients, and the best way of each first.
fn sort(rows: &mut [Row], rate: impl Fn(&Row) -> f64, same: f64) {
    let mut best = BTreeMap::new();
    for row in rows.iter() {
        let best = best.entry(row.cell.who).or_insert(0.0_f64);
        *best = best.max(rate(row));
    }
    let cost = |row: &Row| {
        let is_as_fast = row.cell.work.place == Place::Real && rate(row) >= same * best[&row.cell.who];
        if is_as_fast { (0, row.cpu()) } else { (1, -rate(row)) }
    };
    rows.sort_by(|one, other| {
        let ((group, one_cost), (other_group, other_cost)) = (cost(one), cost(other));
        let by_cost = group.cmp(&other_group).then(one_cost.total_cmp(&other_cost));
        one.cell.who.cmp(&other.cell.who).then(by_cost)
    });
}

fn shorter(span: Span) -> Span {
    let least = Duration::from_millis(150);
    Span { warm_up: span.warm_up / 2, measured: (span.measured / 3).max(least) }
}

/// The value in the middle, or between the two there.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median([].into_iter()).is_nan());
    }
}

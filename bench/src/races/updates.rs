//! Increments of one number in the store, by one client or by eight.

use std::error::Error;
use std::io;
use std::process::Command;
use std::time::Duration;

use super::{
    RaceOptions,
    course::{Course, own_path},
    packets,
    peers::Peers,
    report::{Column, Report, Row, Unit},
    worker::Worker,
};
use crate::{rounds::median, say};

/// How long the last update of a round may take beyond it.
const GRACE: Duration = Duration::from_secs(60);

const COLUMNS: [Column; 4] = [
    Column("updates_per_second", "updates/s", Unit::Thousands),
    Column("requests_per_update", "requests each", Unit::Plain),
    Column("least_share", "least share", Unit::Plain),
    Column("most_share", "most share", Unit::Plain),
];

/// How the number is guarded, and by how many it is incremented.
struct Case {
    title: &'static str,
    how: &'static str,
    processes: usize,
    tasks: usize,
}

const CASES: [Case; 5] = [
    Case { title: "exclusive updates, one client", how: "exclusive", processes: 1, tasks: 1 },
    Case { title: "exclusive updates, 8 processes", how: "exclusive", processes: 8, tasks: 1 },
    Case { title: "exclusive updates, 8 tasks of one process", how: "exclusive", processes: 1, tasks: 8 },
    Case { title: "optimistic updates, one client", how: "optimistic", processes: 1, tasks: 1 },
    Case { title: "optimistic updates, 8 processes", how: "optimistic", processes: 8, tasks: 1 },
];

/// Who increments.
#[derive(Clone, Copy, Debug)]
enum Who {
    /// `Shared`, which keeps a live copy in each process.
    Shared,
    /// The same, which looks for answers before it sleeps for them.
    BusyShared,
    /// `Document`, which keeps none, as Curator and kazoo under their locks.
    Document,
    Curator,
    Kazoo,
    /// One request after the other, by a program that knows the version.
    Bare,
}

impl Who {
    const ALL: [Self; 6] =
        [Self::Shared, Self::BusyShared, Self::Document, Self::Curator, Self::Kazoo, Self::Bare];

    const fn name(self, case: &Case) -> &'static str {
        match (self, case.how.as_bytes()) {
            (Self::Shared, _) => "quorate Shared",
            (Self::BusyShared, _) => "quorate Shared, busy_poll",
            (Self::Document, _) => "quorate Document",
            (Self::Curator, b"exclusive") => "Curator InterProcessMutex",
            (Self::Curator, _) => "Curator SharedValue",
            (Self::Kazoo, b"exclusive") => "kazoo Lock",
            (Self::Kazoo, _) => "kazoo get + set",
            (Self::Bare, _) => "bare setData, watched",
        }
    }

    fn can(self, case: &Case) -> bool {
        match self {
            Self::Shared | Self::Curator | Self::Kazoo => true,
            Self::Document => case.how == "exclusive",
            // Eight of them would look for answers on the core that the server needs.
            Self::BusyShared => case.processes == 1 && case.tasks == 1,
            Self::Bare => case.how == "optimistic" && case.processes == 1,
        }
    }

    fn command(self, case: &Case, course: &Course, path: &str) -> Result<Command, String> {
        let (addr, url, tasks) = (course.addr.to_string(), course.url(), case.tasks.to_string());
        match self {
            Self::Shared => Peers::ours(&[case.how, &url, path, &tasks]),
            Self::BusyShared => Peers::ours(&[case.how, &format!("{url}?busy_poll=1ms"), path, &tasks]),
            Self::Document => Peers::ours(&["document", &url, path, &tasks]),
            Self::Curator => course.peers.curator(&[case.how, &addr, path, &tasks]),
            Self::Kazoo => course.peers.kazoo(&[case.how, &addr, path, &tasks]),
            Self::Bare => Peers::ours(&["bare-increment", &addr, path]),
        }
    }
}

/// One round of a contestant.
struct Round {
    rate: f64,
    requests: f64,
}

/// A contestant's processes, and what they did.
struct Team {
    who: Who,
    workers: Vec<Worker>,
    rounds: Vec<Round>,
    /// The increments of each client in the rounds that count.
    shares: Vec<u64>,
    /// All increments that were acknowledged.
    acknowledged: u64,
}

/// Runs all cases.
pub(crate) fn run(options: &RaceOptions) -> Result<(), Box<dyn Error>> {
    let course = Course::open(options)?;
    for (number, case) in CASES.iter().enumerate() {
        let before = course.weather();
        let rows = race(case, number, &course, options);
        let others = course.others_since(before);
        Report { title: case.title, columns: &COLUMNS, rows, others }.print(options.json)?;
    }
    Ok(())
}

fn race(case: &Case, number: usize, course: &Course, options: &RaceOptions) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut teams = Vec::new();
    for who in Who::ALL {
        if !who.can(case) || !options.wants(case.title, who.name(case)) {
            continue;
        }
        let path = format!("{}/{number}-{who:?}", own_path("updates"));
        match Team::start(who, case, course, &path).and_then(|mut team| {
            team.go(case, options.span.warm_up)?;
            Ok(team)
        }) {
            Ok(team) => teams.push(team.forget_warm_up()),
            Err(reason) => rows.push(Row::out(who.name(case), &COLUMNS, reason)),
        }
    }
    for round in 1..=options.rounds {
        say(&format!("{}: round {round} of {}", case.title, options.rounds));
        teams.retain_mut(|team| match team.measure(case, course, options.span.measured) {
            Ok(()) => true,
            Err(reason) => {
                rows.push(Row::out(team.who.name(case), &COLUMNS, reason));
                false
            }
        });
    }
    rows.splice(0..0, teams.into_iter().map(|team| team.row(case)));
    rows
}

impl Team {
    fn start(who: Who, case: &Case, course: &Course, path: &str) -> Result<Self, String> {
        say(&format!("{}: starting {}", case.title, who.name(case)));
        let start = || Worker::start(who.command(case, course, path)?, course.peers.folder());
        let mut workers = (0..case.processes).map(|_| start()).collect::<Result<Vec<_>, String>>()?;
        workers.iter_mut().try_for_each(Worker::wait_ready)?;
        let shares = vec![0; case.processes * case.tasks];
        Ok(Self { who, workers, rounds: Vec::new(), shares, acknowledged: 0 })
    }

    fn forget_warm_up(mut self) -> Self {
        self.shares.fill(0);
        self
    }

    /// Lets all of them increment for a while; gives back the increments, and the seconds they took.
    fn go(&mut self, case: &Case, time: Duration) -> Result<(u64, f64), String> {
        let line = format!("go {}", time.as_millis());
        self.workers.iter_mut().try_for_each(|worker| worker.tell(&line))?;
        let (mut all, mut nanos) = (0, 0);
        for (worker, shares) in self.workers.iter_mut().zip(self.shares.chunks_mut(case.tasks)) {
            let numbers = worker.hear_words("done", time + GRACE)?;
            let [took, counts @ ..] = &numbers[..] else { return Err("it counts nothing".to_owned()) };
            nanos = nanos.max(*took);
            all += counts.iter().sum::<u64>();
            shares.iter_mut().zip(counts).for_each(|(share, count)| *share += count);
        }
        self.acknowledged += all;
        Ok((all, nanos as f64 / 1e9))
    }

    fn measure(&mut self, case: &Case, course: &Course, time: Duration) -> Result<(), String> {
        let words = |error: io::Error| error.to_string();
        let before = packets::received(course.addr).map_err(words)?;
        let (all, seconds) = self.go(case, time)?;
        let requests = packets::received(course.addr).map_err(words)? - before;
        self.rounds.push(Round { rate: all as f64 / seconds, requests: requests as f64 / all.max(1) as f64 });
        Ok(())
    }

    fn row(mut self, case: &Case) -> Row {
        let fair = self.shares.iter().sum::<u64>() as f64 / self.shares.len() as f64;
        let share = |count: Option<&u64>| count.filter(|_| self.shares.len() > 1).map(|&n| n as f64 / fair);
        let figures = vec![
            Some(median(self.rounds.iter().map(|round| round.rate))),
            Some(median(self.rounds.iter().map(|round| round.requests))),
            share(self.shares.iter().min()),
            share(self.shares.iter().max()),
        ];
        let stored = self.workers.first_mut().map(|worker| worker.ask("value", "value", GRACE));
        let note = match stored {
            Some(Ok(value)) if value == [self.acknowledged] => String::new(),
            Some(Ok(value)) => format!("acknowledged {}, stored {value:?}", self.acknowledged),
            Some(Err(reason)) => reason,
            None => String::new(),
        };
        Row { name: self.who.name(case).to_owned(), figures, note }
    }
}

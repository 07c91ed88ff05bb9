//! Copies of a large tree: how long they take to load, and how late one change is told.

use std::error::Error;
use std::ops::RangeInclusive;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{
    RaceOptions, beat,
    course::{Course, own_path},
    packets,
    peers::Peers,
    report::{Column, Report, Row, Unit},
    tree::Tree,
    worker::Worker,
};
use crate::{
    raw::{Raw, set_to},
    rounds::median,
    say,
};

/// How long a client may take to load everything.
const LOAD_MAX: Duration = Duration::from_secs(600);
/// Directories of the tree that is loaded, and of the one in which nodes are written.
const DIRECTORIES: usize = 100;
const DIRECTORIES_QUICK: usize = 10;
const DIRECTORIES_WRITTEN: usize = 10;
/// Writes that are timed in a round, and those before, which warm up.
const WRITES: u64 = 300;
const WRITES_QUICK: u64 = 100;
const WARM_UP_WRITES: u64 = 100;
/// Between two writes, so that none waits for what the one before it left to do.
const PAUSE: Duration = Duration::from_millis(2);
/// Each write is to another node. A prime spreads them over the directories.
const STRIDE: usize = 7_919;

const LOADING: [Column; 3] = [
    Column("seconds", "seconds", Unit::Plain),
    Column("requests", "requests", Unit::Thousands),
    Column("peak_memory_bytes", "peak memory", Unit::Memory),
];
const TELLING: [Column; 2] =
    [Column("median_ms", "median ms", Unit::Plain), Column("p99_ms", "99% ms", Unit::Plain)];

#[derive(Clone, Copy, Debug)]
enum Who {
    /// A stream of batches, from a task of its own.
    Follower,
    /// Calls, in the task of whoever follows.
    Follow,
    /// What followers are built on.
    Replica,
    Curator,
    Kazoo,
    Bare,
}

impl Who {
    const ALL: [Self; 6] =
        [Self::Follower, Self::Follow, Self::Replica, Self::Curator, Self::Kazoo, Self::Bare];

    const fn name(self) -> &'static str {
        match self {
            Self::Follower => "quorate Follower",
            Self::Follow => "quorate Follow, calls",
            Self::Replica => "quorate Watch + Replica",
            Self::Curator => "Curator CuratorCache",
            Self::Kazoo => "kazoo TreeCache",
            Self::Bare => "bare, keeps nothing",
        }
    }

    fn command(self, course: &Course, root: &str) -> Result<Command, String> {
        let addr = course.addr.to_string();
        match self {
            Self::Follower => Peers::ours(&["follow", &course.url(), root]),
            Self::Follow => Peers::ours(&["calls", &course.url(), root]),
            Self::Replica => Peers::ours(&["replica", &course.url(), root]),
            Self::Curator => course.peers.curator(&["follow", &addr, root]),
            Self::Kazoo => course.peers.kazoo(&["follow", &addr, root]),
            Self::Bare => Peers::ours(&["bare", &addr, root]),
        }
    }

    fn start(self, course: &Course, root: &str) -> Result<Worker, String> {
        let mut worker = Worker::start(self.command(course, root)?, course.peers.folder())?;
        worker.wait_ready()?;
        Ok(worker)
    }
}

/// What a contestant did in each round, or why it is out.
struct Entrant {
    who: Who,
    rounds: Vec<Vec<f64>>,
    out: Option<String>,
}

impl Entrant {
    fn wanted(title: &str, options: &RaceOptions) -> Vec<Self> {
        let wanted = Who::ALL.into_iter().filter(|who| options.wants(title, who.name()));
        wanted.map(|who| Self { who, rounds: Vec::new(), out: None }).collect()
    }

    /// One more round, unless it is out.
    fn go(&mut self, round: impl FnOnce(Who) -> Result<Vec<f64>, String>) {
        if self.out.is_some() {
            return;
        }
        match round(self.who) {
            Ok(figures) => self.rounds.push(figures),
            Err(reason) => self.out = Some(reason),
        }
    }

    fn row(&self, columns: &[Column], figures: Vec<Option<f64>>) -> Row {
        match &self.out {
            Some(reason) => Row::out(self.who.name(), columns, reason.clone()),
            None => Row { name: self.who.name().to_owned(), figures, note: String::new() },
        }
    }
}

/// Runs both halves.
pub(crate) fn run(options: &RaceOptions) -> Result<(), Box<dyn Error>> {
    let course = Course::open(options)?;
    let directories = if options.is_quick { DIRECTORIES_QUICK } else { DIRECTORIES };
    loading(&course, directories, options)?;
    telling(&course, options)
}

fn loading(course: &Course, directories: usize, options: &RaceOptions) -> Result<(), Box<dyn Error>> {
    let title = format!("loading {directories} directories of 1,000 nodes of 100 bytes");
    let mut entrants = Entrant::wanted(&title, options);
    if entrants.is_empty() {
        return Ok(());
    }
    let tree = Tree::create(course.addr, own_path("load"), directories)?;
    let before = course.weather();
    for round in 1..=options.rounds {
        for entrant in &mut entrants {
            say(&format!("{title}: round {round} of {}, {}", options.rounds, entrant.who.name()));
            entrant.go(|who| load(who, course, &tree));
        }
    }
    let rows = entrants.iter().map(|entrant| {
        let figure = |column: usize| {
            (!entrant.rounds.is_empty()).then(|| median(entrant.rounds.iter().map(|round| round[column])))
        };
        entrant.row(&LOADING, (0..LOADING.len()).map(figure).collect())
    });
    let (rows, others) = (rows.collect(), course.others_since(before));
    Ok(Report { title: &title, columns: &LOADING, rows, others }.print(options.json)?)
}

fn load(who: Who, course: &Course, tree: &Tree) -> Result<Vec<f64>, String> {
    let received = || packets::received(course.addr).map_err(|error| error.to_string());
    let mut worker = who.start(course, &tree.root)?;
    let before = received()?;
    let seconds = complete(&mut worker, tree)?;
    let requests = received()? - before;
    let memory = worker.peak_memory().ok_or("its memory is not known")?;
    Ok(vec![seconds, requests as f64, memory as f64])
}

/// Lets it load everything; gives back how many seconds that took.
fn complete(worker: &mut Worker, tree: &Tree) -> Result<f64, String> {
    match worker.ask("load", "done", LOAD_MAX)?[..] {
        [nanos, nodes] if nodes == tree.len() as u64 => Ok(nanos as f64 / 1e9),
        [_, nodes] => Err(format!("it loaded {nodes} of {} nodes", tree.len())),
        _ => Err("it does not say how long it took".to_owned()),
    }
}

fn telling(course: &Course, options: &RaceOptions) -> Result<(), Box<dyn Error>> {
    let title = format!("from one write to the call, {DIRECTORIES_WRITTEN},000 nodes loaded");
    let mut entrants = Entrant::wanted(&title, options);
    if entrants.is_empty() {
        return Ok(());
    }
    let tree = Tree::create(course.addr, own_path("tell"), DIRECTORIES_WRITTEN)?;
    let writes = if options.is_quick { WRITES_QUICK } else { WRITES };
    let before = course.weather();
    let mut written = 0;
    for round in 1..=options.rounds {
        for entrant in &mut entrants {
            say(&format!("{title}: round {round} of {}, {}", options.rounds, entrant.who.name()));
            // The numbers go on, so that no write repeats a value: a follower says nothing of one that does.
            let first = written + 1;
            written += WARM_UP_WRITES + writes;
            entrant.go(|who| tell(who, course, &tree, first..=written));
        }
    }
    let rows = entrants.iter().map(|entrant| {
        let delays = entrant.rounds.concat();
        entrant.row(&TELLING, vec![beat::quantile(&delays, 0.5), beat::quantile(&delays, 0.99)])
    });
    let (rows, others) = (rows.collect(), course.others_since(before));
    Ok(Report { title: &title, columns: &TELLING, rows, others }.print(options.json)?)
}

/// The milliseconds from each write to the call that tells of it.
fn tell(who: Who, course: &Course, tree: &Tree, writes: RangeInclusive<u64>) -> Result<Vec<f64>, String> {
    let words = |error: std::io::Error| error.to_string();
    let mut worker = who.start(course, &tree.root)?;
    complete(&mut worker, tree)?;
    let mut raw = Raw::connect(course.addr).map_err(words)?;
    let mut delays = Vec::new();
    let warm_up = writes.start() + WARM_UP_WRITES;
    for write in writes {
        let request = set_to(&tree.node(write as usize * STRIDE), &beat::data(write));
        thread::sleep(PAUSE);
        let start = beat::now();
        raw.ask(&request).map_err(words)?;
        let seen = seen(&mut worker, write)?;
        if write >= warm_up {
            delays.push(beat::millis_between(start, seen));
        }
    }
    Ok(delays)
}

/// When a contestant was told of a write. It may be told of it, or of one before, twice.
pub(crate) fn seen(worker: &mut Worker, write: u64) -> Result<u64, String> {
    loop {
        match worker.hear_words("seen", beat::TOLD_MAX)?[..] {
            [number, nanos] if number == write => return Ok(nanos),
            [number, _] if number < write => {}
            _ => return Err(format!("it is told of no write {write}")),
        }
    }
}

//! Copies of a large tree: how long they take to load, and how late one change is told.

use std::error::Error;
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
/// Writes in a turn, the turns of each contestant in a round, and those before, which warm up.
const TURN_WRITES: usize = 20;
const TURNS: usize = 15;
const TURNS_QUICK: usize = 5;
const TURNS_WARM_UP: usize = 5;
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

    /// Begins with something, unless it is out.
    fn begin<T>(&mut self, begin: impl FnOnce(Who) -> Result<T, String>) -> Option<T> {
        begin(self.who).map_err(|reason| self.out = Some(reason)).ok()
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

/// All have loaded their own nodes and take turns of a few writes: whatever the machine does meanwhile meets all.
fn telling(course: &Course, options: &RaceOptions) -> Result<(), Box<dyn Error>> {
    let title = format!("from one write to the call, {DIRECTORIES_WRITTEN},000 nodes loaded");
    let mut entrants = Entrant::wanted(&title, options);
    if entrants.is_empty() {
        return Ok(());
    }
    let mut told = Vec::new();
    for entrant in &mut entrants {
        say(&format!("{title}: {} loads", entrant.who.name()));
        let tree =
            Tree::create(course.addr, own_path(&format!("tell-{:?}", entrant.who)), DIRECTORIES_WRITTEN)?;
        told.push(entrant.begin(|who| Told::start(who, course, tree)));
    }
    let before = course.weather();
    let turns = options.rounds * if options.is_quick { TURNS_QUICK } else { TURNS };
    for turn in 0..TURNS_WARM_UP + turns {
        if turn % TURNS == 0 {
            say(&format!("{title}: turn {turn} of {}", TURNS_WARM_UP + turns));
        }
        for (entrant, told) in entrants.iter_mut().zip(&mut told) {
            let Some(told) = told else { continue };
            entrant.go(|_| told.turn());
            if turn < TURNS_WARM_UP {
                entrant.rounds.clear();
            }
        }
    }
    let rows = entrants.iter().map(|entrant| {
        let delays = entrant.rounds.concat();
        entrant.row(&TELLING, vec![beat::quantile(&delays, 0.5), beat::quantile(&delays, 0.99)])
    });
    let (rows, others) = (rows.collect(), course.others_since(before));
    Ok(Report { title: &title, columns: &TELLING, rows, others }.print(options.json)?)
}

/// A contestant that has loaded its nodes, and who writes them.
struct Told {
    tree: Tree,
    worker: Worker,
    raw: Raw,
    /// The numbers go on, so that no write repeats a value: a follower says nothing of one that does.
    written: u64,
}

impl Told {
    fn start(who: Who, course: &Course, tree: Tree) -> Result<Self, String> {
        let mut worker = who.start(course, &tree.root)?;
        complete(&mut worker, &tree)?;
        let raw = Raw::connect(course.addr).map_err(|error| error.to_string())?;
        Ok(Self { tree, worker, raw, written: 0 })
    }

    /// The milliseconds from each write to the call that tells of it.
    fn turn(&mut self) -> Result<Vec<f64>, String> {
        (0..TURN_WRITES).map(|_| self.write()).collect()
    }

    fn write(&mut self) -> Result<f64, String> {
        self.written += 1;
        let node = self.tree.node(self.written as usize * STRIDE);
        let request = set_to(&node, &beat::data(self.written));
        thread::sleep(PAUSE);
        let start = beat::now();
        self.raw.ask(&request).map_err(|error| error.to_string())?;
        Ok(beat::millis_between(start, seen(&mut self.worker, self.written)?))
    }
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

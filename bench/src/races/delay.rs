//! One change of a shared struct: how late another process is told of it.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{
    RaceOptions, beat,
    course::{Course, own_path},
    follow::seen,
    peers::Peers,
    report::{Column, Report, Row, Unit},
    worker::Worker,
};
use crate::{
    raw::{Raw, set_to},
    say,
};

const WRITES: u64 = 300;
const WRITES_QUICK: u64 = 100;
const WARM_UP_WRITES: u64 = 50;
/// Between two writes, so that none waits for what the one before it left to do.
const PAUSE: Duration = Duration::from_millis(2);
/// The directory of the database: in memory, as the data of the server.
const MEMORY: &str = "/dev/shm";

const COLUMNS: [Column; 3] = [
    Column("median_ms", "median ms", Unit::Plain),
    Column("p99_ms", "99% ms", Unit::Plain),
    Column("write_median_ms", "the write itself, median ms", Unit::Plain),
];

/// Who writes what, and who is told.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// One request that sets a node, one notification, one read.
    Bare,
    /// The payload of a struct is set by such a request.
    Outsider,
    /// The payload is put, without a look at what it was.
    Put,
    Optimistic,
    Exclusive,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare write, notification + read",
            Self::Outsider => "bare write, change of a Shared",
            Self::Put => "put, change of a Shared",
            Self::Optimistic => "update_optimistic, change of a Shared",
            Self::Exclusive => "update, change of a Shared",
        }
    }
}

/// Somebody who writes numbers: this process, over a connection of its own, or another one.
enum Writer {
    Raw { raw: Raw, path: String, is_document: bool },
    Ours(Worker),
}

/// The milliseconds that one write took, from its beginning on.
#[derive(Clone, Copy, Debug)]
struct Told {
    acknowledged: f64,
    seen: f64,
}

/// Runs it on both stores.
pub(crate) fn run(options: &RaceOptions) -> Result<(), Box<dyn Error>> {
    let course = Course::open(options)?;
    let zookeeper = [Way::Bare, Way::Outsider, Way::Put, Way::Optimistic, Way::Exclusive];
    race("delay on ZooKeeper", &zookeeper, &course.url(), &course, options)?;
    let sqlite = [Way::Put, Way::Optimistic, Way::Exclusive];
    let folder = Folder::create()?;
    let url = format!("sqlite:{}", folder.0.join("state.db").display());
    race("delay on SQLite", &sqlite, &url, &course, options)
}

/// A folder in memory, gone when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        let memory = Path::new(MEMORY);
        let above = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = above.join(format!("quorate-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is gone with the next boot.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn race(
    title: &str,
    ways: &[Way],
    url: &str,
    course: &Course,
    options: &RaceOptions,
) -> Result<(), Box<dyn Error>> {
    let ways = ways.iter().copied().filter(|way| options.wants(title, way.name()));
    let mut entrants: Vec<(Way, Result<Vec<Told>, String>)> = ways.map(|way| (way, Ok(Vec::new()))).collect();
    let writes = if options.is_quick { WRITES_QUICK } else { WRITES };
    let before = course.weather();
    for round in 1..=options.rounds {
        for (way, told) in &mut entrants {
            say(&format!("{title}: round {round} of {}, {}", options.rounds, way.name()));
            let place = format!("{}/{way:?}-{round}", own_path("delay"));
            if let Ok(all) = told {
                match way.measure(url, &place, course, writes) {
                    Ok(more) => all.extend(more),
                    Err(reason) => *told = Err(reason),
                }
            }
        }
    }
    let rows = entrants.into_iter().map(|(way, told)| row(way, told)).collect();
    let others = course.others_since(before);
    Ok(Report { title, columns: &COLUMNS, rows, others }.print(options.json)?)
}

fn row(way: Way, told: Result<Vec<Told>, String>) -> Row {
    match told {
        Ok(told) => {
            let seen: Vec<_> = told.iter().map(|told| told.seen).collect();
            let acknowledged: Vec<_> = told.iter().map(|told| told.acknowledged).collect();
            let figures = [(&seen, 0.5), (&seen, 0.99), (&acknowledged, 0.5)];
            let figures = figures.map(|(values, part)| beat::quantile(values, part)).to_vec();
            Row { name: way.name().to_owned(), figures, note: String::new() }
        }
        Err(reason) => Row::out(way.name(), &COLUMNS, reason),
    }
}

impl Way {
    fn measure(self, url: &str, place: &str, course: &Course, writes: u64) -> Result<Vec<Told>, String> {
        let mut writer = self.writer(url, place, course)?;
        let mut follower = self.follower(url, place, course)?;
        let mut all = Vec::new();
        for write in 1..=WARM_UP_WRITES + writes {
            thread::sleep(PAUSE);
            let (start, end) = writer.write(write)?;
            let seen = seen(&mut follower, write)?;
            if write > WARM_UP_WRITES {
                let since = |moment| beat::millis_between(start, moment);
                all.push(Told { acknowledged: since(end), seen: since(seen) });
            }
        }
        Ok(all)
    }

    /// Makes what is written, too.
    fn writer(self, url: &str, place: &str, course: &Course) -> Result<Writer, String> {
        let role = match self {
            Self::Bare => return Writer::bare(place, course).map_err(|error| error.to_string()),
            Self::Outsider | Self::Put => "put",
            Self::Optimistic => "write-optimistic",
            Self::Exclusive => "write-exclusive",
        };
        let ours = start(Peers::ours(&[role, url, place])?, course)?;
        if matches!(self, Self::Outsider) {
            let raw = Raw::connect(course.addr).map_err(|error| error.to_string())?;
            return Ok(Writer::Raw { raw, path: format!("{place}/payload"), is_document: true });
        }
        Ok(Writer::Ours(ours))
    }

    fn follower(self, url: &str, place: &str, course: &Course) -> Result<Worker, String> {
        if !matches!(self, Self::Bare) {
            return start(Peers::ours(&["changes", url, place])?, course);
        }
        let mut worker = start(Peers::ours(&["bare", &course.addr.to_string(), place])?, course)?;
        worker.ask("load", "done", beat::TOLD_MAX)?;
        Ok(worker)
    }
}

fn start(command: Command, course: &Course) -> Result<Worker, String> {
    let mut worker = Worker::start(command, course.peers.folder())?;
    worker.wait_ready()?;
    Ok(worker)
}

impl Writer {
    fn bare(place: &str, course: &Course) -> io::Result<Self> {
        let mut raw = Raw::connect(course.addr)?;
        raw.create_parents(place)?;
        raw.create_unless_there(place, &beat::data(0))?;
        Ok(Self::Raw { raw, path: place.to_owned(), is_document: false })
    }

    /// Writes a number; gives back when that began and when it was acknowledged.
    fn write(&mut self, number: u64) -> Result<(u64, u64), String> {
        match self {
            Self::Raw { raw, path, is_document } => {
                let data = if *is_document {
                    format!("{{\"n\":{number}}}").into_bytes()
                } else {
                    beat::data(number)
                };
                let request = set_to(path, &data);
                let start = beat::now();
                raw.ask(&request).map_err(|error| error.to_string())?;
                Ok((start, beat::now()))
            }
            Self::Ours(worker) => {
                match worker.ask(&format!("write {number}"), "wrote", beat::TOLD_MAX)?[..] {
                    [start, end] => Ok((start, end)),
                    _ => Err("it does not say how long it took".to_owned()),
                }
            }
        }
    }
}

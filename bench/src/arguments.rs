//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use crate::{
    cell::{Cell, Threads},
    clients::Who,
    cores::Cores,
    modes::Mode,
    races::{Race, RaceOptions},
    sample::Span,
    works::Work,
};

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench [options]
       cargo xtask bench profile --work NAME [--client NAME] [--mode NAME] [--threads NAME]
                     [--cores NAME] [--seconds N]
       cargo xtask bench diff [--quick]
       cargo xtask bench reads|updates|follow|delay [--quick] [--rounds N] [--measured MS]
                     [--warm-up MS] [--only WORD] [--cores NAME] [--server ADDR]
                     [--curator CLASSPATH] [--json]

  --quick           short rounds, and fewer of them
  --rounds N        rounds whose median is shown (5; quick: 3)
  --measured MS     how long a round measures each client (1000; quick: 300)
  --warm-up MS      how long it runs before (300; quick: 100)
  --work NAME       only this work; a name that ends in - takes all that begin so; may be repeated
  --client NAME     only this client; may be repeated; raw is one of them
  --mode NAME       only this mode: window, tasks, unordered
  --threads NAME    only this runtime: current, multi(2)
  --cores NAME      only clients that are kept apart from the server, or free to run anywhere: apart, free
  --all             measure every client in every way in every round, and show all of them
  --no-counts       leave out the passes that count allocations and system calls
  --server ADDR     the real server to use, instead of one started from Debian's packages
  --json            a line of JSON for each row instead of tables
  --only WORD       only the rows whose group or name contains it
  --curator PATH    where Curator's classes are, instead of Debian's packages, as java -cp takes it

Words go to standard error, results to standard output. `profile` runs one client at one work in this process, to be
looked at with a profiler. `diff` compares ways to compare documents, `reads` shared structs with other ways to share
a value in one process; `updates`, `follow` and `delay` compare them with Curator and kazoo on a real server.";

/// The commands that serve.
pub(crate) const CANNED: &str = "canned";
pub(crate) const REAL: &str = "real";
/// The command that takes part in a race, as it is told.
pub(crate) const WORKER: &str = "worker";

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Command {
    Table(Options),
    Profile { cell: Cell, seconds: u64 },
    Diff { is_quick: bool },
    Race(Race, RaceOptions),
    // What the processes that this one starts are told.
    Cell { cell: Cell, addr: SocketAddr, span: Span, counts_allocations: bool },
    Worker(Vec<String>),
    Canned,
    Real,
    Help,
}

/// What goes into the table, and how well it is measured.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) works: Vec<Work>,
    pub(crate) clients: Vec<Who>,
    pub(crate) modes: Vec<Mode>,
    pub(crate) threads: Vec<Threads>,
    pub(crate) cores: Vec<Cores>,
    /// How often each way is tried before the best ones are measured.
    pub(crate) tries: usize,
    pub(crate) rounds: usize,
    pub(crate) span: Span,
    pub(crate) shows_all: bool,
    pub(crate) counts: bool,
    pub(crate) json: bool,
    pub(crate) server: Option<SocketAddr>,
}

/// Everything that was said, to be made sense of by the command it is said to.
#[derive(Debug, Default)]
struct Said {
    works: Vec<Work>,
    clients: Vec<Who>,
    modes: Vec<Mode>,
    threads: Vec<Threads>,
    cores: Vec<Cores>,
    quick: bool,
    all: bool,
    no_counts: bool,
    json: bool,
    counts_allocations: bool,
    rounds: Option<u64>,
    seconds: Option<u64>,
    warm_up: Option<u64>,
    measured: Option<u64>,
    server: Option<SocketAddr>,
    only: Option<String>,
    curator: Option<String>,
}

pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments.peekable();
    let command = arguments.next_if(|first| !first.starts_with("--"));
    if command.as_deref() == Some(WORKER) {
        return Ok(Command::Worker(arguments.collect()));
    }
    let said = said(arguments)?;
    if let Some(race) = command.as_deref().and_then(Race::named) {
        return Ok(Command::Race(race, race_options(race, said)));
    }
    match command.as_deref() {
        None => Ok(Command::Table(options(said))),
        Some(CANNED) => Ok(Command::Canned),
        Some(REAL) => Ok(Command::Real),
        Some("help") => Ok(Command::Help),
        Some("profile") => Ok(Command::Profile { cell: cell(&said)?, seconds: said.seconds.unwrap_or(10) }),
        Some("diff") => Ok(Command::Diff { is_quick: said.quick }),
        Some("cell") => {
            let millis = |millis: Option<u64>| Duration::from_millis(millis.unwrap_or(1_000));
            let span = Span { warm_up: millis(said.warm_up), measured: millis(said.measured) };
            let addr = said.server.ok_or("a cell needs a server")?;
            let counts_allocations = said.counts_allocations;
            Ok(Command::Cell { cell: cell(&said)?, addr, span, counts_allocations })
        }
        Some(other) => Err(format!("unknown command {other:?}")),
    }
}

fn said(mut arguments: impl Iterator<Item = String>) -> Result<Said, String> {
    let mut said = Said::default();
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--quick" => said.quick = true,
            "--all" => said.all = true,
            "--no-counts" => said.no_counts = true,
            "--json" => said.json = true,
            "--count-allocations" => said.counts_allocations = true,
            "--work" => said.works.extend(works(&value()?)?),
            "--client" => said.clients.push(known(&value()?, Who::named, "client")?),
            "--mode" => said.modes.push(known(&value()?, Mode::named, "mode")?),
            "--threads" => said.threads.push(known(&value()?, Threads::named, "runtime")?),
            "--cores" => said.cores.push(known(&value()?, Cores::named, "choice of cores")?),
            "--rounds" => said.rounds = Some(number(&value()?)?.max(1)),
            "--only" => said.only = Some(value()?),
            "--curator" => said.curator = Some(value()?),
            "--seconds" => said.seconds = Some(number(&value()?)?),
            "--warm-up" => said.warm_up = Some(number(&value()?)?),
            "--measured" => said.measured = Some(number(&value()?)?),
            "--server" => {
                let addr = value()?;
                said.server = Some(addr.parse().map_err(|_| format!("{addr:?} is no address and port"))?);
            }
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(said)
}

fn options(said: Said) -> Options {
    let (tries, rounds, warm_up, measured) = if said.quick { (1, 3, 100, 300) } else { (3, 5, 300, 1_000) };
    let millis = Duration::from_millis;
    Options {
        works: or_all(said.works, &Work::all()),
        clients: or_all(said.clients, &Who::ALL),
        modes: or_all(said.modes, &Mode::ALL),
        threads: or_all(said.threads, &Threads::ALL),
        cores: or_all(said.cores, &Cores::ALL),
        tries,
        rounds: said.rounds.map_or(rounds, |rounds| usize::try_from(rounds).unwrap_or(usize::MAX)),
        span: Span {
            warm_up: millis(said.warm_up.unwrap_or(warm_up)),
            measured: millis(said.measured.unwrap_or(measured)),
        },
        shows_all: said.all,
        counts: !said.no_counts,
        json: said.json,
        server: said.server,
    }
}

fn race_options(race: Race, said: Said) -> RaceOptions {
    let (rounds, warm_up, measured) = race.lengths(said.quick);
    let millis = Duration::from_millis;
    RaceOptions {
        is_quick: said.quick,
        rounds: said.rounds.map_or(rounds, |rounds| usize::try_from(rounds).unwrap_or(usize::MAX)),
        span: Span {
            warm_up: millis(said.warm_up.unwrap_or(warm_up)),
            measured: millis(said.measured.unwrap_or(measured)),
        },
        cores: said.cores.first().copied().unwrap_or(Cores::Apart),
        server: said.server,
        only: said.only,
        curator: said.curator,
        json: said.json,
    }
}

fn or_all<T: Clone>(named: Vec<T>, all: &[T]) -> Vec<T> {
    if named.is_empty() { all.to_vec() } else { named }
}

fn cell(said: &Said) -> Result<Cell, String> {
    let &[work] = &said.works[..] else { return Err("one --work is needed".to_owned()) };
    Ok(Cell {
        who: said.clients.first().copied().unwrap_or(Who::Quorate),
        work,
        mode: said.modes.first().copied().unwrap_or(Mode::Window),
        threads: said.threads.first().copied().unwrap_or(Threads::Current),
        cores: said.cores.first().copied().unwrap_or(Cores::Apart),
    })
}

fn works(name: &str) -> Result<Vec<Work>, String> {
    let found: Vec<_> = if name.ends_with('-') {
        Work::all().into_iter().filter(|work| work.name().starts_with(name)).collect()
    } else {
        Work::named(name).into_iter().collect()
    };
    if found.is_empty() {
        let names: Vec<_> = Work::all().into_iter().map(Work::name).collect();
        return Err(format!("unknown work {name:?}; there are {}", names.join(", ")));
    }
    Ok(found)
}

fn known<T>(name: &str, named: impl Fn(&str) -> Option<T>, what: &str) -> Result<T, String> {
    named(name).ok_or(format!("unknown {what} {name:?}"))
}

fn number(value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{value:?} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Command, String> {
        parse(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn a_cell_is_what_it_was_told_to_be() {
        let words =
            ["cell", "--client", "raw", "--work", "set-128", "--mode", "tasks", "--threads", "multi(2)"];
        let more = ["--cores", "free", "--server", "127.0.0.1:1", "--warm-up", "1", "--measured", "2"];
        let Ok(Command::Cell { cell, span, .. }) = parsed(&[&words[..], &more[..]].concat()) else {
            panic!("a cell")
        };
        assert_eq!((cell.who, cell.work.name()), (Who::Raw, "set-128".to_owned()));
        assert_eq!(cell.way(), "free");
        assert_eq!((span.warm_up, span.measured), (Duration::from_millis(1), Duration::from_millis(2)));
    }

    #[test]
    fn works_are_named_one_by_one_or_by_their_beginning() {
        let Ok(Command::Table(options)) = parsed(&["--work", "real-get-", "--work", "get-1"]) else {
            panic!("a table")
        };
        let names: Vec<_> = options.works.into_iter().map(Work::name).collect();
        assert_eq!(names, ["real-get-1", "real-get-16", "real-get-128", "real-get-1024", "get-1"]);
    }

    #[test]
    fn races_have_lengths_of_their_own() {
        let Ok(Command::Race(Race::Updates, quick)) = parsed(&["updates", "--quick"]) else {
            panic!("a race")
        };
        let Ok(Command::Race(_, told)) = parsed(&["updates", "--rounds", "9", "--measured", "7"]) else {
            panic!("a race")
        };
        assert!(quick.is_quick && quick.rounds < told.rounds);
        assert_eq!((told.rounds, told.span.measured), (9, Duration::from_millis(7)));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for words in [&["--work", "x"][..], &["--client", "x"], &["--what"], &["--rounds"], &["profile"]] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}

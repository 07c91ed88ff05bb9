//! The ZooKeeper clients of Rust, side by side in one run: rate, CPU, allocations and system calls per operation,
//! against a canned server that leaves nothing but the client's own cost, and against a real one. And shared structs
//! beside Curator, kazoo, and the ways to share within a process.

mod allocations;
mod arguments;
mod batch;
mod canned;
mod cell;
mod clients;
mod cores;
mod diff;
mod grid;
mod load;
mod modes;
mod processes;
mod races;
mod raw;
mod real;
mod rounds;
mod sample;
mod table;
mod watches;
mod weather;
mod wire;
mod works;

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use arguments::{CANNED, Command, Options, REAL, USAGE};
use cell::{Cell, Threads};
use clients::Who;
use cores::Cores;
use modes::Mode;
use processes::{Server, Tracer};
use raw::Raw;
use rounds::Target;
use sample::Span;
use weather::Weather;
use works::{Kind, Place, Work};

fn main() -> ExitCode {
    let command = match arguments::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(reason) => {
            say(&format!("{reason}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Table(options) => tables(&options)?,
        Command::Profile { cell, seconds } => profile(cell, seconds)?,
        Command::Cell { cell, addr, span, counts_allocations } => {
            cell::run(cell, addr, span, counts_allocations)?;
        }
        Command::Diff { is_quick } => diff::run(is_quick)?,
        Command::Race(race, options) => race.run(&options)?,
        Command::Worker(words) => races::work(&words)?,
        Command::Canned => canned::serve()?,
        Command::Real => real::serve()?,
        Command::Help => say(USAGE),
    }
    Ok(())
}

/// Measures every work, and prints its table as soon as it is there.
fn tables(options: &Options) -> Result<(), Box<dyn Error>> {
    let tracer = if options.counts { Tracer::find() } else { None };
    if options.counts && tracer.is_none() {
        say("neither perf nor strace works here: no system calls are counted");
    }
    let (canned, real): (Vec<_>, Vec<_>) = options.works.iter().partition(|work| work.place == Place::Canned);
    if !canned.is_empty() {
        let server = Server::start(CANNED)?;
        for work in canned {
            let target = Target { addr: server.addr(), process: Some(server.id()) };
            print(work, target, options, tracer)?;
        }
    }
    if let Some(&first) = real.first() {
        let ours = if options.server.is_none() { Some(Server::start(REAL)?) } else { None };
        let Some(addr) = options.server.or(ours.as_ref().map(Server::addr)) else { return Ok(()) };
        warm_up(first, addr)?;
        for work in real {
            print(work, Target { addr, process: ours.as_ref().map(Server::id) }, options, tracer)?;
        }
    }
    Ok(())
}

/// Creates the znodes, and keeps the server busy until its code is compiled.
fn warm_up(work: Work, addr: SocketAddr) -> Result<(), Box<dyn Error>> {
    say("warming the server up");
    Raw::connect(addr)?.set_up()?;
    let span = Span { warm_up: Duration::ZERO, measured: Duration::from_secs(5) };
    for kind in [Kind::GetSmall, Kind::Set, Kind::CreateDelete] {
        let work = Work { kind, in_flight: 128, ..work };
        let cell =
            Cell { who: Who::Raw, work, mode: Mode::Window, threads: Threads::Current, cores: Cores::Apart };
        processes::time(cell, addr, span)?;
    }
    Ok(())
}

fn print(work: Work, target: Target, options: &Options, tracer: Option<Tracer>) -> io::Result<()> {
    let before = Weather::now(target.process);
    let rows = rounds::measure(work, target, options, tracer);
    let others = before.zip(Weather::now(target.process)).map(|(before, now)| now.others_since(before));
    let text = if options.json { table::json(work, &rows) } else { table::table(work, &rows, others) };
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Runs one cell in this process.
fn profile(cell: Cell, seconds: u64) -> Result<(), Box<dyn Error>> {
    if !cell.who.can(cell.work) {
        return Err(format!("{} cannot do {}", cell.who.name(), cell.work.name()).into());
    }
    let server = Server::start(CANNED)?;
    let span = Span { warm_up: Duration::from_millis(300), measured: Duration::from_secs(seconds) };
    let found = cell::here(cell, server.addr(), span)?;
    let row = rounds::Row::once(cell, &found);
    say(&format!("{}: {:.0} ops/s, {:.3} us of CPU per op", cell.work.name(), row.rate(), row.cpu()));
    Ok(())
}

/// Says something beside the results. If nobody listens, the results still speak.
fn say(words: &str) {
    let _ = writeln!(io::stderr(), "{words}");
}

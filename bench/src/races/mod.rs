//! Shared structs beside other ways to do the same: those of one process, and those of Curator and kazoo.

mod bare;
mod beat;
mod course;
mod delay;
mod follow;
mod ours;
mod packets;
mod peers;
mod reads;
mod report;
mod tree;
mod updates;
mod worker;

use std::error::Error;
use std::net::SocketAddr;

use crate::{cores::Cores, sample::Span};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Race {
    /// Reads of a value that one thread writes, in one process.
    Reads,
    /// Increments of one number by one or more clients.
    Updates,
    /// Copies of a large tree: their loading, and one change in them.
    Follow,
    /// One change of a shared struct, from one process to another.
    Delay,
}

/// How well it is compared.
#[derive(Clone, Debug)]
pub(crate) struct RaceOptions {
    pub(crate) is_quick: bool,
    pub(crate) rounds: usize,
    pub(crate) span: Span,
    pub(crate) cores: Cores,
    pub(crate) server: Option<SocketAddr>,
    pub(crate) only: Option<String>,
    pub(crate) curator: Option<String>,
    pub(crate) json: bool,
}

impl RaceOptions {
    /// Whether a row is wanted.
    fn wants(&self, group: &str, name: &str) -> bool {
        self.only.as_ref().is_none_or(|word| group.contains(word.as_str()) || name.contains(word.as_str()))
    }
}

impl Race {
    const ALL: [Self; 4] = [Self::Reads, Self::Updates, Self::Follow, Self::Delay];

    const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Updates => "updates",
            Self::Follow => "follow",
            Self::Delay => "delay",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|race| race.name() == name)
    }

    /// How many rounds there are unless told otherwise, and the milliseconds to warm up and to measure. A virtual
    /// machine needs seconds until its code is compiled.
    pub(crate) const fn lengths(self, is_quick: bool) -> (usize, u64, u64) {
        match (self, is_quick) {
            (Self::Reads, true) => (3, 100, 200),
            (Self::Reads, false) => (7, 300, 1_000),
            (Self::Updates, true) => (3, 1_000, 1_000),
            (Self::Updates, false) => (5, 5_000, 5_000),
            (Self::Follow | Self::Delay, true) => (1, 0, 0),
            (Self::Follow | Self::Delay, false) => (5, 0, 0),
        }
    }

    /// Runs it, and prints its tables as soon as they are there.
    pub(crate) fn run(self, options: &RaceOptions) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Reads => reads::run(options),
            Self::Updates => updates::run(options),
            Self::Follow => follow::run(options),
            Self::Delay => delay::run(options),
        }
    }
}

/// Takes part in a race, in a process of its own.
pub(crate) fn work(words: &[String]) -> Result<(), Box<dyn Error>> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["bare", addr, path] => bare::serve(addr.parse()?, path),
        ["bare-increment", addr, path] => bare::increment(addr.parse()?, path),
        [role, url, place, ref more @ ..] => ours::serve(role, url, place, more),
        _ => Err("a worker needs a role, a store and a place".into()),
    }
}

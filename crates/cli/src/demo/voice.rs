//! How the story is written: a line at a time, in colour on a terminal.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use anyhow::{Result, anyhow};

use crate::output::Output;

const TITLE: Style = Style::new().bold();
const HELD: Style = AnsiColor::Green.on_default();
const AGENT: Style = AnsiColor::Cyan.on_default();
const OTHER: Style = AnsiColor::Yellow.on_default();

/// The width of a speaker's name.
const NAME_WIDTH: usize = 8;

/// Tells the story in numbered steps.
#[derive(Debug, Default)]
pub(super) struct Voice {
    steps: u32,
}

impl Voice {
    /// Begins the next step.
    pub(super) fn step(&mut self, title: &str) -> Result<()> {
        self.steps += 1;
        line(format_args!("\n{TITLE}{}. {title}{TITLE:#}", self.steps))
    }

    /// Says what is about to happen.
    pub(super) fn say(&self, words: impl Display) -> Result<()> {
        line(format_args!("   {words}"))
    }

    /// Repeats what another process said.
    pub(super) fn repeat(&self, who: &str, words: &str) -> Result<()> {
        let style = if who.starts_with("web") { AGENT } else { OTHER };
        line(format_args!("   {style}{who:<NAME_WIDTH$}{style:#} | {words}"))
    }

    /// Says what was checked and held.
    pub(super) fn held(&self, claim: impl Display) -> Result<()> {
        line(format_args!("   {HELD}ok{HELD:#}: {claim}"))
    }
}

/// The last words, when everything is gone.
pub(super) fn farewell(took: Duration) -> Result<()> {
    line(format_args!(
        "   {HELD}ok{HELD:#}: No process, no file and no lease is left. All of it took {:.1} s.\n\n\
         Try it yourself, in two terminals:\n\
         \n\
         quorate set /agents/web '{{\"processes\":[\"systemd*\"]}}'\n\
         quorate watch /agents/web\n\
         quorate patch /agents/web '[{{\"op\":\"add\",\"path\":\"/processes/-\",\"value\":\"firefox*\"}}]'\n\
         quorate listeners /agents/web",
        took.as_secs_f64()
    ))
}

/// Writes one line, flushed. Colours are left out where nobody would see them.
pub(super) fn line(words: impl Display) -> Result<()> {
    Output::new().line(words).map_err(|failure| match failure.words() {
        Some(words) => anyhow!(words),
        // Nobody reads any more, which is no reason for words.
        None => io::Error::from(io::ErrorKind::BrokenPipe).into(),
    })
}

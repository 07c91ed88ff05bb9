//! The only place that prints: data to standard output, words to standard error, every line flushed.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use rustix::event::{PollFd, PollFlags, poll};
use serde::Serialize;
use serde_json::Value;

use crate::exit::{Exit, Failure, Result};

/// Erases what a terminal shows from here to the end of the line.
const ERASE: &str = "\u{1b}[K";

/// What a line for people begins with, which also has a colour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sign {
    Added,
    Changed,
    Removed,
    Rejected,
    /// From here on it is told what changes.
    Whole,
    Status,
}

/// Where a command prints to.
#[derive(Debug)]
pub(crate) struct Output {
    is_terminal: bool,
    /// Whether the last line on standard error is one that is written over.
    is_live: AtomicBool,
}

impl Sign {
    const fn shown(self) -> (char, AnsiColor) {
        match self {
            Self::Added => ('+', AnsiColor::Green),
            Self::Changed => ('~', AnsiColor::Yellow),
            Self::Removed => ('-', AnsiColor::Red),
            Self::Rejected => ('!', AnsiColor::Magenta),
            Self::Whole => ('=', AnsiColor::Cyan),
            Self::Status => ('*', AnsiColor::Cyan),
        }
    }
}

impl Output {
    pub(crate) fn new() -> Self {
        Self { is_terminal: io::stdout().is_terminal(), is_live: AtomicBool::new(false) }
    }

    /// Prints one line of data. Colours reach terminals only.
    pub(crate) fn line(&self, text: impl std::fmt::Display) -> Result<()> {
        self.end_live();
        let mut out = anstream::stdout().lock();
        done(writeln!(out, "{text}").and_then(|()| out.flush()))
    }

    /// Prints one line of data for people.
    pub(crate) fn signed(&self, sign: Sign, text: impl std::fmt::Display) -> Result<()> {
        let (sign, colour) = sign.shown();
        let style = Style::new().fg_color(Some(colour.into()));
        self.line(format_args!("{style}{sign} {}{style:#}", one_line(&text.to_string())))
    }

    /// Prints bytes as they are.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<()> {
        self.end_live();
        let mut out = io::stdout().lock();
        done(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Prints one line of JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<()> {
        self.json_text(serde_json::to_string(value).map_err(Failure::failed)?)
    }

    /// Prints a document: for people on a terminal, on one line for everybody else.
    pub(crate) fn document(&self, value: &Value) -> Result<()> {
        if self.is_terminal {
            self.json_text(serde_json::to_string_pretty(value).map_err(Failure::failed)?)
        } else {
            self.json(value)
        }
    }

    fn json_text(&self, text: String) -> Result<()> {
        let mut text = if self.is_terminal { plain_json(&text) } else { text };
        text.push('\n');
        self.raw(text.as_bytes())
    }

    /// Waits until nobody will read what is printed any more.
    pub(crate) async fn unread(&self) {
        // The thread ends with the program.
        let watching = tokio::task::spawn_blocking(|| {
            let stdout = io::stdout();
            loop {
                match poll(&mut [PollFd::new(&stdout, PollFlags::empty())], None) {
                    Err(rustix::io::Errno::INTR) => {}
                    result => return result.is_ok(),
                }
            }
        });
        if !watching.await.unwrap_or(false) {
            std::future::pending::<()>().await;
        }
    }

    /// Says something to whoever runs the program. If nobody can hear it, that is no failure.
    pub(crate) fn words(&self, text: impl std::fmt::Display) {
        self.end_live();
        let mut err = anstream::stderr().lock();
        let _ = writeln!(err, "quorate: {}", plain(&text.to_string()));
    }

    /// Shows a line on a terminal that is written over by whatever is said next; `false` where there is none.
    pub(crate) fn live(&self, text: impl std::fmt::Display) -> bool {
        if !io::stderr().is_terminal() {
            return false;
        }
        self.is_live.store(true, Ordering::Relaxed);
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r{}{ERASE}", one_line(&text.to_string())).and_then(|()| err.flush());
        true
    }

    /// Removes the line that is written over.
    pub(crate) fn end_live(&self) {
        if self.is_live.swap(false, Ordering::Relaxed) {
            let _ = write!(io::stderr().lock(), "\r{ERASE}");
        }
    }
}

/// A reader that went away ends the program quietly. Anything else is said.
fn done(result: io::Result<()>) -> Result<()> {
    result.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::quiet(Exit::Done),
        _ => Failure::failed(format!("standard output cannot be written: {error}")),
    })
}

/// Text of a stranger without the characters that steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    visible(text, |c| c.escape_default().to_string())
}

/// The same of JSON, which means what it meant. In JSON such characters stand in strings only.
fn plain_json(text: &str) -> String {
    visible(text, |c| format!("\\u{:04x}", u32::from(c)))
}

fn visible(text: &str, escape: impl Fn(char) -> String) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut plain, c| {
        if c.is_control() && c != '\n' && c != '\t' {
            plain.push_str(&escape(c));
        } else {
            plain.push(c);
        }
        plain
    })
}

/// As [`plain`], on one line.
pub(crate) fn one_line(text: &str) -> String {
    plain(text).replace('\n', "\\n").replace('\t', "\\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_made_visible() {
        assert_eq!(plain("a\u{1b}[31mb\u{9b}c\nd"), "a\\u{1b}[31mb\\u{9b}c\nd");
        assert_eq!(one_line("a\nb\tc"), "a\\nb\\tc");
    }

    #[test]
    fn json_without_what_steers_a_terminal_is_the_same_json() {
        let value = serde_json::json!({"a\u{9b}": ["\u{1b}[31m\u{7f}é\n\t", 1]});
        let shown = plain_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}

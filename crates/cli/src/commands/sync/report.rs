//! What is said of a run while it runs.

use std::fmt::Write as _;
use std::time::Duration;

use quorate::{MirrorEvent, MirrorProgress};
use tokio::time::Instant;

use super::SyncArgs;
use super::line::{Counts, Line};
use crate::exit::{Exit, Result};
use crate::output::{Output, Sign};

/// How far apart lines of progress are where nobody looks on.
const WORDS_PERIOD: Duration = Duration::from_secs(5);

/// How far apart lines of progress are for a program.
const JSON_PERIOD: Duration = Duration::from_secs(1);

/// Says what is done: data to standard output, words to standard error.
#[derive(Debug)]
pub(super) struct Report<'a> {
    output: &'a Output,
    json: bool,
    itemizes: bool,
    dry_run: bool,
    deletes: bool,
    /// When progress was told last.
    told: Instant,
    last: Option<MirrorProgress>,
    was_in_sync: bool,
    /// Whether it runs for more than its lines, and goes on when their reader goes away.
    copies: bool,
    /// The reader went away.
    is_unread: bool,
}

impl<'a> Report<'a> {
    pub(super) fn new(output: &'a Output, args: &SyncArgs) -> Self {
        Self {
            output,
            json: args.json,
            itemizes: args.itemize || args.dry_run,
            dry_run: args.dry_run,
            deletes: args.delete,
            told: Instant::now(),
            last: None,
            was_in_sync: false,
            copies: args.once && !args.dry_run,
            is_unread: false,
        }
    }

    /// Says what happened.
    pub(super) fn event(&mut self, event: &MirrorEvent, progress: &MirrorProgress) -> Result<()> {
        let said = self.say(event, progress);
        self.heard(said)
    }

    fn say(&mut self, event: &MirrorEvent, progress: &MirrorProgress) -> Result<()> {
        let is_item = matches!(event, MirrorEvent::Written { .. } | MirrorEvent::Deleted { .. });
        match event {
            MirrorEvent::InSync => self.in_sync(progress),
            _ if is_item && !self.itemizes => Ok(()),
            _ if is_item && self.is_unread => Ok(()),
            _ if self.json => match Line::of(event, self.dry_run) {
                Some(line) => self.output.json(&line),
                None => Ok(()),
            },
            MirrorEvent::Written { key, is_new: true, .. } => self.output.signed(Sign::Added, key),
            MirrorEvent::Written { key, .. } => self.output.signed(Sign::Changed, key),
            MirrorEvent::Deleted { key } => self.output.signed(Sign::Removed, key),
            MirrorEvent::Refused { key, error } => {
                self.output.words(format!("not copied: {}: {error}", key.as_str()));
                Ok(())
            }
            MirrorEvent::Lost { side, error } => {
                self.output.words(format!("the {side} is lost: {error}"));
                Ok(())
            }
            MirrorEvent::Regained { side } => {
                self.output.words(format!("the {side} is back"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Says how far it is, if that is news and not too soon.
    pub(super) fn progress(&mut self, progress: &MirrorProgress) -> Result<()> {
        if self.last.as_ref() == Some(progress) {
            return Ok(());
        }
        if !self.json && self.output.live(summary(progress, self.deletes, self.dry_run)) {
            self.last = Some(*progress);
            return Ok(());
        }
        let period = if self.json { JSON_PERIOD } else { WORDS_PERIOD };
        if self.told.elapsed() < period {
            return Ok(());
        }
        let told = self.tell(progress, false);
        self.heard(told)
    }

    /// Says that it ended.
    pub(super) fn ended(&mut self, progress: &MirrorProgress) -> Result<()> {
        let told = self.tell(progress, true);
        self.heard(told)
    }

    /// A reader that went away ends what only prints, as everywhere; it is no reason to copy half and call it done.
    fn heard(&mut self, result: Result<()>) -> Result<()> {
        match result {
            Err(failure) if self.copies && failure.exit() == Exit::Done => {
                self.is_unread = true;
                Ok(())
            }
            result => result,
        }
    }

    /// A live run says so the first time, and then with the progress.
    fn in_sync(&mut self, progress: &MirrorProgress) -> Result<()> {
        let is_due = self.json || !self.was_in_sync || self.told.elapsed() >= WORDS_PERIOD;
        self.was_in_sync = true;
        if is_due { self.tell(progress, true) } else { self.progress(progress) }
    }

    fn tell(&mut self, progress: &MirrorProgress, is_in_sync: bool) -> Result<()> {
        self.told = Instant::now();
        self.last = Some(*progress);
        if self.json {
            let counts = Counts::of(progress, self.dry_run);
            return self.output.json(&if is_in_sync { Line::InSync(counts) } else { Line::Progress(counts) });
        }
        let summary = summary(progress, self.deletes, self.dry_run);
        self.output.words(if is_in_sync && !self.dry_run { format!("in sync: {summary}") } else { summary });
        Ok(())
    }
}

/// How far it is, in words.
fn summary(progress: &MirrorProgress, deletes: bool, dry_run: bool) -> String {
    let MirrorProgress { source_keys, pending, written, written_bytes, deleted, .. } = progress;
    let would = if dry_run { "to be " } else { "" };
    let mut text = format!(
        "{source_keys} keys, {written} {would}written ({written_bytes} bytes), {deleted} {would}deleted"
    );
    // Writing to a string cannot fail.
    let mut add = |count: usize, what: &str| {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    };
    add(*pending, "to go");
    add(progress.leased, "under a lease left out");
    add(progress.refused, "not copied");
    let kept = if deletes { "only in the target kept" } else { "only in the target kept (see --delete)" };
    add(progress.kept, kept);
    text
}

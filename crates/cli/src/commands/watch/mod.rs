//! `quorate watch`: prints a struct, then each of its changes.

mod anything;
mod line;
mod status;

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use quorate::{Consistency, Shared, SharedEvent, SharedEvents, Snapshot};

use self::anything::Anything;
use self::line::Line;
use self::status::{Statuses, Word};
use crate::args::{Wait, WatchArgs};
use crate::context::Context;
use crate::edit::missing;
use crate::exit::{Exit, Failure, Result};

/// How old the copy may be before it is called stale.
const BOUND: Duration = Duration::from_secs(30);

/// How long nothing is said of the store while the struct is being opened.
const QUIET_TIME: Duration = Duration::from_millis(500);

/// What was told of the struct from before it was opened.
type Event = SharedEvent<Anything>;

pub(crate) async fn run(context: &Context, args: WatchArgs) -> Result {
    let WatchArgs { dir, json, until, wait } = args;
    let document = context.document(&dir).await?;
    let is_there = context.ask(|| document.read(Consistency::Synced)).await?.is_some();
    if !is_there && wait == Wait::No {
        return Err(missing(&dir));
    }
    if !is_there {
        context.output.words(format!("there is no struct at {dir} yet: it is waited for"));
    }
    let print = |line: &Line<'_>| line.print(&context.output, json);
    let mut open = Shared::<Anything>::open(&context.open().await?, dir.clone()).bound(BOUND);
    let mut events = open.events().map_err(Failure::failed)?;
    let mut statuses = Statuses::new(open.status().map_err(Failure::failed)?, BOUND);
    let mut early = VecDeque::new();
    let shared = {
        let mut opening = pin!(open.wait());
        let mut quiet = pin!(tokio::time::sleep(QUIET_TIME));
        // A struct that does not exist is waited for, so whether the store answers is worth a line at once.
        let mut is_quiet = is_there;
        loop {
            tokio::select! {
                biased;
                opened = &mut opening => break opened.map_err(Failure::failed)?,
                Some(event) = events.next() => match event {
                    SharedEvent::Rejected(rejected) if early.is_empty() => {
                        is_quiet = false;
                        print(&Line::rejected(&rejected))?;
                    }
                    event => early.push_back(event),
                },
                word = statuses.next(), if !is_quiet => print(&Line::Status { status: word })?,
                () = &mut quiet, if is_quiet => is_quiet = false,
            }
        }
    };
    let first = first_copy(shared.snapshot(), &mut events, &mut early);
    print(&Line::Snapshot { revision: first.revision.get(), value: &first.document })?;
    statuses.assume(Word::Live);
    let mut left = until;
    loop {
        if left == Some(0) {
            return Ok(Exit::Done);
        }
        let event = match early.pop_front() {
            Some(event) => event,
            None => tokio::select! {
                biased;
                event = events.next() => event.ok_or_else(|| Failure::failed("the store was closed"))?,
                word = statuses.next() => {
                    print(&Line::Status { status: word })?;
                    continue;
                }
            },
        };
        let line = Line::of(&event);
        print(&line)?;
        if let (Line::Changes { .. }, Some(left)) = (&line, &mut left) {
            *left -= 1;
        }
    }
}

/// The copy that the changes which follow start from. What was told since then stays in `early`.
///
/// Events come from before the struct was opened, and the first good copy is none: whatever changed before `seen`
/// was looked at is among them, with the first copy as its previous one.
fn first_copy(
    seen: Snapshot<Anything>,
    events: &mut SharedEvents<Anything>,
    early: &mut VecDeque<Event>,
) -> Snapshot<Anything> {
    let changed = |event: &Event| matches!(event, SharedEvent::Changed(_));
    while !early.iter().any(changed)
        && let Some(Some(event)) = events.next().now_or_never()
    {
        early.push_back(event);
    }
    let Some(at) = early.iter().position(changed) else {
        return seen;
    };
    let SharedEvent::Changed(set) = &early[at] else {
        return seen;
    };
    match (set.previous.clone(), set.current.clone()) {
        (Some(first), _) => first,
        // It was deleted before it ever was good: its creation is the first copy, and no change.
        (None, Some(first)) => {
            early.remove(at);
            first
        }
        (None, None) => seen,
    }
}

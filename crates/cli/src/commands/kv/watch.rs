//! `quorate kv watch`: prints what is there, then each change.

use futures_util::StreamExt;
use quorate::{Delta, Entry, Key, Prefix, Replica, Revision, Selection, Watch};

use super::line::Line;
use crate::context::Context;
use crate::exit::{Failure, Result};
use crate::link::LinkWords;
use crate::output::Sign;

pub(super) async fn run(context: &Context, what: &str, prefix: bool, json: bool) -> Result {
    let selection = if prefix || what.ends_with('/') {
        Selection::Prefix(Prefix::parse(what)?)
    } else {
        Selection::Key(Key::parse(what)?)
    };
    let store = context.reach(&Prefix::parse(what)?).await?;
    let mut watch = Watch::new(&store, selection);
    let mut replica = Replica::new();
    let mut status = store.status();
    let mut words = LinkWords::default();
    loop {
        let event = tokio::select! {
            biased;
            event = watch.next() => event.ok_or_else(|| Failure::failed("the store was closed"))?,
            Ok(()) = status.changed() => {
                let link = status.borrow_and_update().link.clone();
                words.say(&link, &context.output);
                continue;
            }
        };
        let deltas = match event {
            Ok(event) => replica.apply(event),
            Err(error) => {
                context.output.words(Failure::from(error).words().unwrap_or_default());
                continue;
            }
        };
        for delta in deltas {
            match delta {
                Delta::Put { entry, .. } => put(context, &entry, json)?,
                Delta::Deleted { previous, revision } => deleted(context, &previous, revision, json)?,
                _ => {}
            }
        }
    }
}

fn put(context: &Context, entry: &Entry, json: bool) -> Result<()> {
    if json {
        return context.output.json(&Line::put(entry));
    }
    let value = String::from_utf8_lossy(&entry.value);
    context.output.signed(Sign::Added, format_args!("{} {value}", entry.key))
}

fn deleted(context: &Context, previous: &Entry, revision: Revision, json: bool) -> Result<()> {
    if json {
        return context.output.json(&Line::deleted(&previous.key, revision));
    }
    context.output.signed(Sign::Removed, &previous.key)
}

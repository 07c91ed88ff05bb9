//! `quorate kv`: raw keys and their bytes.

mod line;
mod watch;

use quorate::{Conflict, Consistency, Entry, Key, List, Prefix, Store, Txn, Want, Written};

use self::line::Line;
use crate::args::KvCommand;
use crate::context::Context;
use crate::exit::{Exit, Failure, Result};
use crate::input::Input;

/// How often a deletion is tried again because the key was written meanwhile.
const ATTEMPTS_MAX: u32 = 16;

pub(crate) async fn run(context: &Context, command: KvCommand) -> Result {
    match command {
        KvCommand::Get { key, json } => get(context, &key, json).await,
        KvCommand::Put { key, value, if_revision, json } => {
            put(context, &key, value, if_revision, json).await
        }
        KvCommand::Delete { key, if_revision } => delete(context, &key, if_revision).await,
        KvCommand::List { prefix, json } => list(context, &prefix, json).await,
        KvCommand::Watch { what, prefix, json } => watch::run(context, &what, prefix, json).await,
    }
}

async fn get(context: &Context, key: &Key, json: bool) -> Result {
    let store = context.open().await?;
    let entry = entry(context, &*store, key).await?.ok_or_else(|| missing(key))?;
    if json {
        context.output.json(&Line::of(&entry))?;
    } else {
        context.output.raw(&entry.value)?;
    }
    Ok(Exit::Done)
}

async fn put(context: &Context, key: &Key, value: Input, if_revision: Option<u64>, json: bool) -> Result {
    let value = value.bytes().await?;
    if value.is_empty() {
        return Err(Failure::usage("a value may not be empty"));
    }
    let store = context.open().await?;
    // Asking first reaches the store within the time that was given.
    let current = entry(context, &*store, key).await?;
    let txn = match if_revision {
        None => Txn::new().put(key, value),
        Some(0) => Txn::new().check_absent(key).put(key, value),
        Some(asked) => {
            Txn::new().check_version(key, at(key, current.as_ref(), asked)?.version).put(key, value)
        }
    };
    let committed = context.finish(store.commit(txn)).await?;
    let revision = match committed.written.first() {
        Some(Written::Put(stat)) => stat.revision,
        _ => committed.revision,
    };
    if json {
        context.output.json(&Line::written(revision))?;
    }
    Ok(Exit::Done)
}

async fn delete(context: &Context, key: &Key, if_revision: Option<u64>) -> Result {
    let store = context.open().await?;
    for _ in 0..ATTEMPTS_MAX {
        let current = entry(context, &*store, key).await?.ok_or_else(|| missing(key))?;
        if let Some(asked) = if_revision {
            at(key, Some(&current), asked)?;
        }
        let txn = Txn::new().check_version(key, current.version).delete(key);
        match store.commit(txn).await {
            Ok(_) => return Ok(Exit::Done),
            // It was written or deleted meanwhile: the next look tells which.
            Err(error) if matches!(error.as_conflict(), Some(Conflict::Version | Conflict::Absent)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::conflict(format!("{key} kept being written")))
}

async fn list(context: &Context, prefix: &Prefix, json: bool) -> Result {
    let store = context.open().await?;
    let want = if json { List::Entries } else { List::Keys };
    let listing = context.ask(|| store.list(prefix, want, Consistency::Synced)).await?;
    if json {
        listing.into_entries().iter().try_for_each(|entry| context.output.json(&Line::of(entry)))?;
    } else {
        listing.into_keys().iter().try_for_each(|key| context.output.line(key))?;
    }
    Ok(Exit::Done)
}

async fn entry(context: &Context, store: &dyn Store, key: &Key) -> Result<Option<Entry>> {
    Ok(context.ask(|| store.get(key, Want::Value, Consistency::Synced)).await?.into_entry())
}

/// The entry, if it has the revision that was asked for.
fn at<'e>(key: &Key, entry: Option<&'e Entry>, asked: u64) -> Result<&'e Entry> {
    match entry {
        Some(entry) if entry.revision.get() == asked => Ok(entry),
        Some(entry) => {
            Err(Failure::conflict(format!("{key} is at revision {}, not at {asked}", entry.revision)))
        }
        None => Err(Failure::conflict(format!("{key} does not exist, so its revision is not {asked}"))),
    }
}

fn missing(key: &Key) -> Failure {
    Failure::not_found(format!("there is no key {key}"))
}

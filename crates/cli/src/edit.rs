//! Exclusive edits of a struct: under its lock, or through the lock that the program around this one holds.

use quorate::{Document, Edit, Edited, Entry, Key};
use serde_json::Value;

use crate::context::Context;
use crate::exit::{Failure, Result};
use crate::input::parse;

/// Lets `decide` choose what to write, exclusively, and writes it.
pub(crate) async fn edit(
    context: &Context,
    dir: &Key,
    document: &Document,
    decide: impl FnMut(Option<&Entry>) -> Result<Edit>,
) -> Result<Edited> {
    let Some(held) = context.held_lock(dir)? else {
        return context.finish(document.try_edit(context.remaining(), decide)).await;
    };
    let edited = document.try_edit_through(&held, decide);
    context
        .finish(async {
            edited.await.map_err(|error| match error {
                // The lock that is gone is no conflict over the struct: who had it was told to end.
                quorate::UpdateError::Store(error) if error.key() == Some(&held.entry) => {
                    Failure::failed(format!("nothing was written: {error}"))
                }
                error => error.into(),
            })
        })
        .await
}

/// Fails if the struct does not have the revision that was asked for; 0 asks for its absence.
pub(crate) fn check_revision(dir: &Key, entry: Option<&Entry>, asked: Option<u64>) -> Result<()> {
    let Some(asked) = asked else { return Ok(()) };
    match (entry.map(|entry| entry.revision.get()), asked) {
        (None, 0) => Ok(()),
        (Some(revision), asked) if revision == asked => Ok(()),
        (None, asked) => {
            Err(Failure::conflict(format!("{dir} does not exist, so its revision is not {asked}")))
        }
        (Some(revision), 0) => Err(Failure::conflict(format!("{dir} exists, at revision {revision}"))),
        (Some(revision), asked) => {
            Err(Failure::conflict(format!("{dir} is at revision {revision}, not at {asked}")))
        }
    }
}

/// The document that an entry holds.
pub(crate) fn decode(dir: &Key, entry: &Entry) -> Result<Value> {
    let revision = entry.revision;
    parse(&entry.value)
        .map_err(|error| Failure::failed(format!("{dir} cannot be decoded at revision {revision}: {error}")))
}

/// Puts a document, unless it is what the entry holds already.
pub(crate) fn put_if_new(dir: &Key, before: &Value, after: &Value) -> Result<Edit> {
    if before == after { Ok(Edit::Keep) } else { encode(dir, after).map(Edit::Put) }
}

/// The payload of a document that every reader can read.
pub(crate) fn encode(dir: &Key, value: &Value) -> Result<bytes::Bytes> {
    if quorate::depth(value) > quorate::DEPTH_MAX {
        let depth_max = quorate::DEPTH_MAX;
        return Err(Failure::failed(format!("{dir} would be nested deeper than {depth_max} levels")));
    }
    Ok(serde_json::to_vec(value).map_err(Failure::failed)?.into())
}

/// The revision of the struct after an edit, and where there is nothing left to have one that of the edit.
pub(crate) fn revision(edited: &Edited) -> Option<u64> {
    match edited {
        Edited::Put(entry) | Edited::Kept(Some(entry)) => Some(entry.revision.get()),
        Edited::Deleted(revision) => Some(revision.get()),
        Edited::Kept(None) => None,
    }
}

/// That a struct is not there.
pub(crate) fn missing(dir: &Key) -> Failure {
    Failure::not_found(format!("there is no struct at {dir}"))
}

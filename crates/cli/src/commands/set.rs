//! `quorate set`: creates or replaces a struct, or sets a part of it.

use quorate::{Consistency, Document, Edit, Entry, Key, Pointer};
use serde_json::Value;

use crate::args::SetArgs;
use crate::context::Context;
use crate::edit::{check_revision, decode, edit, encode, missing, put_if_new, revision};
use crate::exit::{Failure, Result};
use crate::place;

/// How often it is begun anew because others deleted the struct and made it again.
const ATTEMPTS_MAX: u32 = 16;

/// What is to be set.
struct Wish {
    dir: Key,
    value: Value,
    path: Option<Pointer>,
    if_revision: Option<u64>,
}

pub(crate) async fn run(context: &Context, args: SetArgs) -> Result {
    let SetArgs { dir, json_value, path, if_revision, json } = args;
    let value = json_value.document().await?;
    let document = context.document(&dir).await?;
    let is_locked = context.held_lock(&dir)?.is_some();
    let wish = Wish { dir, value, path, if_revision };
    for _ in 0..ATTEMPTS_MAX {
        let seen = context.ask(|| document.read(Consistency::Synced)).await?;
        let written = if seen.is_none() && !is_locked {
            wish.create(context, &document).await?
        } else {
            let decide = |entry: Option<&Entry>| match entry {
                // Creation is the other way, which makes everything that belongs to a struct.
                None if !is_locked => Ok(Edit::Keep),
                None => wish.payload_of_new().map(Edit::Put),
                Some(entry) => wish.change(entry),
            };
            revision(&edit(context, &wish.dir, &document, decide).await?)
        };
        if let Some(revision) = written {
            return context.written(json, revision);
        }
    }
    Err(Failure::conflict(format!("{} kept being deleted and created", wish.dir)))
}

impl Wish {
    /// Creates the struct; `None` if somebody else did so meanwhile.
    async fn create(&self, context: &Context, document: &Document) -> Result<Option<u64>> {
        let payload = self.payload_of_new()?;
        let created = context.finish(document.create(payload)).await?;
        Ok(created.map(|entry| entry.revision.get()))
    }

    /// The payload of a struct that does not exist.
    fn payload_of_new(&self) -> Result<bytes::Bytes> {
        if self.path.is_some() {
            return Err(missing(&self.dir));
        }
        check_revision(&self.dir, None, self.if_revision)?;
        encode(&self.dir, &self.value)
    }

    /// What to make of a struct that exists.
    fn change(&self, entry: &Entry) -> Result<Edit> {
        check_revision(&self.dir, Some(entry), self.if_revision)?;
        let Some(path) = &self.path else {
            // What cannot be decoded is replaced all the same.
            return match decode(&self.dir, entry) {
                Ok(before) => put_if_new(&self.dir, &before, &self.value),
                Err(_) => encode(&self.dir, &self.value).map(Edit::Put),
            };
        };
        let before = decode(&self.dir, entry)?;
        let mut after = before.clone();
        if !place::set(&mut after, path, self.value.clone()) {
            let words = format!(
                "there is no place \"{path}\" in {}: a member needs an object around it, and an array \
                 grows only at its end, with /-",
                self.dir
            );
            return Err(Failure::not_found(words));
        }
        put_if_new(&self.dir, &before, &after)
    }
}

//! `quorate patch`: applies a JSON Patch to a struct.

mod apply;
mod parse;

use quorate::{Consistency, Entry};

use crate::args::PatchArgs;
use crate::context::Context;
use crate::edit::{decode, edit, missing, put_if_new, revision};
use crate::exit::{Failure, Result};

pub(crate) async fn run(context: &Context, args: PatchArgs) -> Result {
    let PatchArgs { dir, patch, json } = args;
    let patch = parse::operations(patch.document().await?)
        .map_err(|problem| Failure::usage(format!("this is no JSON Patch: {problem}")))?;
    let document = context.document(&dir).await?;
    // Looking first leaves no trace of a lock where there is no struct.
    context.ask(|| document.read(Consistency::Synced)).await?.ok_or_else(|| missing(&dir))?;
    let decide = |entry: Option<&Entry>| {
        let entry = entry.ok_or_else(|| missing(&dir))?;
        let before = decode(&dir, entry)?;
        let after = apply::patched(&dir, &before, &patch)?;
        put_if_new(&dir, &before, &after)
    };
    let edited = edit(context, &dir, &document, decide).await?;
    context.written(json, revision(&edited).ok_or_else(|| missing(&dir))?)
}

//! `quorate delete`: removes a struct and its directories.

use quorate::{Consistency, Edit, Edited, Entry};

use crate::args::DeleteArgs;
use crate::context::Context;
use crate::edit::{check_revision, edit, missing};
use crate::exit::{Exit, Result};

pub(crate) async fn run(context: &Context, args: &DeleteArgs) -> Result {
    let DeleteArgs { dir, if_revision } = args;
    let document = context.document(dir).await?;
    // Looking first leaves no trace of a lock where there is no struct.
    context.ask(|| document.read(Consistency::Synced)).await?.ok_or_else(|| missing(dir))?;
    let decide = |entry: Option<&Entry>| {
        let entry = entry.ok_or_else(|| missing(dir))?;
        check_revision(dir, Some(entry), *if_revision)?;
        Ok(Edit::Delete)
    };
    let edited = edit(context, dir, &document, decide).await?;
    context.finish(document.remove_directories()).await?;
    match edited {
        Edited::Kept(None) => Err(missing(dir)),
        _ => Ok(Exit::Done),
    }
}

//! `quorate get`: prints a struct, or a part of it.

use quorate::Consistency;
use serde::Serialize;
use serde_json::Value;

use crate::args::GetArgs;
use crate::context::Context;
use crate::edit::{decode, missing};
use crate::exit::{Exit, Failure, Result};

#[derive(Debug, Serialize)]
struct Line<'a> {
    revision: u64,
    value: &'a Value,
}

pub(crate) async fn run(context: &Context, args: GetArgs) -> Result {
    let GetArgs { dir, path, consistent, json } = args;
    let document = context.document(&dir).await?;
    let at = if consistent { Consistency::Linearizable } else { Consistency::Synced };
    let entry = context.ask(|| document.read(at)).await?.ok_or_else(|| missing(&dir))?;
    let value = decode(&dir, &entry)?;
    let part = match &path {
        None => &value,
        Some(path) => path
            .resolve(&value)
            .ok_or_else(|| Failure::not_found(format!("there is nothing at \"{path}\" in {dir}")))?,
    };
    if json {
        context.output.json(&Line { revision: entry.revision.get(), value: part })?;
    } else {
        context.output.document(part)?;
    }
    Ok(Exit::Done)
}

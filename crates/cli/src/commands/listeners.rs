//! `quorate listeners`: prints who listens to a struct.

use quorate::{Consistency, Listener};

use crate::args::ListenersArgs;
use crate::context::Context;
use crate::edit::missing;
use crate::exit::{Exit, Result};
use crate::output::one_line;

pub(crate) async fn run(context: &Context, args: &ListenersArgs) -> Result {
    let ListenersArgs { dir, json } = args;
    let document = context.document(dir).await?;
    let listeners = context.ask(|| document.listeners()).await?;
    // Who listened to a struct that was deleted still does.
    if listeners.is_empty() && context.ask(|| document.read(Consistency::Synced)).await?.is_none() {
        return Err(missing(dir));
    }
    for listener in &listeners {
        if *json {
            context.output.json(listener)?;
        } else {
            context.output.line(human(listener))?;
        }
    }
    Ok(Exit::Done)
}

/// The facts that are known, in columns.
fn human(listener: &Listener) -> String {
    let Listener { id, host, process, since, .. } = listener;
    let known = [id, host, process, since].into_iter().filter(|fact| !fact.is_empty());
    known.map(|fact| one_line(fact)).collect::<Vec<_>>().join("  ")
}

//! `quorate follow`: prints what is below a prefix, then what becomes of it.

mod line;

use futures_util::StreamExt;
use quorate::{Consistency, Follower, List};
use serde_json::Value;

use self::line::{Line, Printer};
use crate::args::FollowArgs;
use crate::context::Context;
use crate::exit::{Failure, Result};
use crate::link::LinkWords;

pub(crate) async fn run(context: &Context, args: FollowArgs) -> Result {
    let FollowArgs { prefix, json } = args;
    let store = context.open().await?;
    // The store is reached within the time that was given; from then on it is followed for ever.
    context.ask(|| store.list(&prefix, List::Names, Consistency::Local)).await?;
    let mut printer = Printer::new(&context.output, json);
    let mut follower = Follower::<Value>::over(&store, prefix).skip_equal().start()?;
    let mut status = follower.status();
    let mut words = LinkWords::default();
    loop {
        tokio::select! {
            biased;
            batch = follower.next() => {
                let batch = batch.ok_or_else(|| Failure::failed("the store was closed"))?;
                for event in &batch.events {
                    printer.print(&Line::of(event))?;
                }
                printer.print(&Line::BatchDone { revision: batch.revision.get() })?;
            }
            Ok(()) = status.changed() => {
                let link = status.borrow_and_update().link.clone();
                words.say(&link, &context.output);
            }
        }
    }
}

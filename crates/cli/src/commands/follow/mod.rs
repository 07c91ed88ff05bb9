//! `quorate follow`: prints what is below a prefix, then what becomes of it.

mod line;

use futures_util::StreamExt;
use quorate::Follower;
use serde_json::Value;

use self::line::Line;
use crate::args::FollowArgs;
use crate::context::Context;
use crate::exit::{Failure, Result};
use crate::link::LinkWords;

pub(crate) async fn run(context: &Context, args: FollowArgs) -> Result {
    let FollowArgs { prefix, json } = args;
    let store = context.reach(&prefix).await?;
    let mut follower = Follower::<Value>::over(&store, prefix).skip_equal().start()?;
    let mut status = follower.status();
    let mut words = LinkWords::default();
    loop {
        tokio::select! {
            biased;
            batch = follower.next() => {
                let batch = batch.ok_or_else(|| Failure::failed("the store was closed"))?;
                for event in &batch.events {
                    Line::of(event).print(&context.output, json)?;
                }
                Line::BatchDone { revision: batch.revision.get() }.print(&context.output, json)?;
            }
            Ok(()) = status.changed() => {
                let link = status.borrow_and_update().link.clone();
                words.say(&link, &context.output);
            }
        }
    }
}

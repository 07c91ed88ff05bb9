//! `quorate follow`: prints what is below a prefix, then what becomes of it.

mod line;

use futures_util::StreamExt;
use quorate::{Follower, Link};
use serde_json::Value;

use self::line::Line;
use crate::args::FollowArgs;
use crate::context::Context;
use crate::exit::{Failure, Result};

pub(crate) async fn run(context: &Context, args: FollowArgs) -> Result {
    let FollowArgs { prefix, json } = args;
    let store = context.reach(&prefix).await?;
    let mut follower = Follower::<Value>::over(&store, prefix).skip_equal().start()?;
    let mut status = follower.status();
    let mut is_lost = false;
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
                match link {
                    Link::Lost { reason } if !is_lost => {
                        is_lost = true;
                        context.output.words(format!("the connection is lost: {reason}"));
                    }
                    Link::Live if is_lost => {
                        is_lost = false;
                        context.output.words("the connection is back");
                    }
                    _ => {}
                }
            }
        }
    }
}

//! The commands, one file each.

mod delete;
mod doctor;
mod follow;
mod get;
mod kv;
mod listeners;
pub(crate) mod lock;
mod patch;
mod set;
pub(crate) mod sync;
mod watch;

use serde::Serialize;

use crate::args::{Command, KvCommand};
use crate::context::Context;
use crate::exit::{Exit, Result};

/// What is printed of a write.
#[derive(Debug, Serialize)]
struct Written {
    revision: u64,
}

/// Runs a command that does nothing of its own with signals.
pub(crate) async fn run(context: &Context, command: Command) -> Result {
    match command {
        Command::Get(args) => get::run(context, args).await,
        Command::Set(args) => set::run(context, args).await,
        Command::Patch(args) => patch::run(context, args).await,
        Command::Delete(args) => delete::run(context, &args).await,
        Command::Watch(args) => while_read(context, watch::run(context, args)).await,
        Command::Follow(args) => while_read(context, follow::run(context, args)).await,
        Command::Listeners(args) => listeners::run(context, &args).await,
        Command::Kv(watch @ KvCommand::Watch { .. }) => while_read(context, kv::run(context, watch)).await,
        Command::Kv(command) => kv::run(context, command).await,
        // Without anybody who reads it still copies, unless printing is what it runs for.
        Command::Sync(args) if args.prints_on() => while_read(context, sync::run(context, &args)).await,
        Command::Sync(args) => sync::run(context, &args).await,
        Command::Doctor(args) => doctor::run(context, &args).await,
        Command::Lock(_) | Command::Demo(_) | Command::Terminal { .. } => {
            unreachable!("what has no store, or signals of its own, is run elsewhere")
        }
    }
}

/// Runs what only prints until its reader goes away, which it would not notice before it has something to print.
async fn while_read(context: &Context, command: impl Future<Output = Result>) -> Result {
    tokio::select! {
        biased;
        result = command => result,
        () = context.output.unread() => Ok(Exit::Done),
    }
}

impl Context {
    /// Prints what a write did, if that is asked for.
    fn written(&self, json: bool, revision: u64) -> Result {
        if json {
            self.output.json(&Written { revision })?;
        }
        Ok(Exit::Done)
    }
}

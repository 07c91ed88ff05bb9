//! `quorate demo`: the whole story on a temporary embedded store, told by real processes.
//!
//! The conductor ([`story`]) starts this same program in the roles of agents and writers, repeats what they say,
//! and checks every claim it makes. [`Stage`] is everything that must be gone at the end.

mod agent;
mod cast;
mod model;
mod stage;
mod story;
mod vanishing;
mod voice;
mod writer;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::timeout_at;

use self::stage::Stage;
use crate::exit::Exit;
use crate::signals::{self, Signals};

/// How long after its deadline a story that does not end by itself is broken off.
const LAST_TIME: Duration = Duration::from_secs(1);

/// What `quorate demo` takes. People give it nothing; the demo starts its own processes with a role.
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true)]
pub(crate) struct DemoArgs {
    #[command(subcommand)]
    role: Option<Role>,
}

/// The part that a child process of the demo plays.
#[derive(Debug, clap::Subcommand)]
enum Role {
    /// Holds a live copy and says what it is told.
    #[command(hide = true)]
    Agent { name: String, url: String },
    /// Changes the struct from outside, then ends.
    #[command(hide = true)]
    Writer {
        url: String,
        #[command(subcommand)]
        deed: writer::Deed,
    },
}

/// Runs the demo, or one of its parts.
///
/// The demo handles Ctrl-C by itself and ends with 130, so nothing may cancel this future on a signal.
///
/// # Errors
///
/// A sentence that says which claim did not hold.
///
/// # Cancel safety
///
/// A dropped future kills the child processes and removes the directory without waiting for either to be complete.
pub(crate) async fn run(args: DemoArgs) -> Result<ExitCode> {
    match args.role {
        None => conduct().await,
        Some(Role::Agent { name, url }) => {
            agent::play(&url).await.with_context(|| format!("agent {name}"))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Role::Writer { url, deed }) => {
            writer::play(&url, deed).await.context("writer")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Tells the story and clears the stage, however the story ended.
async fn conduct() -> Result<ExitCode> {
    let mut signals = Signals::listen().context("signals cannot be handled")?;
    let mut stage = Stage::set().await?;
    let last = stage.deadline + LAST_TIME;
    let told = tokio::select! {
        biased;
        signal = signals.next() => Err(Exit::Signalled(signals::number(signal))),
        told = timeout_at(last, story::tell(&mut stage)) => Ok(told.context("the store took too long")),
    };
    let cleared = stage.clear().await;
    match told {
        Err(exit) => cleared.map(|()| exit.into()),
        Ok(Err(failure) | Ok(Err(failure))) => Err(failure),
        Ok(Ok(Ok(started))) => {
            cleared?;
            voice::farewell(started.elapsed())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

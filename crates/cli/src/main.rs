//! `quorate`, the command line: look at shared state, change it, watch it, lock it.

mod args;
mod base64;
mod commands;
mod context;
mod demo;
mod edit;
mod environment;
mod exit;
mod input;
mod link;
mod output;
mod place;
mod signals;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::error::{ContextKind, ContextValue};
use tokio::sync::oneshot;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::args::{Args, Command, Global};
use crate::context::{CLOSE_TIME, Context};
use crate::exit::{Exit, Failure, Result};
use crate::output::Output;
use crate::signals::Signals;

/// How long after a signal the program ends whatever happens, as when a reader has stopped reading.
const LAST_TIME: Duration = CLOSE_TIME.saturating_add(Duration::from_secs(1));

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(mut error) => {
            hide_hidden(&mut error);
            // Whoever closed the output does not want the help.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    trace(args.global.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return told(&Output::new(), Err(Failure::failed(error))).into(),
    };
    let code = runtime.block_on(run(args));
    // A thread that reads from a terminal would be waited for otherwise.
    runtime.shutdown_background();
    code
}

/// Takes what the help does not show out of the list of commands that an error names.
fn hide_hidden(error: &mut clap::Error) {
    if let Some(ContextValue::Strings(names)) = error.get(ContextKind::ValidSubcommand) {
        let shown = names.iter().filter(|name| *name != "terminal").cloned().collect();
        error.insert(ContextKind::ValidSubcommand, ContextValue::Strings(shown));
    }
}

async fn run(args: Args) -> ExitCode {
    match args.command {
        // The demo has processes of its own to end before it ends.
        Command::Demo(demo) => match demo::run(demo).await {
            Ok(code) => code,
            Err(error) if is_broken_pipe(&error) => Exit::Done.into(),
            Err(error) => told(&Output::new(), Err(Failure::failed(format!("{error:#}")))).into(),
        },
        // It belongs to a lock whose store is known to another process.
        Command::Terminal { group } => told(&Output::new(), commands::lock::give_terminal(group)).into(),
        command => match context_of(&args.global, &command) {
            // What only reads can be examined all the same.
            Ok(context) if matches!(command, Command::Doctor(_)) => {
                let context = context.read_only_allowed();
                told(&context.output, in_context(&context, command).await).into()
            }
            Ok(context) => told(&context.output, in_context(&context, command).await).into(),
            Err(failure) => told(&Output::new(), Err(failure)).into(),
        },
    }
}

/// The store or stores of a command.
fn context_of(global: &Global, command: &Command) -> Result<Context> {
    match command {
        Command::Sync(args) => commands::sync::context(global, args),
        _ => Context::new(global),
    }
}

/// Runs a command until it ends or a signal ends it, and closes the store.
async fn in_context(context: &Context, command: Command) -> Result {
    let mut signals = Signals::listen().map_err(Failure::failed)?;
    let result = if let Command::Lock(args) = command {
        // It passes the signals on to what it runs.
        commands::lock::run(context, args, &mut signals).await
    } else {
        let (told, signal) = oneshot::channel();
        let listener = tokio::spawn(async move {
            let exit = Exit::Signalled(signals::number(signals.next().await));
            // The command ended in the same moment.
            let _ = told.send(exit);
            tokio::time::sleep(LAST_TIME).await;
            std::process::exit(exit.code().into());
        });
        let result = tokio::select! {
            Ok(exit) = signal => {
                context.close().await;
                return Ok(exit);
            }
            result = context.explained(commands::run(context, command)) => result,
        };
        listener.abort();
        result
    };
    context.close().await;
    result
}

/// Says what a failure has to say, and gives the exit code.
fn told(output: &Output, result: Result) -> Exit {
    result.unwrap_or_else(|failure| {
        if let Some(words) = failure.words() {
            output.words(words);
        }
        failure.exit()
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    kinds.into_iter().any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Turns on what is said about the inside of the libraries.
fn trace(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "debug",
        _ => "trace",
    };
    // A directive also covers the crates whose names begin with it.
    let filter = format!("quorate={level}");
    let writer = || anstream::AutoStream::auto(std::io::stderr());
    // Most of what goes on above a server is told by spans: how long an update or an opening took.
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    subscriber.with_span_events(FmtSpan::CLOSE).init();
}

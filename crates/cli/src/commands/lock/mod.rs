//! `quorate lock`: runs a command under the write lock of a struct.

mod child;
mod terminal;

use std::ffi::OsString;

use quorate::{Consistency, Document, LockGuard};

use self::child::{Child, End};
use crate::args::LockArgs;
use crate::context::Context;
use crate::environment;
use crate::exit::{Exit, Failure, Result};
use crate::signals::{self, Signals};

pub(crate) use terminal::give as give_terminal;

pub(crate) async fn run(context: &Context, args: LockArgs, signals: &mut Signals) -> Result {
    let LockArgs { dir, command } = args;
    let acquiring = async {
        let document = context.document(&dir).await?;
        context.ask(|| document.read(Consistency::Local)).await?;
        let lock = document.write_lock()?;
        let guard = context.finish(lock.acquire(context.remaining())).await?;
        Ok::<_, Failure>((document, guard))
    };
    let (document, guard) = tokio::select! {
        acquired = acquiring => acquired?,
        signal = signals.next() => return Ok(Exit::Signalled(signals::number(signal))),
    };
    let exit = under(context, &guard, &command, signals).await;
    // A lock that cannot be freed now ends with the session, which is closed next.
    if let Err(failure) = context.finish(leave(&document, guard)).await {
        context.output.words(failure.words().unwrap_or_default());
    }
    exit
}

/// Frees the lock. Where there is no struct, nothing of one stays for the lock's sake.
async fn leave(document: &Document, guard: LockGuard) -> quorate::Result<()> {
    guard.release().await?;
    if document.read(Consistency::Synced).await?.is_none() {
        document.remove_directories().await?;
    }
    Ok(())
}

/// Runs the command, passing signals on to it, until it ends or the lock is lost.
async fn under(context: &Context, guard: &LockGuard, command: &[OsString], signals: &mut Signals) -> Result {
    let environment = [
        (environment::LOCK, guard.key().to_string()),
        (environment::TOKEN, guard.token().to_string()),
        (environment::STORE, context.url().to_string()),
    ];
    let mut child = match Child::spawn(command, environment) {
        Ok(child) => child,
        Err(error) => {
            // As a shell does it.
            let code = if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
            let name = command.first().map(|name| name.to_string_lossy()).unwrap_or_default();
            return Err(Failure::new(Exit::Command(code), format!("{name} cannot be run: {error}")));
        }
    };
    let mut lost = std::pin::pin!(guard.lost());
    loop {
        tokio::select! {
            biased;
            end = child.end() => return match end {
                End::Code(code) => Ok(Exit::Command(code)),
                End::Unknown(error) => Err(Failure::failed(format!("the command's end was missed: {error}"))),
            },
            () = &mut lost => {
                context.output.words(format!("the lock {} is lost: the command is ended", guard.key()));
                child.terminate().await;
                return Ok(Exit::Failed);
            }
            signal = signals.next() => child.pass_on(signal),
        }
    }
}

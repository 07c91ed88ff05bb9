//! `quorate sync`: keeps a part of one store equal to a part of another.

mod args;
mod line;
mod place;
mod reach;
mod report;

use std::time::Duration;

use quorate::{Mirror, MirrorEvent, Mirroring};
use tokio::time::{MissedTickBehavior, interval};

pub(crate) use self::args::SyncArgs;
use self::place::check_apart;
use self::reach::Reach;
use self::report::Report;
use crate::args::Global;
use crate::context::Context;
use crate::exit::{Exit, Failure, Result};

/// How often is looked at how far it is, while there is something to do.
const LOOK_PERIOD: Duration = Duration::from_millis(250);

/// The two stores that are named; they are not opened yet.
pub(crate) fn context(global: &Global, args: &SyncArgs) -> Result<Context> {
    let target = Context::at(global, Some(&args.target))?;
    Ok(Context::at(global, Some(&args.source))?.with_other(target))
}

pub(crate) async fn run(context: &Context, args: &SyncArgs) -> Result {
    let Some(other) = context.other() else {
        return Err(Failure::failed("there is no store to copy to"));
    };
    let to = args.to.clone().unwrap_or_else(|| args.prefix.clone());
    check_apart(context.url(), other.url(), &args.prefix, &to)?;
    let (source, target) = (context.open().await?, other.open().await?);
    let mut mirror = Mirror::new(&source, &target, args.prefix.clone()).to(to);
    if args.delete {
        mirror = mirror.deleting();
    }
    if args.dry_run {
        mirror = mirror.dry();
    }
    let ends = args.once || args.dry_run;
    let mut report = Report::new(&context.output, args);
    let mut reach = Reach::new([context, other], [source, target], ends);
    let mut mirroring = mirror.start()?;
    follow(&mut mirroring, &mut report, &mut reach, ends).await?;
    report.ended(&mirroring.progress())?;
    if mirroring.progress().refused > 0 { Err(Failure::quiet(Exit::Failed)) } else { Ok(Exit::Done) }
}

/// Passes on what is done, until both are equal if that is the end.
async fn follow(
    mirroring: &mut Mirroring,
    report: &mut Report<'_>,
    reach: &mut Reach<'_>,
    ends: bool,
) -> Result<()> {
    let mut look = interval(LOOK_PERIOD);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_in_sync = false;
    loop {
        tokio::select! {
            event = mirroring.next() => {
                let Some(event) = event.transpose()? else { return Ok(()) };
                reach.note(&event);
                match event {
                    MirrorEvent::InSync if ends => return Ok(()),
                    MirrorEvent::InSync => is_in_sync = true,
                    // As such they leave nothing to do.
                    MirrorEvent::Lost { .. } | MirrorEvent::Regained { .. } => {}
                    _ => is_in_sync = false,
                }
                report.event(&event, &mirroring.progress())?;
            }
            _ = look.tick(), if !is_in_sync => {
                reach.check(mirroring.is_compared())?;
                report.progress(&mirroring.progress())?;
            }
        }
    }
}

//! The checks of the project: `cargo xtask check` while you work, `cargo xtask test` before you are done.

mod bench;
mod check;
mod install;
mod live;
mod package;
mod run;

use std::process::ExitCode;

use run::Run;

const USAGE: &str = "\
usage: cargo xtask <task>
       cargo xtask bench [options]

  check    formatting, clippy, documentation, and every test that needs nothing but Rust
  test     all of CI: installs what it needs (by apt: a Java runtime, ZooKeeper, kazoo), then check, the features of
           the facade one by one, the benchmarks as far as they compile, the tests against real servers, and the
           packages to be published
  live     only the tests against real servers
  package  only the packages to be published
  bench    the ZooKeeper clients side by side, and shared structs beside Curator and kazoo; `cargo xtask bench help`
           lists the options";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(task) = arguments.next() else {
        return usage();
    };
    let arguments: Vec<_> = arguments.collect();
    if !arguments.is_empty() && task != "bench" {
        return usage();
    }
    let mut run = Run::new();
    let done = match task.as_str() {
        "check" => check::all(&mut run),
        "test" => install::crates(&mut run)
            .and_then(|()| bench::crates(&mut run))
            .and_then(|()| install::servers(&mut run))
            .and_then(|()| check::all(&mut run))
            .and_then(|()| check::facade_features(&mut run))
            .and_then(|()| bench::check(&mut run))
            .and_then(|()| live::all(&mut run))
            .and_then(|()| package::all(&mut run)),
        "bench" => bench::all(&mut run, &arguments),
        "live" => install::servers(&mut run).and_then(|()| live::all(&mut run)),
        "package" => install::crates(&mut run).and_then(|()| package::all(&mut run)),
        _ => return usage(),
    };
    run.finish(&task, done)
}

fn usage() -> ExitCode {
    run::say(USAGE);
    ExitCode::from(2)
}

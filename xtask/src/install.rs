//! What the tests need beyond Rust, from apt.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::run::{Run, cargo, run, succeeds};

/// A Java runtime without a screen, and ZooKeeper's classes. Neither package starts a service: ZooKeeper's does not
/// even contain one, and its command line is in the same classes.
const PACKAGES: [&str; 2] = ["default-jre-headless", "libzookeeper-java"];

/// The files of those packages that the tests use.
const JARS: [&str; 2] = ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-simple.jar"];

/// Fetches the crates of the lock file, which must be up to date. Later steps can do without a network then.
pub(crate) fn crates(steps: &mut Run) -> Result<()> {
    steps.step("crates of the lock file", || run(&mut cargo(&["fetch", "--locked"])))
}

/// Makes sure that real servers can be started.
pub(crate) fn servers(steps: &mut Run) -> Result<()> {
    steps.step("Java and ZooKeeper", zookeeper)
}

fn zookeeper() -> Result<()> {
    if present() {
        return Ok(());
    }
    let by_hand = format!("install {} by hand, then run this again", PACKAGES.join(" and "));
    if !succeeds("apt-get", &["--version"]) {
        bail!("there is no apt-get here: {by_hand}");
    }
    let as_root = is_root();
    if !as_root && !succeeds("sudo", &["--version"]) {
        bail!("apt-get needs root and there is no sudo here: {by_hand}");
    }
    run(&mut apt(as_root, &["update"]))?;
    run(apt(as_root, &["install", "--yes", "--no-install-recommends"]).args(PACKAGES))?;
    ensure!(present(), "apt-get installed {} but they are not usable: {by_hand}", PACKAGES.join(" and "));
    Ok(())
}

fn present() -> bool {
    succeeds("java", &["-version"]) && JARS.iter().all(|jar| Path::new(jar).exists())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

fn apt(as_root: bool, arguments: &[&str]) -> Command {
    let mut command = Command::new(if as_root { "env" } else { "sudo" });
    if !as_root {
        command.arg("env");
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments);
    command
}

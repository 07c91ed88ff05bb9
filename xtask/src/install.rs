//! What the tests need beyond Rust, from apt.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::run::{Run, cargo, run, succeeds};

/// A Java runtime without a screen, ZooKeeper's classes, and another client of it. None of the packages starts a
/// service: ZooKeeper's does not even contain one, and its command line is in the same classes.
const PACKAGES: [&str; 3] = ["default-jre-headless", "libzookeeper-java", "python3-kazoo"];

/// The files of those packages that the tests use, and Debian's own Python, which alone knows Debian's kazoo.
const FILES: [&str; 6] = [
    "/usr/share/java/zookeeper.jar",
    "/usr/share/java/slf4j-simple.jar",
    "/usr/share/java/netty-codec.jar",
    "/usr/share/java/netty-resolver.jar",
    "/usr/bin/python3",
    "/usr/lib/python3/dist-packages/kazoo",
];

/// Fetches the crates of the lock file, which must be up to date. Later steps can do without a network then.
pub(crate) fn crates(steps: &mut Run) -> Result<()> {
    steps.step("crates of the lock file", || run(&mut cargo(&["fetch", "--locked"])))
}

/// Makes sure that real servers, and other clients than ours, can be started.
pub(crate) fn servers(steps: &mut Run) -> Result<()> {
    steps.step("Java, ZooKeeper and kazoo", packages)
}

fn packages() -> Result<()> {
    if present() {
        return Ok(());
    }
    let by_hand = format!("install {} by hand, then run this again", PACKAGES.join(", "));
    if !succeeds("apt-get", &["--version"]) {
        bail!("there is no apt-get here: {by_hand}");
    }
    let as_root = is_root();
    if !as_root && !succeeds("sudo", &["--version"]) {
        bail!("apt-get needs root and there is no sudo here: {by_hand}");
    }
    run(&mut apt(as_root, &["update"]))?;
    run(apt(as_root, &["install", "--yes", "--no-install-recommends"]).args(PACKAGES))?;
    ensure!(present(), "apt-get installed {} but they are not usable: {by_hand}", PACKAGES.join(", "));
    Ok(())
}

fn present() -> bool {
    succeeds("java", &["-version"]) && FILES.iter().all(|file| Path::new(file).exists())
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

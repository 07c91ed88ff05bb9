//! Where Debian's packages put Java and ZooKeeper, and the sentence for when they are not there.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use tokio::process::Command;

/// A class path to take instead of Debian's, to try another version of the server by hand. Nothing of it is checked.
const OTHER_CLASSES: &str = "QUORATE_ZOOKEEPER_CLASSPATH";

/// What the server and its command line need. ZooKeeper's own jar names most of the others in its manifest, but of
/// Netty not all: without the two here every connection through Netty is closed at once.
const JARS: [&str; 4] = [
    "/usr/share/java/zookeeper.jar",
    "/usr/share/java/slf4j-simple.jar",
    "/usr/share/java/netty-codec.jar",
    "/usr/share/java/netty-resolver.jar",
];

const INSTALL: &str = "a real ZooKeeper is missing: apt-get install default-jre-headless libzookeeper-java";

/// A `java` command that has ZooKeeper's classes, and flags for a short life on a small machine.
pub(super) fn java() -> Command {
    let mut command = Command::new("java");
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"])
        .arg("-cp")
        .arg(class_path())
        .kill_on_drop(true);
    command
}

fn class_path() -> OsString {
    if let Some(other) = env::var_os(OTHER_CLASSES) {
        return other;
    }
    for jar in JARS {
        assert!(Path::new(jar).exists(), "{INSTALL} ({jar} is not there)");
    }
    JARS.join(":").into()
}

/// Starts `command`, which came from [`java`].
pub(super) fn spawn(command: &mut Command) -> tokio::process::Child {
    command.spawn().unwrap_or_else(|error| panic!("{INSTALL} (java does not start: {error})"))
}

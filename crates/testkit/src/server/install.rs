//! Where Debian's packages put Java and ZooKeeper, and the sentence for when they are not there.

use std::path::Path;

use tokio::process::Command;

/// The server and its command line, in one jar whose manifest names the other jars it needs.
const ZOOKEEPER_JAR: &str = "/usr/share/java/zookeeper.jar";
/// Logging to standard error, so that a failed start says why.
const LOGGING_JAR: &str = "/usr/share/java/slf4j-simple.jar";

const INSTALL: &str = "a real ZooKeeper is missing: apt-get install default-jre-headless libzookeeper-java";

/// A `java` command that has ZooKeeper's classes, and flags for a short life on a small machine.
pub(super) fn java() -> Command {
    for jar in [ZOOKEEPER_JAR, LOGGING_JAR] {
        assert!(Path::new(jar).exists(), "{INSTALL} ({jar} is not there)");
    }
    let mut command = Command::new("java");
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"])
        .args(["-cp", &format!("{ZOOKEEPER_JAR}:{LOGGING_JAR}")])
        .kill_on_drop(true);
    command
}

/// Starts `command`, which came from [`java`].
pub(super) fn spawn(command: &mut Command) -> tokio::process::Child {
    command.spawn().unwrap_or_else(|error| panic!("{INSTALL} (java does not start: {error})"))
}

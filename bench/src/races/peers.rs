//! The peers in other languages, and what is missing to have them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
const JAVA_SOURCES: [&str; 6] = ["Peer", "Counter", "LockedCounter", "ValueCounter", "Updates", "Follow"];
/// Debian's own classes, and the logging that logs nothing.
const DEBIAN_JARS: [&str; 6] =
    ["curator-recipes", "curator-framework", "curator-client", "guava", "zookeeper", "slf4j-nop"];
const DEBIAN_PACKAGES: &str = "apt-get install libcurator-recipes-java";
/// Debian's own Python, which alone knows Debian's kazoo.
const PYTHON: &str = "/usr/bin/python3";

/// How to start each peer, or what to install.
pub(crate) struct Peers {
    /// The classpath.
    curator: Result<String, String>,
    kazoo: Result<(), String>,
    folder: PathBuf,
}

impl Peers {
    /// Looks for them, and compiles what has to be.
    pub(crate) fn find(curator: Option<&str>) -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("quorate-bench-peers-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let curator = classpath(curator).and_then(|path| compile(&path, &folder));
        Ok(Self { curator, kazoo: kazoo(), folder })
    }

    /// Where the processes of this race may leave their files.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A process of Curator.
    pub(crate) fn curator(&self, words: &[&str]) -> Result<Command, String> {
        let classpath = self.curator.as_ref().map_err(Clone::clone)?;
        let mut command = Command::new("java");
        command.args(["-Djava.net.preferIPv4Stack=true", "-cp", classpath, "Peer"]).args(words);
        Ok(command)
    }

    /// A process of kazoo.
    pub(crate) fn kazoo(&self, words: &[&str]) -> Result<Command, String> {
        self.kazoo.as_ref().map_err(Clone::clone)?;
        let mut command = Command::new(PYTHON);
        command.arg(format!("{SOURCES}/python/peer.py")).args(words);
        Ok(command)
    }

    /// A process of this program.
    pub(crate) fn ours(words: &[&str]) -> Result<Command, String> {
        let mut command = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
        command.arg(crate::arguments::WORKER).args(words);
        Ok(command)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        // What stays is in a folder for such things.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn classpath(told: Option<&str>) -> Result<String, String> {
    if let Some(told) = told {
        return Ok(told.to_owned());
    }
    let jars: Vec<_> = DEBIAN_JARS.iter().map(|jar| format!("/usr/share/java/{jar}.jar")).collect();
    match jars.iter().find(|jar| !Path::new(jar).exists()) {
        Some(_) => Err(format!("{DEBIAN_PACKAGES}, or --curator CLASSPATH")),
        None => Ok(jars.join(":")),
    }
}

/// Compiles the Java half into `folder`; gives back the classpath to run it with.
fn compile(classpath: &str, folder: &Path) -> Result<String, String> {
    let sources = JAVA_SOURCES.map(|name| format!("{SOURCES}/java/{name}.java"));
    let output = Command::new("javac")
        .args(["-nowarn", "-cp", classpath, "-d"])
        .arg(folder)
        .args(sources)
        .stdin(Stdio::null())
        .output()
        .map_err(|_| "apt-get install default-jdk-headless".to_owned())?;
    if output.status.success() {
        return Ok(format!("{}:{classpath}", folder.display()));
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let error = words.lines().find(|line| line.contains("error:")).unwrap_or("it says nothing");
    Err(format!("javac does not compile the peer: {error}"))
}

fn kazoo() -> Result<(), String> {
    let imported = Command::new(PYTHON).args(["-c", "import kazoo"]).stderr(Stdio::null()).status();
    match imported {
        Ok(status) if status.success() => Ok(()),
        _ => Err("apt-get install python3-kazoo".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_missing_is_a_reason_and_no_failure() {
        let peers = Peers::find(Some("/nowhere")).unwrap();
        let reason = peers.curator(&["follow"]).unwrap_err();
        assert!(reason.contains("javac") || reason.contains("apt-get"), "{reason}");
    }
}

//! What can be chosen about a real server.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// The options of a real server.
///
/// The defaults are those of a test: a tick of two seconds, so sessions of 4 to 40 seconds, every four-letter word
/// allowed, no limit on connections, containers and TTL nodes enabled, and no fsync. Data survives a killed server
/// all the same, since the kernel still holds what was written.
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerOptions {
    tick: Duration,
    fsync: bool,
    config: Vec<String>,
    java: Vec<String>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { tick: Duration::from_millis(2_000), fsync: false, config: Vec::new(), java: Vec::new() }
    }
}

impl ServerOptions {
    /// Sets the tick. The server grants sessions between 2 and 20 ticks, so a tick of 500 ms gives 1 to 10 seconds,
    /// and it expires them once per tick.
    pub fn tick(mut self, tick: Duration) -> Self {
        self.tick = tick;
        self
    }

    /// Makes the server wait for the disk on every write, as it does in production.
    pub fn fsync(mut self) -> Self {
        self.fsync = true;
        self
    }

    /// Adds a line to the server's configuration file, for example `globalOutstandingLimit=10`. A later line wins
    /// over an earlier one and over the defaults.
    pub fn config_line(mut self, line: impl Into<String>) -> Self {
        self.config.push(line.into());
        self
    }

    /// Adds a flag for the Java machine, for example `-Djute.maxbuffer=8388608`.
    pub fn java_flag(mut self, flag: impl Into<String>) -> Self {
        self.java.push(flag.into());
        self
    }

    pub(super) fn java_flags(&self) -> Vec<String> {
        let mut flags = vec![
            "-Dzookeeper.extendedTypesEnabled=true".to_owned(),
            format!("-Dzookeeper.forceSync={}", if self.fsync { "yes" } else { "no" }),
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn".to_owned(),
        ];
        flags.extend(self.java.iter().cloned());
        flags
    }

    /// The configuration file of a server on `port` with its data in `data`. `peers` are the `server.N` lines of an
    /// ensemble.
    pub(super) fn config_file(&self, port: u16, data: &Path, peers: &[String]) -> String {
        let mut text = format!(
            "tickTime={}\ninitLimit=10\nsyncLimit=5\ndataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\n\
             maxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\nextendedTypesEnabled=true\n",
            self.tick.as_millis(),
            data.display(),
        );
        for line in peers.iter().chain(&self.config) {
            writeln!(text, "{line}").expect("writing to a string cannot fail");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_the_configuration_is_the_callers() {
        let options = ServerOptions::default().tick(Duration::from_millis(500)).config_line("syncLimit=2");
        let text = options.config_file(2181, Path::new("data"), &["server.1=127.0.0.1:1:2".to_owned()]);
        assert!(text.starts_with("tickTime=500\n"));
        assert!(text.ends_with("extendedTypesEnabled=true\nserver.1=127.0.0.1:1:2\nsyncLimit=2\n"));
    }
}

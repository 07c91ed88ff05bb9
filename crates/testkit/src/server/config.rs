//! What a server is started with: its folder, its files, its flags.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::options::ServerOptions;
use super::ports::free_port;

/// From 3.9 on DIGEST-MD5 is off by default. Before, nobody looks at this.
pub(super) const DIGEST_ALLOWED: &str = "-Dzookeeper.fips-mode=false";

/// Where one server lives: its folder and its ports, which stay the same across restarts.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) dir: PathBuf,
    pub(super) id: usize,
    pub(super) port: u16,
    pub(super) secure_port: Option<u16>,
    /// Where the members of an ensemble talk to each other and elect a leader.
    quorum_ports: (u16, u16),
}

impl Place {
    /// Chooses free ports for the server with this id in the folder `dir`.
    pub(super) fn choose(dir: &Path, id: usize, options: &ServerOptions) -> Self {
        Self {
            dir: dir.to_owned(),
            id,
            port: free_port(),
            secure_port: options.tls.as_ref().map(|_| free_port()),
            quorum_ports: (free_port(), free_port()),
        }
    }

    /// The line that tells the ensemble of this server.
    pub(super) fn server_line(&self) -> String {
        let (quorum, election) = self.quorum_ports;
        format!("server.{}=127.0.0.1:{quorum}:{election}:participant;127.0.0.1:{}", self.id, self.port)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.dir.join("zoo.cfg")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    fn jaas(&self) -> PathBuf {
        self.dir.join("jaas.conf")
    }

    /// Writes everything that the server reads when it starts. `peers` is empty, or the lines of all members of the
    /// ensemble, this one among them.
    pub(super) fn write(&self, options: &ServerOptions, peers: &[String]) {
        fs::create_dir_all(self.data()).expect("the temporary folder takes a folder");
        fs::write(self.data().join("myid"), format!("{}\n", self.id))
            .expect("the temporary folder takes a file");
        if let Some(tls) = &options.tls {
            tls.write(&self.dir);
        }
        if !options.sasl_users.is_empty() {
            let login = jaas("Server", options.sasl_users.iter().map(|(n, p)| (format!("user_{n}"), p)));
            fs::write(self.jaas(), login).expect("the temporary folder takes a file");
        }
        fs::write(self.config(), self.config_file(options, peers))
            .expect("the temporary folder takes a file");
    }

    fn config_file(&self, options: &ServerOptions, peers: &[String]) -> String {
        let mut text = format!(
            "tickTime={}\ninitLimit=10\nsyncLimit=5\ndataDir={}\nclientPort={}\nclientPortAddress=127.0.0.1\n\
             maxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\nextendedTypesEnabled=true\n",
            options.tick.as_millis(),
            self.data().display(),
            self.port,
        );
        let switched = switched_on(options, &self.dir, self.secure_port);
        for line in switched.iter().chain(peers).chain(&options.config) {
            writeln!(text, "{line}").expect("writing to a string cannot fail");
        }
        text
    }

    /// The flags for the Java machine.
    pub(super) fn java_flags(&self, options: &ServerOptions) -> Vec<String> {
        let mut flags = vec![
            "-Dzookeeper.extendedTypesEnabled=true".to_owned(),
            format!("-Dzookeeper.forceSync={}", if options.fsync { "yes" } else { "no" }),
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn".to_owned(),
        ];
        if options.netty || options.tls.is_some() {
            let factory = "org.apache.zookeeper.server.NettyServerCnxnFactory";
            flags.push(format!("-Dzookeeper.serverCnxnFactory={factory}"));
        }
        if !options.sasl_users.is_empty() {
            flags.push(format!("-Djava.security.auth.login.config={}", self.jaas().display()));
            flags.push(DIGEST_ALLOWED.to_owned());
        }
        if let Some(superuser) = &options.superuser {
            flags.push(format!("-Dzookeeper.DigestAuthenticationProvider.superDigest={superuser}"));
        }
        if options.read_only {
            // The only switch that has no line in the configuration file.
            flags.push("-Dreadonlymode.enabled=true".to_owned());
        }
        flags.extend(options.java.iter().cloned());
        flags
    }
}

/// The lines for what is off by default.
fn switched_on(options: &ServerOptions, dir: &Path, secure_port: Option<u16>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(port) = secure_port {
        let client_auth = if options.client_cert { "need" } else { "none" };
        lines.extend([
            format!("secureClientPort={port}"),
            "secureClientPortAddress=127.0.0.1".to_owned(),
            format!("ssl.keyStore.location={}", dir.join("key-store.pem").display()),
            format!("ssl.trustStore.location={}", dir.join("trust-store.pem").display()),
            format!("ssl.clientAuth={client_auth}"),
        ]);
    }
    if !options.sasl_users.is_empty() {
        let provider = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider";
        lines.push(format!("authProvider.sasl={provider}"));
    }
    if options.sasl_required {
        lines.push("sessionRequireClientSASLAuth=true".to_owned());
    }
    if options.reconfig {
        // Without the second line a server on its own would not be a member of anything.
        lines.extend(["reconfigEnabled=true", "standaloneEnabled=false"].map(str::to_owned));
    }
    lines
}

/// A login file of Java with one section, for ZooKeeper's module of names and passwords.
pub(super) fn jaas<'a>(section: &str, entries: impl Iterator<Item = (String, &'a String)>) -> String {
    let mut text = format!("{section} {{\n  org.apache.zookeeper.server.auth.DigestLoginModule required");
    for (name, value) in entries {
        write!(text, "\n  {name}=\"{value}\"").expect("writing to a string cannot fail");
    }
    text + ";\n};\n"
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::TestCa;

    fn place(options: &ServerOptions) -> Place {
        Place::choose(Path::new("folder"), 1, options)
    }

    #[test]
    fn the_last_line_of_the_configuration_is_the_callers() {
        let options = ServerOptions::default().tick(Duration::from_millis(500)).config_line("syncLimit=2");
        let text = place(&options).config_file(&options, &["server.1=127.0.0.1:1:2".to_owned()]);
        assert!(text.starts_with("tickTime=500\n"));
        assert!(text.ends_with("extendedTypesEnabled=true\nserver.1=127.0.0.1:1:2\nsyncLimit=2\n"));
    }

    #[test]
    fn nothing_of_security_is_on_by_default() {
        let options = ServerOptions::default();
        let text = place(&options).config_file(&options, &[]);
        let flags = place(&options).java_flags(&options);
        for word in ["ssl", "secure", "authProvider", "SASL", "superDigest", "readonlymode", "reconfig"] {
            assert!(!text.contains(word) && !flags.iter().any(|flag| flag.contains(word)), "{word}");
        }
    }

    #[test]
    fn a_server_with_tls_has_a_second_port() {
        let options = ServerOptions::default().tls(TestCa::new().server_files()).client_cert_required();
        let place = place(&options);
        let text = place.config_file(&options, &[]);
        let port = place.secure_port.expect("one was chosen");
        assert!(text.contains(&format!("\nsecureClientPort={port}\n")));
        assert!(text.contains("\nssl.clientAuth=need\n"));
        assert!(place.java_flags(&options).iter().any(|flag| flag.contains("NettyServerCnxnFactory")));
    }

    #[test]
    fn a_login_file_ends_its_section() {
        let users = [("user_a".to_owned(), &"x".to_owned()), ("user_b".to_owned(), &"y".to_owned())];
        assert_eq!(
            jaas("Server", users.into_iter()),
            "Server {\n  org.apache.zookeeper.server.auth.DigestLoginModule required\n  user_a=\"x\"\n  \
             user_b=\"y\";\n};\n"
        );
    }
}

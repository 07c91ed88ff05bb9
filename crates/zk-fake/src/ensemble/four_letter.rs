//! Words of four letters, sent in place of a first frame: the only way to ask a server for its version.

use super::Ensemble;
use quorate_zk_proto::ServerVersion;

use crate::version::release;

/// Returns the word that a connection starts with. As a length it would be over every limit.
pub(super) fn word(input: &[u8]) -> Option<[u8; 4]> {
    let word: [u8; 4] = input.get(..4)?.try_into().ok()?;
    word.iter().all(u8::is_ascii_lowercase).then_some(word)
}

impl Ensemble {
    /// Answers a word. Unless a server is told otherwise only `srvr` is allowed, and `isro` where servers may
    /// be read-only.
    pub(super) fn four_letter_answer(&self, server: usize, word: [u8; 4]) -> String {
        let allowed = self.config.all_words || self.config.version < ServerVersion::V3_5;
        match &word {
            b"srvr" => self.srvr(server),
            b"isro" => if self.has_quorum() { "rw" } else { "ro" }.to_owned(),
            b"ruok" if allowed => "imok".to_owned(),
            b"envi" if allowed => format!("Environment:\nzookeeper.version={}\n", self.version_line()),
            b"mntr" if allowed => self.mntr(server),
            _ if allowed => String::new(),
            _ => {
                let word = String::from_utf8_lossy(&word);
                format!("{word} is not executed because it is not in the whitelist.\n")
            }
        }
    }

    fn srvr(&self, server: usize) -> String {
        format!(
            "Zookeeper version: {}\nLatency min/avg/max: 0/0.0/0\nReceived: {}\nSent: {}\nConnections: {}\n\
             Outstanding: 0\nZxid: {}\nMode: {}\nNode count: {}\n",
            self.version_line(),
            self.journal.counters.requests,
            self.journal.counters.replies,
            self.connections_to(server),
            self.zxid,
            self.mode(server),
            self.tree.len(),
        )
    }

    fn mntr(&self, server: usize) -> String {
        format!(
            "zk_version\t{}\nzk_server_state\t{}\nzk_packets_received\t{}\nzk_packets_sent\t{}\n\
             zk_num_alive_connections\t{}\nzk_outstanding_requests\t0\nzk_znode_count\t{}\n",
            self.version_line(),
            self.mode(server),
            self.journal.counters.requests,
            self.journal.counters.replies,
            self.connections_to(server),
            self.tree.len(),
        )
    }

    fn version_line(&self) -> String {
        format!("{}-fake, built on 1970-01-01 00:00 UTC", release(self.config.version))
    }

    /// The first server that runs leads.
    fn mode(&self, server: usize) -> &'static str {
        match self.members.iter().position(|member| member.running) {
            _ if !self.has_quorum() => "read-only",
            _ if self.members.len() == 1 => "standalone",
            leader if leader == Some(server) => "leader",
            _ => "follower",
        }
    }

    fn connections_to(&self, server: usize) -> usize {
        self.connections.values().filter(|connection| connection.server == server).count()
    }
}

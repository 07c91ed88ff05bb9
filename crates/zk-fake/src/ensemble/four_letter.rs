//! Words of four letters, sent in place of a first frame: the only way to ask a server for its version.

use super::Ensemble;

/// Returns the word that a connection starts with. As a length it would be over every limit.
pub(super) fn word(input: &[u8]) -> Option<[u8; 4]> {
    let word: [u8; 4] = input.get(..4)?.try_into().ok()?;
    word.iter().all(u8::is_ascii_lowercase).then_some(word)
}

impl Ensemble {
    /// Answers a word; only `srvr` is allowed unless a server is told otherwise.
    pub(super) fn four_letter_answer(&self, word: [u8; 4]) -> String {
        if word != *b"srvr" {
            let word = String::from_utf8_lossy(&word);
            return format!("{word} is not executed because it is not in the whitelist.\n");
        }
        format!(
            "Zookeeper version: {}-fake, built on 1970-01-01 00:00 UTC\n\
             Latency min/avg/max: 0/0.0/0\nReceived: {}\nSent: {}\nConnections: {}\nOutstanding: 0\n\
             Zxid: {}\nMode: standalone\nNode count: {}\n",
            self.config.version.name(),
            self.journal.counters.requests,
            self.journal.counters.replies,
            self.connections.len(),
            self.zxid,
            self.tree.len(),
        )
    }
}

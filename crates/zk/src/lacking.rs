//! What the server at hand is known not to know.

use std::{
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use quorate_zk_proto::{OpCode, ServerVersion};

/// Which operations the server knows and which it does not, as far as its answers have told.
///
/// A server that does not know an operation closes the connection after saying so. Asking it again, once reconnected,
/// would be a loop. So what it lacks is kept for as long as this may be the same server: over the one close that its
/// refusal causes, if the same address answers afterwards.
#[derive(Debug, Default)]
pub(crate) struct Lacking {
    pinned: Option<ServerVersion>,
    lacks: AtomicU32,
    has: AtomicU32,
    /// Whether the next close is the one that a refusal causes.
    is_close_due: AtomicBool,
    server: Mutex<Option<SocketAddr>>,
}

impl Lacking {
    /// Starts without knowledge, or with that of a version.
    pub(crate) fn of(pinned: Option<ServerVersion>) -> Self {
        Self { pinned, ..Self::default() }
    }

    /// Returns whether the server will not know the operation.
    pub(crate) fn lacks(&self, op: OpCode) -> bool {
        self.lacks.load(Ordering::Relaxed) & bit(op) != 0
            || self.pinned.is_some_and(|version| version.lacks(op))
    }

    /// Returns whether the server may turn out not to know the operation.
    pub(crate) fn is_doubtful(&self, op: OpCode) -> bool {
        bit(op) & !self.has.load(Ordering::Relaxed) != 0 && !self.lacks(op)
    }

    /// Returns whether some servers do not know the operation.
    pub(crate) const fn may_lack(op: OpCode) -> bool {
        bit(op) != 0
    }

    /// Takes note that the server knows the operation.
    pub(crate) fn note_known(&self, op: OpCode) {
        self.has.fetch_or(bit(op), Ordering::Relaxed);
    }

    /// Takes note that the server does not know the operation.
    pub(crate) fn note_lacking(&self, op: OpCode) {
        self.lacks.fetch_or(bit(op), Ordering::Relaxed);
        let has = self.has.fetch_and(!bit(op), Ordering::Relaxed);
        // A server that knows times to live and has them switched off says the same, and keeps the connection.
        let is_switched_off = op == OpCode::CreateTtl && has & SINCE_3_5 != 0;
        if !is_switched_off {
            self.is_close_due.store(true, Ordering::Relaxed);
        }
    }

    /// Takes note of a new connection. Behind it may be another server, or the same one upgraded.
    pub(crate) fn connected(&self, server: SocketAddr) {
        let mut last = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        let was_expected = self.is_close_due.swap(false, Ordering::Relaxed);
        if last.replace(server) != Some(server) || !was_expected {
            self.lacks.store(0, Ordering::Relaxed);
            self.has.store(0, Ordering::Relaxed);
        }
    }
}

/// Operations that came with times to live.
const SINCE_3_5: u32 =
    bit(OpCode::Create2) | bit(OpCode::CreateContainer) | bit(OpCode::Reconfig) | bit(OpCode::CheckWatches);

/// The operations that some servers do not know; nothing for those that all know.
const fn bit(op: OpCode) -> u32 {
    match op {
        OpCode::Create2 => 1,
        OpCode::CreateContainer => 1 << 1,
        OpCode::CreateTtl => 1 << 2,
        OpCode::GetChildren2 => 1 << 3,
        OpCode::MultiRead => 1 << 4,
        OpCode::GetEphemerals => 1 << 5,
        OpCode::GetAllChildrenNumber => 1 << 6,
        OpCode::WhoAmI => 1 << 7,
        OpCode::Reconfig => 1 << 8,
        OpCode::CheckWatches => 1 << 9,
        OpCode::RemoveWatches => 1 << 10,
        OpCode::AddWatch => 1 << 11,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
    const OTHER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2);

    #[test]
    fn what_a_server_lacks_is_kept_over_the_close_that_its_refusal_causes_and_no_other() {
        let lacking = Lacking::default();
        lacking.connected(SERVER);
        lacking.note_lacking(OpCode::Create2);
        lacking.connected(SERVER);
        assert!(lacking.lacks(OpCode::Create2));
        lacking.connected(SERVER);
        assert!(!lacking.lacks(OpCode::Create2), "the server may have been upgraded");
    }

    #[test]
    fn what_a_server_has_switched_off_is_forgotten_with_the_connection() {
        let lacking = Lacking::default();
        lacking.connected(SERVER);
        lacking.note_known(OpCode::Create2);
        lacking.note_lacking(OpCode::CreateTtl);
        assert!(lacking.lacks(OpCode::CreateTtl));
        lacking.connected(SERVER);
        assert!(!lacking.lacks(OpCode::CreateTtl), "it may have been switched on");
    }

    #[test]
    fn what_a_server_lacks_says_nothing_of_another() {
        let lacking = Lacking::default();
        lacking.connected(SERVER);
        lacking.note_known(OpCode::MultiRead);
        lacking.note_lacking(OpCode::WhoAmI);
        lacking.connected(OTHER);
        assert!(!lacking.lacks(OpCode::WhoAmI) && lacking.is_doubtful(OpCode::MultiRead));
    }

    #[test]
    fn a_pinned_version_is_known_from_the_start() {
        let lacking = Lacking::of(Some(ServerVersion::V3_4));
        assert!(lacking.lacks(OpCode::Create2) && !lacking.lacks(OpCode::Create));
        lacking.connected(SERVER);
        assert!(lacking.lacks(OpCode::Create2));
    }

    #[test]
    fn operations_of_all_servers_are_never_doubtful() {
        let lacking = Lacking::default();
        assert!(!lacking.is_doubtful(OpCode::GetData) && lacking.is_doubtful(OpCode::Create2));
        lacking.note_known(OpCode::Create2);
        assert!(!lacking.is_doubtful(OpCode::Create2));
    }
}

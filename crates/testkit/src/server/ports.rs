//! Free loopback ports for servers that must come back on the same one.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, TcpListener};

/// Below the range from which the kernel takes ports for outgoing connections (32768 and up on Linux). A port from
/// that range could be taken by a client's own socket while its server is down, even by the very client that tries
/// to reach it: a loopback connection may meet itself.
const PORTS: std::ops::Range<u16> = 10_000..30_000;

/// More tries than a machine has listeners in the range.
const TRIES_MAX: usize = 1_000;

/// Returns a port that was free a moment ago. Somebody may take it before it is used, so the user tries again.
pub(super) fn free_port() -> u16 {
    for _ in 0..TRIES_MAX {
        let span = u64::from(PORTS.end - PORTS.start);
        let offset = RandomState::new().hash_one(()) % span;
        let port = PORTS.start + u16::try_from(offset).expect("the span of the range fits in 16 bits");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free loopback port between {} and {}", PORTS.start, PORTS.end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_outside_the_range_of_outgoing_connections() {
        for _ in 0..100 {
            assert!(PORTS.contains(&free_port()));
        }
    }
}

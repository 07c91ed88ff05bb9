//! Looking for a server with a quorum, while one without it serves.

use std::{io, sync::Arc};

use tokio::time::sleep;

use super::connector::Connector;
use crate::{
    backoff::Backoff,
    hosts::{Hosts, Target},
};

/// Finds a server that writes. Never gives up; each round over the hosts is a longer wait after the one before, as
/// far as `pauses` goes.
pub(crate) async fn seek_read_write(connector: Arc<Connector>, hosts: Hosts, mut pauses: Backoff) -> Target {
    loop {
        sleep(pauses.wait()).await;
        let mut round = hosts.round();
        while let Some(target) = round.next_target(connector.limit()).await {
            match is_read_write(&connector, &target).await {
                Ok(true) => return target,
                Ok(false) => {}
                Err(error) => round.note_failure(&target, &error),
            }
        }
    }
}

/// Asks whether a server writes.
///
/// Only servers that may serve without a quorum allow the question; the others are asked how they are, which all
/// of them allow.
async fn is_read_write(connector: &Connector, server: &Target) -> io::Result<bool> {
    let answer = connector.ask(server, b"isro").await?;
    match answer.trim() {
        "rw" => Ok(true),
        "ro" | "null" => Ok(false),
        _ => Ok(is_serving(&connector.ask(server, b"srvr").await?)),
    }
}

/// Returns whether the answer to `srvr` is that of a server with a quorum. One that looks for it has no mode.
fn is_serving(answer: &str) -> bool {
    let mode = answer.lines().find_map(|line| line.strip_prefix("Mode: "));
    mode.is_some_and(|mode| matches!(mode.trim(), "leader" | "follower" | "observer" | "standalone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_by_its_mode_whether_it_writes() {
        for mode in ["leader", "follower", "observer", "standalone"] {
            assert!(is_serving(&format!("Zookeeper version: 3.8.0\nMode: {mode}\nNode count: 5\n")));
        }
        for answer in ["Mode: read-only\n", "This ZooKeeper instance is not currently serving requests\n", ""]
        {
            assert!(!is_serving(answer), "{answer:?}");
        }
    }
}

//! The fake against a real server: the same scenarios at both, compared packet by packet.
//!
//! `recorded.txt` is the transcript of a real 3.8.0 server, so that the fake is held to it where there is none;
//! `recorded_3_9.txt` that of a 3.9.5, started in the same way.

mod scenarios;
mod script;

use std::net::SocketAddr;

use quorate_testkit::ZooKeeper;
use quorate_zk_fake::{FakeZooKeeper, ServerVersion};

use self::script::Script;

const RECORDED: &str = include_str!("recorded.txt");
const RECORDED_3_9: &str = include_str!("recorded_3_9.txt");

#[tokio::test]
async fn the_fake_answers_like_the_recorded_servers() {
    for (version, recorded) in [(ServerVersion::V3_8, RECORDED), (ServerVersion::V3_9, RECORDED_3_9)] {
        let server = FakeZooKeeper::builder().version(version).ttl_nodes_enabled().start().await.unwrap();
        assert_same(&transcript(server.addr()).await, recorded);
    }
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_real_server_answers_as_recorded() {
    let server = ZooKeeper::start().await;
    let transcript = transcript(server.addr()).await;
    // Copied over the recording when scenarios were added.
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/recorded.txt"), &transcript).unwrap();
    assert_same(&transcript, RECORDED);
}

async fn transcript(addr: SocketAddr) -> String {
    let mut script = Script::new(addr);
    scenarios::run(&mut script).await;
    script.transcript()
}

/// Names the first lines that differ, with the scenario they are in.
fn assert_same(transcript: &str, expected: &str) {
    let mut scenario = "";
    for (number, (got, recorded)) in transcript.lines().zip(expected.lines()).enumerate() {
        if recorded.starts_with('#') {
            scenario = recorded;
        }
        assert_eq!(got, recorded, "line {} of the recording, in {scenario}", number + 1);
    }
    assert_eq!(transcript.lines().count(), expected.lines().count(), "one transcript is longer");
}

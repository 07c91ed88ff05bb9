//! Words of four letters.

use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

async fn ask(mut link: DuplexStream, word: &[u8]) -> String {
    link.write_all(word).await.unwrap();
    let mut answer = String::new();
    link.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_version_shows_in_srvr() {
    let server = FakeZooKeeper::builder().version(ServerVersion::V3_9).start().await.unwrap();
    let answer = ask(server.connect(), b"srvr").await;
    assert!(answer.starts_with("Zookeeper version: 3.9."), "{answer}");
    assert!(answer.contains("Mode: standalone"), "{answer}");
    assert!(ask(server.connect(), b"ruok").await.contains("not in the whitelist"));
}

#[tokio::test]
async fn more_words_are_answered_when_allowed_or_old() {
    let allowed = FakeZooKeeper::builder().four_letter_words();
    for builder in [allowed, FakeZooKeeper::builder().version(ServerVersion::V3_4)] {
        let server = builder.start().await.unwrap();
        assert_eq!(ask(server.connect(), b"ruok").await, "imok");
        assert!(ask(server.connect(), b"envi").await.contains("zookeeper.version=3."));
        assert!(ask(server.connect(), b"mntr").await.contains("zk_server_state\tstandalone"));
        assert_eq!(ask(server.connect(), b"what").await, "");
    }
}

#[tokio::test]
async fn isro_tells_whether_the_servers_may_write() {
    let server = FakeZooKeeper::builder().servers(3).start().await.unwrap();
    assert_eq!(ask(server.connect(), b"isro").await, "rw");
    assert!(ask(server.server(1).connect(), b"srvr").await.contains("Mode: follower"));
    server.lose_quorum();
    assert_eq!(ask(server.connect(), b"isro").await, "ro");
    assert!(ask(server.connect(), b"srvr").await.contains("Mode: read-only"));
}

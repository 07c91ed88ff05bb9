//! What older servers do not know.

use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
use quorate_zk_proto::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::*;

#[tokio::test]
async fn an_operation_newer_than_the_server_is_refused_and_closes_the_connection() {
    let create2 = Request::CreateWithStat(create("/a", CreateMode::Persistent));
    let watch = Request::AddWatch(AddWatch { path: path("/a"), mode: WatchMode::Persistent });
    let cases = [
        (ServerVersion::V3_4, create2),
        (ServerVersion::V3_4, Request::Create(create("/a", CreateMode::Container))),
        (ServerVersion::V3_5, watch),
        (ServerVersion::V3_6, Request::WhoAmI),
    ];
    for (version, request) in cases {
        let server = FakeZooKeeper::builder().version(version).start().await.unwrap();
        let mut client = Client::new(&server).await;
        let refused = client.ask(request).await;
        assert_eq!((refused, client.is_closed().await), (Err(ErrorCode::Unimplemented), true), "{version:?}");
        assert!(client.again(&server).await.ping().await.err.is_ok(), "the session lives on");
    }
}

#[tokio::test]
async fn the_version_shows_in_the_four_letter_word() {
    let server = FakeZooKeeper::builder().version(ServerVersion::V3_9).start().await.unwrap();
    let ask = async |word: &[u8]| {
        let mut link = server.connect();
        link.write_all(word).await.unwrap();
        let mut answer = String::new();
        link.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(ask(b"srvr").await.starts_with("Zookeeper version: 3.9."));
    assert!(ask(b"isro").await.contains("not in the whitelist"));
}

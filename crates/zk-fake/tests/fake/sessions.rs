//! Sessions: how they begin, move and end.

use std::time::Duration;

use quorate_zk_fake::FakeZooKeeper;
use quorate_zk_proto::*;
use tokio::time::{Instant, advance};

use crate::client::*;

#[tokio::test]
async fn a_timeout_is_held_within_the_ticks() {
    let server = FakeZooKeeper::builder().tick(Duration::from_millis(500)).start().await.unwrap();
    for (asked, granted) in [(1, 1_000), (3_000, 3_000), (100_000, 10_000)] {
        let client = Client::over(server.connect(), connect_request(asked)).await.unwrap();
        assert_eq!(client.session.timeout_millis, granted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_session_expires_and_its_ephemerals_go() {
    let server = FakeZooKeeper::start().await.unwrap();
    let (mut silent, mut other) = (Client::new(&server).await, Client::new(&server).await);
    silent.create("/e", CreateMode::Ephemeral).await.unwrap();
    other.ask(exists("/e", true)).await.unwrap();
    advance(Duration::from_secs(20)).await;
    other.ping().await;
    let started = Instant::now();
    assert!(silent.is_closed().await);
    assert_eq!(started.elapsed().as_secs(), 10, "thirty seconds after its last word");
    assert_eq!(other.events().await, [(EventType::NodeDeleted, "/e".into())]);
    assert_eq!(server.sessions().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn pings_keep_a_session_alive() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    for _ in 0..5 {
        advance(Duration::from_secs(29)).await;
        client.ping().await;
    }
    assert_eq!(server.counters().pings, 5);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_leaves_the_session_until_its_timeout() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/e", CreateMode::Ephemeral).await.unwrap();
    server.drop_connections();
    assert!(!server.sessions()[0].connected);
    advance(Duration::from_secs(29)).await;
    let mut again = client.again(&server).await;
    assert_eq!(again.session.session_id, client.session.session_id);
    assert_eq!(again.stat("/e").await.unwrap().ephemeral_owner, client.session.session_id);
    drop(again);
    server.wait_until(|server| server.sessions().is_empty()).await;
    assert_eq!(server.node("/e"), None);
}

#[tokio::test]
async fn a_wrong_password_or_an_ended_session_is_refused_alike() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    let session_id = client.session.session_id;
    let guess = ConnectRequest { session_id, ..connect_request(30_000) };
    let mut refused = Client::over(server.connect(), guess).await.unwrap();
    assert_eq!((refused.session.session_id, refused.session.timeout_millis), (SessionId::NONE, 0));
    assert!(refused.is_closed().await);
    assert!(client.ping().await.err.is_ok(), "a wrong guess does not disturb the owner");
    assert!(server.expire_session(session_id) && !server.expire_session(session_id));
    assert!(client.is_closed().await);
    assert_eq!(client.again(&server).await.session.timeout_millis, 0);
}

#[tokio::test]
async fn a_client_that_has_seen_more_is_turned_away_without_an_answer() {
    let server = FakeZooKeeper::start().await.unwrap();
    server.set_raw("/a", "1").unwrap();
    let at = |last_zxid_seen| ConnectRequest { last_zxid_seen, ..connect_request(30_000) };
    let current = at(server.zxid());
    server.wipe();
    assert_eq!((server.zxid(), server.node("/a")), (Zxid::ZERO, None));
    assert!(Client::over(server.connect(), current).await.is_none());
    assert!(Client::over(server.connect(), at(Zxid::ZERO)).await.is_some());
}

#[tokio::test]
async fn closing_a_session_deletes_its_ephemerals_before_the_answer() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/a", CreateMode::Ephemeral).await.unwrap();
    client.create("/b", CreateMode::Ephemeral).await.unwrap();
    client.send_op(OpCode::CloseSession.code(), |_| ()).await;
    let (header, _) = client.reply().await;
    assert_eq!((header.err, server.node("/a"), server.node("/b")), (ErrorCode::Ok, None, None));
    assert_eq!(header.zxid, server.zxid(), "one transaction for all of them");
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_moved_session_can_read_on_its_old_connection_until_it_writes() {
    let server = FakeZooKeeper::builder().sessions_move().start().await.unwrap();
    let mut old = Client::new(&server).await;
    let mut new = old.again(&server).await;
    new.create("/a", CreateMode::Persistent).await.unwrap();
    assert!(old.stat("/a").await.is_ok());
    assert_eq!(old.multi(vec![]).await, [], "an empty multi is not checked");
    old.send(&delete("/a")).await;
    assert!(old.is_closed().await);
    assert!(new.stat("/a").await.is_ok(), "and it was not applied");
}

//! Servers that lost their quorum.

use std::time::Duration;

use quorate_zk_fake::FakeZooKeeper;
use quorate_zk_proto::*;
use tokio::time::advance;

use crate::client::*;

fn read_only() -> ConnectRequest {
    ConnectRequest { read_only: Some(true), ..connect_request(30_000) }
}

#[tokio::test]
async fn without_a_quorum_only_those_who_will_only_read_are_let_in() {
    let server = FakeZooKeeper::start().await.unwrap();
    server.set_raw("/a", "1").unwrap();
    let mut before = Client::new(&server).await;
    server.lose_quorum();
    assert!(before.is_closed().await);
    assert!(Client::over(server.connect(), connect_request(30_000)).await.is_none());
    let mut reader = Client::over(server.connect(), read_only()).await.unwrap();
    assert_eq!(reader.session.read_only, Some(true));
    assert_eq!(reader.data("/a").await.unwrap(), "1");
    assert_eq!(reader.ask(delete("/a")).await, Err(ErrorCode::NotReadOnly));
    assert_eq!(reader.ask(Request::Sync(SyncRequest { path: path("/") })).await, Err(ErrorCode::NotReadOnly));
    assert!(server.node("/a").is_some());
    assert_eq!(server.set_raw("/a", "2"), Err(ErrorCode::NotReadOnly), "nobody else can write either");
}

#[tokio::test]
async fn a_read_only_session_moves_between_servers_and_ends_with_the_quorum() {
    let server = FakeZooKeeper::builder().servers(3).start().await.unwrap();
    server.lose_quorum();
    let reader = Client::over(server.connect(), read_only()).await.unwrap();
    let resume = ConnectRequest { read_only: Some(true), ..reader.resume() };
    let mut moved = Client::over(server.server(1).connect(), resume.clone()).await.unwrap();
    let guess = ConnectRequest { password: Secret::new("a guess"), ..resume.clone() };
    let refused = Client::over(server.server(1).connect(), guess).await.unwrap().session;
    assert_eq!((refused.session_id, refused.read_only), (SessionId::NONE, Some(true)));
    assert_eq!(moved.session.session_id, reader.session.session_id);
    server.regain_quorum();
    assert!(moved.is_closed().await);
    let refused = Client::over(server.connect(), resume).await.unwrap();
    assert_eq!(refused.session.session_id, SessionId::NONE);
    let fresh = Client::over(server.connect(), read_only()).await.unwrap();
    assert_eq!(fresh.session.read_only, Some(false), "a whole server is more than was asked for");
}

#[tokio::test(start_paused = true)]
async fn sessions_of_the_ensemble_outlive_the_loss_of_the_quorum() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/e", CreateMode::Ephemeral).await.unwrap();
    server.lose_quorum();
    let resume = ConnectRequest { read_only: Some(true), ..client.resume() };
    assert!(Client::over(server.connect(), resume).await.is_none(), "it is not a session to read with");
    advance(Duration::from_secs(3600)).await;
    server.regain_quorum();
    advance(Duration::from_secs(29)).await;
    let again = client.again(&server).await;
    assert_eq!(again.session.session_id, client.session.session_id);
    assert_eq!(server.zxid().epoch(), 1, "a new leader has a new epoch");
}

#[tokio::test(start_paused = true)]
async fn a_silent_read_only_session_expires_too() {
    let server = FakeZooKeeper::start().await.unwrap();
    server.lose_quorum();
    let mut reader = Client::over(server.connect(), read_only()).await.unwrap();
    assert!(reader.is_closed().await);
}

#[tokio::test]
async fn a_read_only_session_can_be_closed() {
    let server = FakeZooKeeper::start().await.unwrap();
    server.lose_quorum();
    let mut reader = Client::over(server.connect(), read_only()).await.unwrap();
    reader.send_op(OpCode::CloseSession.code(), |_| ()).await;
    assert!(reader.reply().await.0.err.is_ok() && reader.is_closed().await);
}

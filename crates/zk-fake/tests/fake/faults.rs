//! Faults on command, and what tests can look at.

use std::io::ErrorKind;

use quorate_zk_fake::{Direction, FakeZooKeeper};
use quorate_zk_proto::*;
use tokio::net::TcpStream;

use crate::client::*;

async fn dial(server: &FakeZooKeeper) -> Client<TcpStream> {
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    Client::over(stream, connect_request(30_000)).await.unwrap()
}

#[tokio::test]
async fn a_request_can_be_lost_before_it_is_applied() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.cut_after_packets(Direction::Requests, 1);
    client.ping().await;
    client.create("/a", CreateMode::Persistent).await.unwrap();
    client.send(&Request::Create(create("/b", CreateMode::Persistent))).await;
    assert!(client.is_closed().await);
    assert_eq!((server.node("/b"), server.is_cut_armed()), (None, false));
    assert!(client.again(&server).await.stat("/a").await.is_ok(), "a cut happens once");
}

#[tokio::test]
async fn a_reply_can_be_lost_after_its_request_was_applied() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.cut_after_packets(Direction::Replies, 0);
    client.send(&Request::Create(create("/a", CreateMode::Persistent))).await;
    assert!(client.is_closed().await);
    assert!(server.node("/a").is_some());
}

#[tokio::test]
async fn what_was_pipelined_behind_a_cut_is_not_applied() {
    for direction in [Direction::Requests, Direction::Replies] {
        let server = FakeZooKeeper::start().await.unwrap();
        let mut client = Client::new(&server).await;
        server.cut_after_packets(direction, 1);
        for at in ["/a", "/b", "/c"] {
            client.send(&Request::Create(create(at, CreateMode::Persistent))).await;
        }
        assert_eq!(client.reply().await.0.err, ErrorCode::Ok, "{direction:?}");
        assert!(client.is_closed().await);
        let applied = ["/a", "/b", "/c"].map(|at| server.node(at).is_some());
        assert_eq!(applied, [true, direction == Direction::Replies, false], "{direction:?}");
    }
}

#[tokio::test]
async fn a_reply_can_be_cut_within() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.cut_after_reply_bytes(4 + 16 + 3);
    client.send(&Request::Create(create("/a", CreateMode::Persistent))).await;
    assert!(client.is_closed().await, "the frame is not whole");
    assert!(server.node("/a").is_some() && !server.is_cut_armed());
}

#[tokio::test]
async fn a_port_that_is_not_listened_on_refuses_and_comes_back() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = dial(&server).await;
    server.stop_listening().await.unwrap();
    let refused = TcpStream::connect(server.addr()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(client.ping().await.err.is_ok(), "connections that are up stay up");
    server.listen_again().await.unwrap();
    dial(&server).await.ping().await;
    assert_eq!(server.connect_string(), server.addr().to_string());
}

#[tokio::test]
async fn dropped_connections_end_and_their_sessions_do_not() {
    let server = FakeZooKeeper::start().await.unwrap();
    let (mut one, mut two) = (dial(&server).await, Client::new(&server).await);
    server.drop_connections();
    assert!(one.is_closed().await && two.is_closed().await);
    assert_eq!(server.sessions().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_paused_server_is_silent_and_expires_nobody() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.pause();
    client.send(&Request::Create(create("/a", CreateMode::Persistent))).await;
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    assert_eq!((server.sessions().len(), server.node("/a")), (1, None));
    server.resume();
    assert_eq!(client.reply().await.0.err, ErrorCode::Ok);
}

#[tokio::test]
async fn a_request_over_the_limit_closes_the_connection() {
    let server = FakeZooKeeper::builder().jute_maxbuffer(100).start().await.unwrap();
    let mut client = Client::new(&server).await;
    let data = |len: usize| SetData { data: Some(vec![0; len].into()), ..set("/", ANY_VERSION) };
    assert!(client.ask(Request::SetData(data(100 - 8 - 5 - 4 - 4))).await.is_ok());
    client.send(&Request::SetData(data(100 - 8 - 5 - 4 - 4 + 1))).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn requests_are_recorded_and_batches_counted() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.ping().await;
    client.stat("/").await.unwrap();
    client.stat("/").await.unwrap();
    let counters = server.counters();
    assert_eq!((counters.requests, counters.batches, counters.replies, counters.pings), (2, 2, 2, 1));
    let log = server.requests();
    assert_eq!((log.len(), log[0].op, log[0].path.as_deref()), (2, OpCode::Exists, Some("/")));
    assert_eq!(log[0].session, client.session.session_id);
    server.forget_requests();
    assert_eq!((server.requests(), server.counters().requests), (vec![], 2));
}

#[tokio::test]
async fn pipelined_requests_are_one_batch() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.pause();
    for _ in 0..3 {
        client.send(&exists("/", false)).await;
    }
    server.resume();
    for _ in 0..3 {
        assert!(client.reply().await.1.is_ok());
    }
    assert_eq!((server.counters().requests, server.counters().batches), (3, 1));
}

#[tokio::test]
async fn the_end_of_the_server_is_the_end_of_its_links() {
    let server = FakeZooKeeper::start().await.unwrap();
    let (mut one, mut two) = (dial(&server).await, Client::new(&server).await);
    drop(server);
    assert!(one.is_closed().await && two.is_closed().await);
}

#[tokio::test]
async fn one_request_of_a_kind_can_be_refused() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.refuse_next(OpCode::Multi, ErrorCode::ThrottledOp);
    assert!(client.stat("/").await.is_ok());
    let barrier = Request::Multi(Multi::default());
    assert_eq!(client.ask(barrier.clone()).await, Err(ErrorCode::ThrottledOp));
    assert!(client.ask(barrier).await.is_ok());
}
